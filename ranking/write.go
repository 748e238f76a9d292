package ranking

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// WriteJSON writes a view for programs, as the HTTP API does.
func WriteJSON(w io.Writer, v *View) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	if err := out.Encode(v); err != nil {
		return fmt.Errorf("write ranking: %w", err)
	}
	return nil
}

// WriteText writes a view for a terminal.
func WriteText(w io.Writer, v *View) error {
	t := textWriter{english: message.NewPrinter(language.English)}
	t.head(v)
	t.board(v)
	t.me(v)
	t.excluded(v)
	if _, err := io.WriteString(w, t.b.String()); err != nil {
		return fmt.Errorf("write ranking: %w", err)
	}
	return nil
}

type textWriter struct {
	b       strings.Builder
	english *message.Printer
}

func (t *textWriter) line(format string, args ...any) {
	t.b.WriteString(t.english.Sprintf(format, args...))
	t.b.WriteByte('\n')
}

func (t *textWriter) head(v *View) {
	t.line("%s by %s, %s (%s to %s)", title(v.Metric), string(v.PeriodKind), v.Period, v.FirstDate, v.LastDate)
	switch v.Status {
	case StatusFinal:
		t.line("Final, revision %d.", *v.Revision)
	case StatusSettling:
		t.line("Closed. Late data counts until %s.", minute(v.SettlesAt))
	default:
		t.line("Open. Closes at %s; closed days are counted.", minute(v.ClosesAt))
	}
	if v.Cohort.PeopleCount == nil {
		t.line("Fewer than %d people take part: nobody is listed.", v.Rules.Minimum.Named)
		return
	}
	t.line("%s", t.group(v.Cohort))
}

// group says how many are compared, and of whom.
func (t *textWriter) group(c CohortShown) string {
	group := "people"
	if c.Shown != "all" {
		group = CohortWords(c.Shown)
	}
	words := t.english.Sprintf("%d %s take part.", *c.PeopleCount, group)
	if c.Asked != c.Shown {
		words += " You asked for " + CohortWords(c.Asked) + ": too few to be shown alone."
	}
	return words
}

// board lists the top, then the neighbours that the top does not hold already.
func (t *textWriter) board(v *View) {
	if len(v.Top) == 0 {
		return
	}
	t.b.WriteByte('\n')
	var rows strings.Builder
	table := tabwriter.NewWriter(&rows, 0, 0, 2, ' ', tabwriter.AlignRight)
	listed := map[string]bool{}
	write := func(r Row) {
		listed[r.PublicID] = true
		mark := " "
		if r.IsMe {
			mark = ">"
		}
		// The name is padded to the left by hand: the table aligns to the right.
		fmt.Fprintf(table, "%s%d\t  %-24s\t%s\t%s\t\n", mark, r.Rank, r.Name, t.amount(r.Value, v.Unit), days(r.DayCount))
	}
	for _, r := range v.Top {
		write(r)
	}
	apart := false
	for _, r := range v.Neighbours {
		if listed[r.PublicID] {
			continue
		}
		if !apart && len(v.Top) > 0 && r.Rank > v.Top[len(v.Top)-1].Rank+1 {
			fmt.Fprint(table, "...\t\t\t\t\n")
		}
		apart = true
		write(r)
	}
	_ = table.Flush() // a strings.Builder takes everything
	for row := range strings.Lines(rows.String()) {
		t.b.WriteString(strings.TrimRight(row, " \n") + "\n")
	}
}

func (t *textWriter) me(v *View) {
	m := v.Me
	if m == nil {
		return
	}
	t.b.WriteByte('\n')
	if m.Absence != nil {
		t.line("%s", absenceSentence(*m.Absence, v.Rules.Minimum))
	}
	if m.Rank != nil {
		t.line("You are %s: rank %d of %d, with %s.", m.Name, *m.Rank, *m.Of, t.amount(*m.Value, v.Unit))
	} else if m.Value != nil && m.Absence == nil {
		t.line("You are %s, with %s.", m.Name, t.amount(*m.Value, v.Unit))
	}
	if m.GapUp != nil {
		t.line("%s to the next better place.", t.amount(*m.GapUp, v.Unit))
	}
	if m.GapDown != nil {
		t.line("%s ahead of the next.", t.amount(*m.GapDown, v.Unit))
	}
	if m.TopPct != nil {
		t.line("Top %d %% of %s.", *m.TopPct, CohortWords(*m.PercentileCohort))
	}
	if m.RunningValue != nil {
		t.line("Today so far, provisional: + %s.", t.amount(*m.RunningValue, v.Unit))
	}
}

func (t *textWriter) excluded(v *View) {
	if len(v.MineExcluded) == 0 {
		return
	}
	t.b.WriteByte('\n')
	t.line("Not counted here; your own totals keep it:")
	for _, e := range v.MineExcluded {
		amount := days(int(e.Days))
		if e.Minutes > 0 {
			amount = t.english.Sprintf("%d min", e.Minutes)
		}
		t.line("  %s (%s): %s", t.amount(e.Steps, v.Unit), amount, reasonWords(e.Reason))
	}
}

func absenceSentence(a Absence, m Minimum) string {
	switch a {
	case AbsenceNotTakingPart:
		return "This person does not take part in rankings: it takes their consent."
	case AbsenceNoSteps:
		return "No place yet: no closed day of the period has steps that count."
	case AbsenceQuarantine:
		return "No place for now: the days of the period wait for somebody to look at them."
	case AbsenceFewValidDays:
		return fmt.Sprintf("No place yet: it takes %d days on which the watch was worn for long enough.", m.ValidDays)
	default:
		return fmt.Sprintf("No place: boards are for people of %d years or more.", m.Age)
	}
}

func reasonWords(r Reason) string {
	switch r {
	case ReasonFast:
		return "faster than anybody walks or runs"
	case ReasonSustained:
		return "a pace kept up for longer than can be"
	case ReasonForeign:
		return "not counted by a device of yours that syncs here"
	case ReasonDaySteps:
		return "more steps in a day than can be; somebody will look at it"
	case ReasonDayWalking:
		return "more hours of walking in a day than can be; somebody will look at it"
	default:
		return "above what one day counts at most"
	}
}

// amount writes a value with its unit; a unit is an English plural.
func (t *textWriter) amount(n int64, unit string) string {
	if n == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	return t.english.Sprintf("%d %s", n, unit)
}

func days(n int) string {
	if n == 1 {
		return "1 day"
	}
	return strconv.Itoa(n) + " days"
}

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
