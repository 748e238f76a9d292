package ranking

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/diurna-health/diurna/schemas"
)

// A Cohort is the people that somebody is compared with. The zero Cohort is everybody.
type Cohort struct {
	country  string // ISO 3166-1 alpha-2
	region   string // UN M.49 code of a continent; set when country is not
	ageFrom  int    // years at the start of the period; 0 = any age
	ageTo    int    // inclusive; 0 = no end
	sex      string
	newcomer bool
}

// ageBands are known by their first year; the last has no end. Younger people than the first are in none.
var ageBands = []int{18, 25, 35, 45, 55, 65}

// continents are the groups of UN M.49 that every country is in one of.
var continents = []string{"002", "009", "019", "142", "150"}

// newcomerDays is how long after the first evidence a person is a newcomer.
const newcomerDays = 90

var sexSyntax = regexp.MustCompile(`^[a-z][a-z_]{0,15}$`)

// ownParts are what a person can ask for without saying which: the value is the person's own.
var ownParts = []string{"country", "region", "age", "sex"}

// parseCohort reads "all", or parts joined by commas: country:GR, region:150, age:25-34, sex:female, newcomer. A part without
// its value is that of the person who asks; me is nil when nobody does.
func parseCohort(text string, me *profile) (Cohort, error) {
	var c Cohort
	if text == "" || text == "all" {
		return c, nil
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(text, ",") {
		key, value, given := strings.Cut(part, ":")
		if seen[key] || (key == "region" && seen["country"]) || (key == "country" && seen["region"]) {
			return c, invalidCohort("the cohort %q narrows the same thing twice", text)
		}
		seen[key] = true
		if !given && slices.Contains(ownParts, key) {
			if me == nil {
				return c, invalidCohort("the cohort %q needs a value, as in country:GR, unless it is asked for a person who is on the board", text)
			}
			if value = me.part(key); value == "" {
				return c, invalidCohort("the person's profile says nothing that the cohort %q could be made from", text)
			}
		}
		var err error
		if c, err = c.narrow(key, value, given); err != nil {
			return c, err
		}
	}
	return c, nil
}

// narrow returns the cohort with one more part.
func (c Cohort) narrow(key, value string, given bool) (Cohort, error) {
	switch key {
	case "country":
		if c.country = countryCode(value); c.country == "" {
			return c, invalidCohort("%q is not a country: write its ISO 3166 code of two letters", value)
		}
	case "region":
		if !slices.Contains(continents, value) {
			return c, invalidCohort("%q is not a continent: write its UN M.49 code, one of %s", value, strings.Join(continents, ", "))
		}
		c.region = value
	case "age":
		return c.narrowAge(value)
	case "sex":
		if !sexSyntax.MatchString(value) {
			return c, invalidCohort("%q is not a value of sex as profiles have it", value)
		}
		c.sex = value
	case "newcomer":
		if given {
			return c, invalidCohort("newcomer takes no value")
		}
		c.newcomer = true
	default:
		return c, invalidCohort("%q is not a cohort: write all, or country:GR, age:25-34, sex:female, newcomer, several joined by commas", key)
	}
	return c, nil
}

func (c Cohort) narrowAge(value string) (Cohort, error) {
	for i, from := range ageBands {
		if to := bandEnd(i); ageText(from, to) == value {
			c.ageFrom, c.ageTo = from, to
			return c, nil
		}
	}
	bands := make([]string, len(ageBands))
	for i, from := range ageBands {
		bands[i] = ageText(from, bandEnd(i))
	}
	return c, invalidCohort("%q is not an age band: they are %s", value, strings.Join(bands, ", "))
}

func bandEnd(i int) int {
	if i == len(ageBands)-1 {
		return 0
	}
	return ageBands[i+1] - 1
}

func ageText(from, to int) string {
	if to == 0 {
		return strconv.Itoa(from) + "-plus" // a plus sign is a space in a URL
	}
	return fmt.Sprintf("%d-%d", from, to)
}

func invalidCohort(format string, args ...any) error {
	return &schemas.Error{Code: schemas.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// String returns the cohort as it is asked for; a widened age band is written like the others.
func (c Cohort) String() string {
	var parts []string
	if c.country != "" {
		parts = append(parts, "country:"+c.country)
	}
	if c.region != "" {
		parts = append(parts, "region:"+c.region)
	}
	if c.ageFrom != 0 {
		parts = append(parts, "age:"+ageText(c.ageFrom, c.ageTo))
	}
	if c.sex != "" {
		parts = append(parts, "sex:"+c.sex)
	}
	if c.newcomer {
		parts = append(parts, "newcomer")
	}
	if len(parts) == 0 {
		return "all"
	}
	return strings.Join(parts, ",")
}

// wider returns the next cohort to try when this one must not be shown; of everybody it is everybody.
func (c Cohort) wider() Cohort {
	switch {
	case c.country != "":
		c.region, c.country = continentOf(c.country), ""
	case c.region != "":
		c.region = ""
	case c.ageFrom != 0:
		c.ageFrom, c.ageTo = widerAge(c.ageFrom, c.ageTo)
	case c.sex != "":
		c.sex = ""
	default:
		c.newcomer = false
	}
	return c
}

// generalisations returns every cohort that the cohort is part of by widening any of its parts, itself left out.
func (c Cohort) generalisations() []Cohort {
	all := []Cohort{c}
	grow := func(widen func(Cohort) Cohort) {
		for _, g := range slices.Clone(all) {
			if w := widen(g); !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	grow(func(g Cohort) Cohort {
		if g.country != "" {
			g.country, g.region = "", continentOf(g.country)
		}
		return g
	})
	grow(func(g Cohort) Cohort { g.country, g.region = "", ""; return g })
	grow(func(g Cohort) Cohort {
		if g.ageFrom != 0 {
			g.ageFrom, g.ageTo = widerAge(g.ageFrom, g.ageTo)
		}
		return g
	})
	grow(func(g Cohort) Cohort { g.ageFrom, g.ageTo = 0, 0; return g })
	grow(func(g Cohort) Cohort { g.sex = ""; return g })
	grow(func(g Cohort) Cohort { g.newcomer = false; return g })
	return all[1:]
}

// widerAge returns the band with ten more years: five on each side, or all on the side that is open. A band that was
// widened already becomes all ages.
func widerAge(from, to int) (wideFrom, wideTo int) {
	i := slices.Index(ageBands, from)
	switch {
	case i < 0 || to != bandEnd(i):
		return 0, 0
	case i == 0:
		return from, to + 10
	case to == 0:
		return from - 10, 0
	default:
		return from - 5, to + 5
	}
}

func (c Cohort) holds(p *profile) bool {
	return (c.country == "" || p.Country == c.country) &&
		(c.region == "" || p.region == c.region) &&
		(c.ageFrom == 0 || p.Age >= c.ageFrom && (c.ageTo == 0 || p.Age <= c.ageTo)) &&
		(c.sex == "" || p.Sex == c.sex) &&
		(!c.newcomer || p.Newcomer)
}

// A profile is what places a person in cohorts, as it stood at the start of the period. Zero values are not told.
type profile struct {
	Country  string `json:"country,omitempty"`
	Age      int    `json:"age,omitempty"` // years, reached in the year in which the period starts
	Sex      string `json:"sex,omitempty"`
	Newcomer bool   `json:"newcomer,omitempty"`

	region string // continent of Country, looked up once
}

// part returns the value that a person's own part of a cohort has, "" when there is none.
func (p *profile) part(key string) string {
	switch key {
	case "country":
		return p.Country
	case "region":
		return p.region
	case "sex":
		return p.Sex
	default:
		for i, from := range ageBands {
			if to := bandEnd(i); p.Age >= from && (to == 0 || p.Age <= to) {
				return ageText(from, to)
			}
		}
		return ""
	}
}

// countryCode returns the ISO 3166-1 code of two letters, "" when the text is none.
func countryCode(text string) string {
	r, err := language.ParseRegion(text)
	if err != nil || !r.IsCountry() || len(text) != 2 {
		return ""
	}
	return r.Canonicalize().String()
}

// continentOf returns the code of the continent a country lies on, "" when it is not known.
func continentOf(country string) string {
	r, err := language.ParseRegion(country)
	if err != nil {
		return ""
	}
	for _, code := range continents {
		if c, err := language.ParseRegion(code); err == nil && c.Contains(r) {
			return code
		}
	}
	return ""
}

// CohortWords says in words what a cohort of a View is written as: people in Greece, aged 25 to 34.
func CohortWords(c string) string {
	if c == "all" {
		return "everybody who takes part"
	}
	parts := strings.Split(c, ",")
	for i, part := range parts {
		key, value, _ := strings.Cut(part, ":")
		switch key {
		case "country", "region":
			parts[i] = "in " + regionName(value)
		case "age":
			parts[i] = "aged " + ageWords(value)
		case "newcomer":
			parts[i] = "new here"
		case "sex":
			parts[i] = "whose profile says " + value
		}
	}
	return "people " + strings.Join(parts, ", ")
}

func regionName(code string) string {
	r, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	if name := display.English.Regions().Name(r); name != "" {
		return name
	}
	return code
}

func ageWords(band string) string {
	if from, isOpen := strings.CutSuffix(band, "-plus"); isOpen {
		return from + " and over"
	}
	return strings.Replace(band, "-", " to ", 1)
}
