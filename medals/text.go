package medals

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/diurna-health/diurna/medals/locales"
)

// WriteJSON writes the wall for programs: one object, indented.
func WriteJSON(w io.Writer, wall *Wall) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(wall); err != nil {
		return fmt.Errorf("write medals: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write medals: %w", err)
	}
	return nil
}

// WriteText writes the wall for people, in a language: what is earned, each with its why, and what comes next. A medal
// that was earned often has one line for each level, with the why of the last time.
func WriteText(w io.Writer, wall *Wall, languageTag string) error {
	locale, err := locales.Load(languageTag)
	if err != nil {
		return err
	}
	p := page{say: words{locale}}
	p.head(wall)
	p.earned(wall.Awards)
	p.next(wall.Progress)
	p.line("")
	p.line(p.message("wall.note", nil))
	if p.err != nil {
		return fmt.Errorf("write medals: %w", p.err)
	}
	if _, err := w.Write(p.b.Bytes()); err != nil {
		return fmt.Errorf("write medals: %w", err)
	}
	return nil
}

// A page is a text on its way. After an error it says nothing more.
type page struct {
	say words
	b   bytes.Buffer
	err error
}

func (p *page) line(text string) { p.b.WriteString(strings.TrimRight(text, " ") + "\n") }

func (p *page) message(id string, args locales.Args) string {
	if p.err != nil {
		return ""
	}
	text, err := p.say.locale.Say(id, args)
	p.err = err
	return text
}

func (p *page) head(wall *Wall) {
	if wall.AsOf == nil || p.err != nil {
		return
	}
	text, err := p.say.asOf(*wall.AsOf)
	p.err = err
	p.line(text)
	p.line("")
}

// A shelf is one level of one medal, with every time it was earned, the last first.
type shelf struct{ awards []*Award }

// shelves keeps the levels of a medal together, the highest first, and begins with the medal that was earned last.
func shelves(awards []Award) []*shelf {
	var medals []string
	ofMedal := map[string][]*shelf{}
	for i := range awards {
		a := &awards[i]
		if !slices.Contains(medals, a.Medal) {
			medals = append(medals, a.Medal)
		}
		levels := ofMedal[a.Medal]
		at := slices.IndexFunc(levels, func(s *shelf) bool { return s.awards[0].Level <= a.Level })
		switch {
		case at < 0:
			levels = append(levels, &shelf{[]*Award{a}})
		case levels[at].awards[0].Level == a.Level:
			levels[at].awards = append(levels[at].awards, a)
		default:
			levels = slices.Insert(levels, at, &shelf{[]*Award{a}})
		}
		ofMedal[a.Medal] = levels
	}
	var all []*shelf
	for _, m := range medals {
		all = append(all, ofMedal[m]...)
	}
	return all
}

func (p *page) earned(awards []Award) {
	p.line(p.message("wall.earned", nil))
	if len(awards) == 0 {
		p.line("  " + p.message("wall.none", nil))
	}
	var rows [][]string
	var whys []string
	for _, s := range shelves(awards) {
		last := s.awards[0]
		date, err := p.say.locale.Date(last.EarnedOn)
		if err != nil {
			p.err = err
			return
		}
		tier := p.message("wall.tier."+string(last.Tier), nil)
		if last.Private {
			tier += ", " + p.message("wall.private", nil)
		}
		rows = append(rows, []string{last.Name, last.LevelText, tier,
			p.message("wall.times", locales.Args{"Count": len(s.awards), "Date": date})})
		whys = append(whys, p.message("wall.why", locales.Args{"Why": last.Why}))
	}
	for i, row := range aligned(rows) {
		p.line("  " + row)
		p.line("      " + whys[i])
	}
}

func (p *page) next(progress []Progress) {
	if len(progress) == 0 {
		return
	}
	p.line("")
	p.line(p.message("wall.next", nil))
	var rows [][]string
	for _, n := range progress {
		figures := p.message("wall.progress", locales.Args{
			"Value": p.say.locale.Integer(n.Value), "Level": p.say.locale.Integer(float64(n.Next)),
		})
		rows = append(rows, []string{n.Name, n.NextText, figures, n.Forecast.Text})
	}
	for _, row := range aligned(rows) {
		p.line("  " + row)
	}
}

// aligned sets rows in columns, two spaces apart.
func aligned(rows [][]string) []string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			b.WriteString(cell)
			b.WriteString(strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2))
		}
		lines[n] = strings.TrimRight(b.String(), " ")
	}
	return lines
}
