package transform

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A BuildKind says how a model exists: as a view that is computed when it is read, or as a table of the lake.
type BuildKind string

// The kinds of build.
const (
	BuildView  BuildKind = "view"
	BuildTable BuildKind = "table"
)

// A SpanUnit says in what a Span is counted.
type SpanUnit string

// The units of spans.
const (
	SpanDays    SpanUnit = "days"
	SpanWeek    SpanUnit = "week"    // the ISO week of the day
	SpanMonth   SpanUnit = "month"   // the calendar month of the day
	SpanYear    SpanUnit = "year"    // the calendar year of the day
	SpanForward SpanUnit = "forward" // all later days
	SpanPerson  SpanUnit = "person"  // all of a person's days
	SpanHoles   SpanUnit = "holes"   // the days on both sides that some inputs do not have
)

// A Sensitivity keeps tables apart that concern more than health: whoever opens the lake does not see them unless they
// ask for them by name, and no model without it can read them.
type Sensitivity string

// SensitivityCycle is that of everything about the menstrual cycle.
const SensitivityCycle Sensitivity = "cycle"

// A Span is a stretch of days about a day. The zero Span is the day alone.
type Span struct {
	Unit     SpanUnit // "" is SpanDays
	Days     int      // of SpanDays
	Around   bool     // of SpanDays: both ways
	Recorded bool     // of SpanDays: no further than the last day that any table has
}

// A Column is an output column of a model, for the data dictionary.
type Column struct {
	Name    string
	Meaning string // unit and meaning, from the comment beside it
}

// An Output is a column that a Go function returns.
type Output struct {
	Name string
	Type string // as DuckDB writes it: VARCHAR, TIMESTAMP WITH TIME ZONE
}

// A Model is one table or view, made by one select.
type Model struct {
	Name     string
	Topic    string // the folder it lies in
	Summary  string
	Grain    []string
	Inputs   []string
	Build    BuildKind
	Keep     bool // of a view: its rows are made once in a build, for all models that read them
	Lookback Span
	Daily    []string // inputs of which a row needs its own day alone, whatever lookback and reach are
	Dates    string   // a view that lists for each date which ones of kept views are read; "" = all in lookback
	Reach    Span
	HolesOf  []string // of reach holes: the inputs
	Closes   SpanUnit // a week, a month or a year, whose last days alone have rows; "" = any day may
	Source   string
	Audits   []string
	Caution  string
	Method   string
	// Supersedes names the model whose rows the table keeps for the days before Since; "" when there was none before.
	Supersedes string
	Since      string   // a date: 2027-01-01
	Function   string   // the Go function that makes the rows out of the select; "" = the select is the rows
	Order      []string // of the rows that go into the function
	AnyOrder   bool     // the function looks at each row alone
	Series     []string // the metrics of silver.series_hours whose hours go into the function, beside the rows
	Outputs    []Output // columns of the function's rows
	Columns    []Column
	SQL        string // the whole file

	Sensitivity Sensitivity // what it takes to see the table; "" = nothing

	sha string // of SQL, definitions when they are read, and everything above; set by Load
}

// isDaily reports whether a row needs of an input, or of a view below one, its own day alone.
func (m *Model) isDaily(input string) bool { return slices.Contains(m.Daily, input) }

// lookbackTo returns how far back the model reads an input.
func (m *Model) lookbackTo(input string) Span {
	if m.isDaily(input) {
		return Span{}
	}
	return m.Lookback
}

// DateColumn returns the name of the column that holds the local date of a table's rows.
func (m *Model) DateColumn() string { return m.Grain[1] }

// Staging reports whether the model may read silver tables and use functions other engines lack.
func (m *Model) Staging() bool { return m.Topic == "staging" }

// Patterns of the lines of a model.
var (
	headerKey        = regexp.MustCompile(`^-- ([a-z]+):\s+(.*)$`)
	headerMore       = regexp.MustCompile(`^--\s{3,}(\S.*)$`)
	titleLine        = regexp.MustCompile(`^-- ([a-z][a-z0-9_]*): (.+)$`)
	lastLine         = regexp.MustCompile(`^select \* from [a-z][a-z0-9_]*$`)
	columnLine       = regexp.MustCompile(`([a-z][a-z0-9_]*),?\s+-- (\S.*)$`)
	identifier       = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	inputName        = regexp.MustCompile(`^(silver\.)?[a-z][a-z0-9_]*$`)
	outputSyntax     = regexp.MustCompile(`^([a-z][a-z0-9_]*) ([a-z ]+(?:\[\])?): (\S.*)$`)
	supersedesSyntax = regexp.MustCompile(`^([a-z][a-z0-9_]*) before ([0-9]{4}-[0-9]{2}-[0-9]{2})$`)
	methodSyntax     = regexp.MustCompile(`^[a-z][a-z0-9_]*/[0-9]+$`)
)

