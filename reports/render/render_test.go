package render_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/locales"
	"github.com/diurna-health/diurna/reports/render"
	"github.com/diurna-health/diurna/reports/reportstest"
	"github.com/diurna-health/diurna/schemas"
)

var update = flag.Bool("update", false, "write the golden files")

func TestEveryRenderingIsItsGolden(t *testing.T) {
	r := renderer(t)
	for name, s := range snapshots(t) {
		t.Run(name, func(t *testing.T) {
			page, err := r.HTML(s)
			if err != nil {
				t.Fatal(err)
			}
			text, err := r.Text(s)
			if err != nil {
				t.Fatal(err)
			}
			matchGolden(t, name+".golden.html", page)
			matchGolden(t, name+".golden.txt", text)
		})
	}
}

func TestJSONIsTheSnapshotWithTheDisclaimer(t *testing.T) {
	r := renderer(t)
	for name, s := range snapshots(t) {
		data, err := r.JSON(s)
		if err != nil {
			t.Fatal(err)
		}
		var got, want map[string]any
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		frozen, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(frozen, &want); err != nil {
			t.Fatal(err)
		}
		want["disclaimer"] = disclaimer(t)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-snapshot +document):\n%s", name, diff)
		}
	}
}

func TestAStoredSnapshotRendersTheSame(t *testing.T) {
	r := renderer(t)
	for name, s := range snapshots(t) {
		document, err := r.JSON(s)
		if err != nil {
			t.Fatal(err)
		}
		stored := new(reports.Snapshot)
		if err := json.Unmarshal(document, stored); err != nil {
			t.Fatal(err)
		}
		want, err := r.HTML(s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.HTML(stored)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s from its stored snapshot (-fresh +stored):\n%s", name, diff)
		}
	}
}

func TestEveryRenderingEndsWithTheDisclaimer(t *testing.T) {
	want := disclaimer(t)
	if !strings.Contains(want, "not medical advice") {
		t.Errorf("the disclaimer %q does not say that this is not medical advice", want)
	}
	for name, rendered := range renderings(t) {
		flat := strings.Join(strings.Fields(rendered), " ")
		if strings.Count(flat, want) != 1 {
			t.Errorf("%s holds the disclaimer %d times, want once", name, strings.Count(flat, want))
		}
	}
}

// The words below judge or name a condition. A report describes what a watch measured and does neither.
var diagnostic = regexp.MustCompile(`(?i)diagnos|apn(o)?ea|arr?hythmi|fibrillat|hypertens|hypotens|tachycard|bradycard|` +
	`insomnia|fever|illness|disease|disorder|syndrome|symptom|patholog|abnormal|clinical|patient|treatment|therap|` +
	`ovulat|contracept|infect|injury risk|at risk|dangerous|unhealthy|obes|overweight|underweight|depress|anxi|\bbad\b|` +
	`\bpoor\b|\bfail|lazy`)

func TestNoRenderingHoldsADiagnosticWord(t *testing.T) {
	for name, rendered := range renderings(t) {
		if word := diagnostic.FindString(rendered); word != "" {
			t.Errorf("%s holds %q", name, word)
		}
	}
}

func TestNoTemplateAndNoMessageHoldsADiagnosticWord(t *testing.T) {
	var paths []string
	for _, pattern := range []string{"templates/*", "../locales/*.json"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if len(found) == 0 {
			t.Fatalf("no file matches %s", pattern)
		}
		paths = append(paths, found...)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if word := diagnostic.Find(data); word != nil {
			t.Errorf("%s holds %q", path, word)
		}
	}
}

func TestThePageAsksNoHostAndRunsNoScript(t *testing.T) {
	forbidden := regexp.MustCompile(`(?i)<script|<link|<img|<iframe|@import|url\((?:['"])?[^#)]|src=|href=|https?://|javascript:|\son[a-z]+=`)
	for name, rendered := range renderings(t) {
		page := strings.ReplaceAll(rendered, "http://www.w3.org/2000/svg", "") // the name of SVG, not an address
		if strings.HasSuffix(name, ".html") {
			if found := forbidden.FindString(page); found != "" {
				t.Errorf("%s holds %q", name, found)
			}
		}
	}
}

func TestThePageIsWellFormedAndItsIDsAreUnique(t *testing.T) {
	for name, rendered := range renderings(t) {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		seen := map[string]bool{}
		var named []string
		d := xml.NewDecoder(strings.NewReader(rendered))
		d.Strict, d.AutoClose, d.Entity = false, []string{"meta", "br"}, xml.HTMLEntity
		for {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			element, isStart := token.(xml.StartElement)
			if !isStart {
				continue
			}
			for _, a := range element.Attr {
				switch a.Name.Local {
				case "id":
					if seen[a.Value] {
						t.Errorf("%s has the id %q twice", name, a.Value)
					}
					seen[a.Value] = true
				case "aria-labelledby":
					named = append(named, strings.Fields(a.Value)...)
				}
			}
		}
		for _, id := range named {
			if !seen[id] {
				t.Errorf("%s names %q, which is not there", name, id)
			}
		}
	}
}

func TestEveryDrawingHasANameADescriptionAndATable(t *testing.T) {
	for name, rendered := range renderings(t) {
		if !strings.HasSuffix(name, ".html") {
			continue
		}
		for _, svg := range regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(rendered, -1) {
			for _, want := range []string{`role="img"`, `aria-labelledby="`} {
				if !strings.Contains(svg, want) {
					t.Errorf("%s has a drawing without %s", name, want)
				}
			}
			if !regexp.MustCompile(`<title [^>]+>[^<]+</title><desc [^>]+>[^<]+</desc>`).MatchString(svg) {
				t.Errorf("%s has a drawing without name or description: %.200s", name, svg)
			}
		}
		figures := strings.Count(rendered, "<figure>")
		tables := strings.Count(rendered, "<table>")
		// The ring shows the sum of the bars of active minutes and shares their table.
		shared := strings.Count(rendered, `class="chart ring`)
		if figures == 0 || tables != figures-shared {
			t.Errorf("%s has %d drawings, %d of them sharing a table, and %d tables", name, figures, shared, tables)
		}
	}
}

func TestNoUserIDIsOnAPageOrInAText(t *testing.T) {
	s := snapshots(t)[reportstest.Full]
	s.UserID = "somebody-very-particular"
	r := renderer(t)
	page, err := r.HTML(s)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.Text(s)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(page, []byte(s.UserID)) || bytes.Contains(text, []byte(s.UserID)) {
		t.Error("the id is shown; a printed page would carry it")
	}
}

func TestTheTextIsAtMost78ColumnsWide(t *testing.T) {
	for name, rendered := range renderings(t) {
		if !strings.HasSuffix(name, ".txt") {
			continue
		}
		for line := range strings.Lines(rendered) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > 78 {
				t.Errorf("%s has a line of %d columns: %s", name, n, line)
			}
			if strings.TrimRight(line, " ") != line {
				t.Errorf("%s has a line that ends in a space: %q", name, line)
			}
		}
	}
}