// ParseModel reads a model from the text of file name. It reports every problem it finds, not the first alone.
func ParseModel(name, src string) (*Model, error) {
	m := &Model{
		Name:  strings.TrimSuffix(path.Base(name), ".sql"),
		Topic: path.Base(path.Dir(name)),
		SQL:   src,
	}
	header, body := splitHeader(src)
	problems := m.parseHeader(header)
	problems = append(problems, m.parseBody(body)...)
	problems = append(problems, m.check()...)
	if len(problems) > 0 {
		return nil, fmt.Errorf("model %s: %w", name, errors.Join(problems...))
	}
	return m, nil
}

// splitHeader cuts a model after the comment lines it opens with.
func splitHeader(src string) (header []string, body string) {
	lines := strings.Split(strings.TrimRight(src, "\n"), "\n")
	n := 0
	for n < len(lines) && strings.HasPrefix(lines[n], "--") {
		n++
	}
	return lines[:n], strings.Join(lines[n:], "\n")
}

func (m *Model) parseHeader(lines []string) (problems []error) {
	if len(lines) == 0 {
		return []error{errors.New("the file does not open with a header comment")}
	}
	title := titleLine.FindStringSubmatch(lines[0])
	if title == nil || title[1] != m.Name {
		problems = append(problems, fmt.Errorf("the first line is not \"-- %s: <what a row is>\"", m.Name))
	} else {
		m.Summary = title[2]
	}

	// The summary may run on until the first empty comment line; keys follow it.
	rest := lines[1:]
	for len(rest) > 0 && rest[0] != "--" && headerKey.FindString(rest[0]) == "" {
		m.Summary += " " + strings.TrimSpace(strings.TrimPrefix(rest[0], "--"))
		rest = rest[1:]
	}
	type entry struct{ key, value string }
	var entries []entry
	for _, line := range rest {
		if kv := headerKey.FindStringSubmatch(line); kv != nil {
			entries = append(entries, entry{kv[1], strings.TrimSpace(kv[2])})
			continue
		}
		if more := headerMore.FindStringSubmatch(line); more != nil && len(entries) > 0 {
			entries[len(entries)-1].value += " " + strings.TrimSpace(more[1])
			continue
		}
		if line != "--" {
			problems = append(problems, fmt.Errorf("header line %q is neither \"-- key: value\" nor a continuation", line))
		}
	}
	seen := map[string]bool{}
	for _, e := range entries {
		if seen[e.key] && e.key != "audit" && e.key != "output" {
			problems = append(problems, fmt.Errorf("header key %q stands twice", e.key))
		}
		seen[e.key] = true
		if err := m.setHeader(e.key, e.value); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

func (m *Model) setHeader(key, value string) (err error) {
	switch key {
	case "grain":
		m.Grain = splitList(value)
	case "inputs":
		m.Inputs = splitList(value)
		if value == "none" {
			m.Inputs = []string{}
		}
	case "build":
		m.Build = BuildKind(value)
	case "keep":
		if value != "build" {
			return fmt.Errorf("keep: %q is not build", value)
		}
		m.Keep = true
	case "lookback":
		m.Lookback, err = parseSpan(value)
	case "daily":
		m.Daily = splitList(value)
	case "dates":
		m.Dates = value
	case "reach":
		if of, ok := strings.CutPrefix(value, "holes of "); ok {
			m.Reach, m.HolesOf = Span{Unit: SpanHoles}, splitList(of)
			break
		}
		m.Reach, err = parseSpan(value)
	case "closes":
		if m.Closes = SpanUnit(value); !slices.Contains([]SpanUnit{SpanWeek, SpanMonth, SpanYear}, m.Closes) {
			return fmt.Errorf("closes: %q is not week, month or year", value)
		}
	case "source":
		m.Source = value
	case "audit":
		m.Audits = append(m.Audits, value)
	case "caution":
		m.Caution = value
	case "method":
		m.Method = value
	case "supersedes":
		return m.setSupersedes(value)
	case "go":
		m.Function = value
	case "series":
		m.Series = splitList(value)
	case "order":
		if m.AnyOrder = value == "none"; !m.AnyOrder {
			m.Order = splitList(value)
		}
	case "output":
		return m.addOutput(value)
	case "sensitivity":
		m.Sensitivity = Sensitivity(value)
	default:
		return fmt.Errorf("unknown header key %q", key)
	}
	if err != nil {
		return fmt.Errorf("header key %q: %w", key, err)
	}
	return nil
}

// setSupersedes takes "<model> before <date>".
func (m *Model) setSupersedes(value string) error {
	parts := supersedesSyntax.FindStringSubmatch(value)
	if parts == nil {
		return fmt.Errorf("supersedes: %q is not \"<model> before <YYYY-MM-DD>\"", value)
	}
	if _, err := time.Parse(time.DateOnly, parts[2]); err != nil {
		return fmt.Errorf("supersedes: %q is not a date", parts[2])
	}
	m.Supersedes, m.Since = parts[1], parts[2]
	return nil
}

// addOutput takes "name type: meaning".
func (m *Model) addOutput(value string) error {
	parts := outputSyntax.FindStringSubmatch(value)
	if parts == nil {
		return fmt.Errorf("output: %q is not \"<column> <type>: <meaning>\"", value)
	}
	m.Outputs = append(m.Outputs, Output{Name: parts[1], Type: strings.ToUpper(parts[2])})
	m.Columns = append(m.Columns, Column{Name: parts[1], Meaning: parts[3]})
	return nil
}

func splitList(s string) []string {
	parts := strings.Split(s, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

func parseSpan(s string) (Span, error) {
	switch unit := SpanUnit(s); unit { //nolint:exhaustive // a number of days comes after it
	case SpanWeek, SpanMonth, SpanForward, SpanPerson:
		return Span{Unit: unit}, nil
	}
	rest, around := strings.CutSuffix(s, " around")
	rest, recorded := strings.CutSuffix(rest, " recorded")
	number, ok := strings.CutSuffix(rest, " days")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 || n > 3660 || around && recorded {
		return Span{}, fmt.Errorf("%q is not \"n days\", \"n days around\", \"n days recorded\", week, month, forward or person, nor of reach \"holes of <tables>\"", s)
	}
	return Span{Unit: SpanDays, Days: n, Around: around, Recorded: recorded}, nil
}

// parseBody checks the form of the select and collects the comments beside its columns. A name that several CTEs
// comment on is described by the last: that one is nearest to the output.
func (m *Model) parseBody(body string) (problems []error) {
	code := withoutComments(body)
	if strings.Contains(code, ";") {
		problems = append(problems, errors.New("a model is one select, without a semicolon"))
	}
	if first := strings.Fields(code); len(first) == 0 || (first[0] != "with" && first[0] != "select") {
		problems = append(problems, errors.New("the select begins with neither \"with\" nor \"select\""))
	}
	lines := strings.Split(body, "\n")
	if last := lines[len(lines)-1]; !lastLine.MatchString(last) {
		problems = append(problems, errors.New("the last line is not \"select * from <last CTE>\""))
	}
	if m.Function != "" { // the select's columns are not the table's
		if m.Build == BuildTable {
			m.Columns = append(m.Columns, Column{Name: columnMethodVersion, Meaning: "formula of this row"})
		}
		return problems
	}
	for _, line := range lines {
		found := columnLine.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		column := Column{Name: found[1], Meaning: found[2]}
		m.Columns = slices.DeleteFunc(m.Columns, func(c Column) bool { return c.Name == column.Name })
		m.Columns = append(m.Columns, column)
	}
	return problems
}

// columnMethodVersion says by which formula a row was made.
const columnMethodVersion = "method_version"

// orderedSelect is the select whose rows go into the Go function.
func (m *Model) orderedSelect() string {
	if m.AnyOrder {
		return m.SQL
	}
	return "select * from (\n" + m.SQL + "\n) order by " + strings.Join(m.Order, ", ")
}

// selectHours selects the hours that go into the Go function, for when they are in a table and not in files.
func (m *Model) selectHours() string {
	return fmt.Sprintf("select * from %s where metric in (%s) order by user_id, local_date", silverSeries,
		strings.Trim(literals(m.Series), "[]"))
}

// selectOutputs selects what the Go function returned, as the header promises it.
func (m *Model) selectOutputs(from string) string {
	var columns []string
	for _, o := range m.Outputs {
		columns = append(columns, fmt.Sprintf("cast(%[1]s as %[2]s) as %[1]s", o.Name, o.Type))
	}
	if m.Build == BuildTable {
		columns = append(columns, literal(m.Method)+" as "+columnMethodVersion)
	}
	return "select " + strings.Join(columns, ", ") + " from " + from
}

// withoutComments removes line comments and the contents of string literals, so that what is left is code.
func withoutComments(sql string) string {
	var b strings.Builder
	inString := false
	for i := 0; i < len(sql); i++ {
		switch {
		case sql[i] == '\'':
			inString = !inString
			b.WriteByte('\'')
		case inString:
		case strings.HasPrefix(sql[i:], "--"):
			for i < len(sql) && sql[i] != '\n' {
				i++
			}
			b.WriteByte('\n')
		default:
			b.WriteByte(sql[i])
		}
	}
	return b.String()
}

func (m *Model) check() (problems []error) {
	report := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if len(m.Grain) == 0 {
		report("header key \"grain\" is missing")
	}
	for _, c := range m.Grain {
		if !identifier.MatchString(c) {
			report("grain: %q is not a column name", c)
		}
	}
	if m.Inputs == nil {
		report("header key \"inputs\" is missing")
	}
	for _, in := range m.Inputs {
		if !inputName.MatchString(in) {
			report("inputs: %q is not a table name", in)
		}
	}
	if m.Sensitivity != "" && m.Sensitivity != SensitivityCycle {
		report("sensitivity: %q is not %s", m.Sensitivity, SensitivityCycle)
	}
	switch m.Lookback.Unit {
	case "", SpanDays, SpanPerson:
	default:
		report("lookback: %s is for reach alone", m.Lookback.Unit)
	}
	if len(m.Daily) > 0 && m.Reach.Unit == SpanPerson {
		report("daily: with reach person every day is one of the person's")
	}
	if m.Dates != "" && m.Lookback.Unit != SpanDays {
		report("dates: without a lookback of days every date of the dirty days is read, or of their people")
	}
	if m.Lookback.Recorded {
		report("lookback: recorded is for reach alone")
	}
	problems = append(problems, m.checkFunction()...)
	if m.Keep && (!m.Staging() || m.Function == "") {
		report("keep: only views in staging that are made by a Go function are kept")
	}
	switch m.Build {
	case BuildTable:
		if len(m.Grain) < 2 || m.Grain[0] != "user_id" {
			report("grain: of a table the first two columns are user_id and the local date")
		}
		if m.Source == "" {
			report("header key \"source\" is missing: a table says where its formulas come from")
		}
		if !methodSyntax.MatchString(m.Method) {
			report("method: %q is not name/version", m.Method)
		}
	case BuildView:
		if m.Lookback != (Span{}) || len(m.Daily) > 0 || m.Dates != "" || m.Reach != (Span{}) || m.Closes != "" || len(m.Audits) > 0 || m.Method != "" || m.Supersedes != "" {
			report("lookback, daily, dates, reach, closes, audit, method and supersedes are for tables")
		}
	default:
		report("build: %q is neither view nor table", m.Build)
	}
	if m.Staging() && m.Build == BuildTable {
		report("build: models in staging are views")
	}
	return problems
}

func (m *Model) checkFunction() (problems []error) {
	report := func(problem string) { problems = append(problems, errors.New(problem)) }
	if m.Function == "" {
		if len(m.Outputs) > 0 || len(m.Order) > 0 || m.AnyOrder || len(m.Series) > 0 {
			report("series, order and output are for models with a Go function")
		}
		return problems
	}
	if m.Build != BuildTable && !m.Keep {
		report("go: only a table, and a view that is kept, is made by a Go function")
	}
	if len(m.Series) > 0 && !slices.Contains(m.Inputs, silverSeries) {
		report("series: silver.series_hours is not among the inputs")
	}
	if len(m.Series) > 0 && !m.Keep {
		report("series: only views that are kept have the hours of their days")
	}
	if len(m.Order) == 0 && !m.AnyOrder {
		report("header key \"order\" is missing: a Go function reads its rows in one order, or says \"none\"")
	}
	if len(m.Outputs) == 0 {
		report("header key \"output\" is missing: a Go function's columns stand in the header")
	}
	return problems
}