func TestAWeekThatSpansTwoYearsNamesBoth(t *testing.T) {
	p, err := schemas.ParsePeriod("2025-W01")
	if err != nil {
		t.Fatal(err)
	}
	g := reportstest.Gold{Days: []reportstest.UserDay{
		{User: "u", Date: schemas.NewDate(2025, time.January, 20), HasSteps: true},
	}}
	s, err := reports.Compose(t.Context(), g.Open(t), "u", p, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	text, err := renderer(t).Text(s)
	if err != nil {
		t.Fatal(err)
	}
	if want := "Monday 30 December 2024 – Sunday 5 January 2025"; !bytes.Contains(text, []byte(want)) {
		t.Errorf("%q is not in\n%s", want, text)
	}
}

func TestAnUnknownReasonIsAnErrorNotASilence(t *testing.T) {
	s := snapshots(t)[reportstest.Thin]
	s.Thin = append(s.Thin, reports.Thin{Section: reports.SectionHeart, Reason: "made_up"})
	if _, err := renderer(t).HTML(s); err == nil || !strings.Contains(err.Error(), "thin.heart.made_up") {
		t.Errorf("error %v, want one that names the missing message", err)
	}
}

func BenchmarkHTML(b *testing.B) {
	r := renderer(b)
	s := snapshots(b)[reportstest.Full]
	for b.Loop() {
		if _, err := r.HTML(s); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
}

func renderer(tb testing.TB) *render.Renderer {
	tb.Helper()
	r, err := render.New(locales.Fallback)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// snapshots composes the made-up people's week, and one running week.
func snapshots(tb testing.TB) map[string]*reports.Snapshot {
	tb.Helper()
	db := reportstest.People().Open(tb)
	p, err := schemas.ParsePeriod(reportstest.Week)
	if err != nil {
		tb.Fatal(err)
	}
	all := map[string]*reports.Snapshot{}
	users := []string{reportstest.Full, reportstest.Partial, reportstest.Thin, reportstest.Empty, reportstest.Unworn}
	for s, err := range reports.ComposeAll(tb.Context(), db, users, p, reportstest.AsOf()) {
		if err != nil {
			tb.Fatal(err)
		}
		all[s.UserID] = s
	}
	thursday := time.Date(2026, time.March, 5, 13, 0, 0, 0, time.UTC)
	running, err := reports.Compose(tb.Context(), db, reportstest.Full, p, thursday)
	if err != nil {
		tb.Fatal(err)
	}
	all["running"] = running
	long := reportstest.Long().Open(tb)
	for name, c := range map[string]struct{ user, period string }{
		"month":      {reportstest.Steady, "2025-07"},
		"month_gap":  {reportstest.Gaps, "2025-03"},
		"month_none": {reportstest.Gaps, "2025-05"},
		"year":       {reportstest.Steady, "2025"},
		"year_gaps":  {reportstest.Gaps, "2025"},
	} {
		p, err := schemas.ParsePeriod(c.period)
		if err != nil {
			tb.Fatal(err)
		}
		s, err := reports.Compose(tb.Context(), long, c.user, p, reportstest.AsOf())
		if err != nil {
			tb.Fatal(err)
		}
		all[name] = s
	}
	return all
}

// renderings returns every page, text and document by name.
func renderings(t *testing.T) map[string]string {
	t.Helper()
	r := renderer(t)
	all := map[string]string{}
	for name, s := range snapshots(t) {
		for ending, draw := range map[string]func(*reports.Snapshot) ([]byte, error){
			".html": r.HTML, ".txt": r.Text, ".json": r.JSON,
		} {
			data, err := draw(s)
			if err != nil {
				t.Fatal(err)
			}
			all[name+ending] = string(data)
		}
	}
	return all
}

func disclaimer(t *testing.T) string {
	t.Helper()
	locale, err := locales.Load(locales.Fallback)
	if err != nil {
		t.Fatal(err)
	}
	words, err := locale.Say("disclaimer", nil)
	if err != nil {
		t.Fatal(err)
	}
	return words
}

func matchGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func TestEveryRemarkHasItsWords(t *testing.T) {
	locale, err := locales.Load(locales.Fallback)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for section, reasons := range map[reports.Section][]reports.Reason{
		reports.SectionReport: {reports.ReasonNotOver, reports.ReasonBeforeRecords, reports.ReasonNothingSince,
			reports.ReasonNotWorn, reports.ReasonShortWear, reports.ReasonTooFew, reports.ReasonNoHistory},
		reports.SectionSleep: {reports.ReasonNoNights, reports.ReasonMissingNights, reports.ReasonShortNights,
			reports.ReasonTooFew, reports.ReasonNoHistory, reports.ReasonMethodChanged},
		reports.SectionHeart: {reports.ReasonNoHeartRate, reports.ReasonSomeHeartRate, reports.ReasonTooFew,
			reports.ReasonNoHistory, reports.ReasonMethodChanged},
		reports.SectionMovement: {reports.ReasonNotMeasured, reports.ReasonNoIntensity, reports.ReasonTooFew,
			reports.ReasonNoHistory, reports.ReasonMethodChanged},
	} {
		for _, reason := range reasons {
			ids = append(ids, "thin."+string(section)+"."+string(reason))
		}
	}
	for _, kind := range []reports.BasisKind{reports.BasisValidDays, reports.BasisSleepSegments, reports.BasisSleepSummary,
		reports.BasisWearHeartRate, reports.BasisWearMotion, reports.BasisHeartRate, reports.BasisDeviceActivity,
		reports.BasisComparison, reports.BasisMayChange, reports.BasisMethods} {
		ids = append(ids, "sure."+string(kind))
	}
	for _, cause := range []reports.Reason{reports.ReasonBeforeRecords, reports.ReasonAfterRecords, reports.ReasonWithinGap,
		reports.ReasonToCome, reports.ReasonNotWorn} {
		ids = append(ids, "empty."+string(cause))
	}
	for _, reason := range []reports.Reason{reports.ReasonNotMeasured, reports.ReasonTooFew, reports.ReasonNoHistory,
		reports.ReasonMethodChanged, reports.ReasonNotOver} {
		ids = append(ids, "tile."+string(reason))
	}
	for _, id := range ids {
		if !locale.Has(id) {
			t.Errorf("message %s is missing", id)
		}
	}
}
