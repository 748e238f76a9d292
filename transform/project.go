package transform

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/duckdb/duckdb-go/v2"
)

// A Project is a set of models in the order in which they are built. It does not change after Load and is safe for
// concurrent use.
type Project struct {
	models      []*Model
	byName      map[string]*Model
	definitions []Definition
	functions   Functions
	columns     *columnCache // of its models, and of those of the project it is a part of
}

// A Definition is a threshold or constant that models read from the table definitions.
type Definition struct {
	Name    string
	Value   float64
	Unit    string
	Version int
	Source  string
}

// Load reads every .sql file and every definitions.csv of the file systems, checks each model's inputs against its
// select, and orders the models so that inputs come first. The error names every file that is wrong; models that need
// each other in a circle are named together.
func Load(ctx context.Context, systems ...fs.FS) (*Project, error) {
	return load(ctx, goFunctions(), systems...)
}

func load(ctx context.Context, functions Functions, systems ...fs.FS) (*Project, error) {
	p := &Project{byName: map[string]*Model{}, functions: functions, columns: &columnCache{}}
	var problems []error
	for _, fsys := range systems {
		problems = append(problems, p.read(fsys)...)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if err := p.checkInputs(ctx); err != nil {
		return nil, err
	}
	if err := p.checkSuperseded(); err != nil {
		return nil, err
	}
	if err := p.order(); err != nil {
		return nil, err
	}
	p.hash()
	return p, nil
}

// Models returns the models, inputs before those that read them.
func (p *Project) Models() []*Model { return slices.Clone(p.models) }

// visible is the project as those see it who ask for the given sensitivities alone.
func (p *Project) visible(shown []Sensitivity) *Project {
	seen := *p
	seen.models = slices.DeleteFunc(slices.Clone(p.models), func(m *Model) bool {
		return m.Sensitivity != "" && !slices.Contains(shown, m.Sensitivity)
	})
	return &seen
}

// Model returns the model of that name, nil when there is none.
func (p *Project) Model(name string) *Model { return p.byName[name] }

// Of returns the project of the models named and of all that they read, themselves or through others.
func (p *Project) Of(names ...string) *Project {
	return p.part(names, func(*Model) bool { return true })
}

// Near returns the project of the models named, and of all that they read themselves or through views: without what
// tables are made from. It can be defined, and the models named can be filled.
func (p *Project) Near(ctx context.Context, names ...string) (*Project, error) {
	if err := p.learnColumns(ctx); err != nil {
		return nil, err
	}
	return p.part(names, func(m *Model) bool { return m.Build == BuildView || slices.Contains(names, m.Name) }), nil
}

// part returns the project of the models named and of what is read by those of them that follow says.
func (p *Project) part(names []string, follow func(m *Model) bool) *Project {
	part := &Project{byName: map[string]*Model{}, definitions: p.definitions, functions: p.functions, columns: p.columns}
	var add func(m *Model)
	add = func(m *Model) {
		if part.byName[m.Name] != nil {
			return
		}
		part.byName[m.Name] = m
		if !follow(m) {
			return
		}
		for _, in := range p.inputModels(m) {
			add(in)
		}
	}
	for _, name := range names {
		if m := p.byName[name]; m != nil {
			add(m)
		}
	}
	for _, m := range p.models {
		if part.byName[m.Name] != nil {
			part.models = append(part.models, m)
		}
	}
	return part
}

// Definitions returns the rows of the table definitions, sorted by name.
func (p *Project) Definitions() []Definition { return slices.Clone(p.definitions) }

func (p *Project) read(fsys fs.FS) (problems []error) {
	err := fs.WalkDir(fsys, ".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		switch {
		case path.Ext(file) == ".sql":
			err = p.readModel(fsys, file)
		case path.Base(file) == "definitions.csv":
			err = p.readDefinitions(fsys, file)
		}
		if err != nil {
			problems = append(problems, err)
		}
		return nil
	})
	if err != nil {
		problems = append(problems, fmt.Errorf("list models: %w", err))
	}
	return problems
}

func (p *Project) readModel(fsys fs.FS, file string) error {
	src, err := fs.ReadFile(fsys, file)
	if err != nil {
		return fmt.Errorf("read model %s: %w", file, err)
	}
	m, err := ParseModel(file, string(src))
	if err != nil {
		return err
	}
	if p.byName[m.Name] != nil || slices.Contains([]string{tableDefinitions, tableDirtyDays, tableMethodChanges}, m.Name) {
		return fmt.Errorf("model %s: the name %q is taken", file, m.Name)
	}
	if err := p.functions.check(m); err != nil {
		return err
	}
	p.byName[m.Name] = m
	p.models = append(p.models, m)
	return nil
}

func (p *Project) readDefinitions(fsys fs.FS, file string) error {
	f, err := fsys.Open(file)
	if err != nil {
		return fmt.Errorf("open definitions: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read from
	r := csv.NewReader(f)
	header, err := r.Read()
	if want := []string{"name", "value", "unit", "version", "source"}; err != nil || !slices.Equal(header, want) {
		return fmt.Errorf("definitions %s: the first line is not %q", file, strings.Join(want, ","))
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("read definitions %s: %w", file, err)
		}
		d, err := parseDefinition(record)
		if err != nil {
			return fmt.Errorf("definitions %s: %w", file, err)
		}
		if slices.ContainsFunc(p.definitions, func(o Definition) bool { return o.Name == d.Name }) {
			return fmt.Errorf("definitions %s: %q stands twice", file, d.Name)
		}
		p.definitions = append(p.definitions, d)
	}
	slices.SortFunc(p.definitions, func(a, b Definition) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

func parseDefinition(record []string) (Definition, error) {
	d := Definition{Name: record[0], Unit: record[2], Source: record[4]}
	if !identifier.MatchString(d.Name) || d.Unit == "" || d.Source == "" {
		return d, fmt.Errorf("row %q: name, unit and source are needed", d.Name)
	}
	var err error
	if d.Value, err = strconv.ParseFloat(record[1], 64); err != nil {
		return d, fmt.Errorf("row %q: the value is not a number", d.Name)
	}
	if d.Version, err = strconv.Atoi(record[3]); err != nil {
		return d, fmt.Errorf("row %q: the version is not a whole number", d.Name)
	}
	return d, nil
}

// checkInputs compares each header's inputs with the tables DuckDB finds in the select.
func (p *Project) checkInputs(ctx context.Context) error {
	connector, err := duckdb.NewConnector("", nil)
	if err != nil {
		return fmt.Errorf("open DuckDB: %w", err)
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("open DuckDB: %w", err)
	}
	defer conn.Close() //nolint:errcheck // the database in memory goes with it

	known := map[string]bool{tableDefinitions: true, tableMethodChanges: true}
	sensitivity := map[string]Sensitivity{}
	for _, t := range silverTables() {
		known[t.name], sensitivity[t.name] = true, t.sensitivity
	}
	for _, m := range p.models {
		sensitivity[m.Name] = m.Sensitivity
	}
	var problems []error
	for _, m := range p.models {
		read, err := duckdb.GetTableNames(conn, m.SQL, true)
		if err != nil {
			problems = append(problems, fmt.Errorf("model %s: parse select: %w", m.Name, err))
			continue
		}
		for i, t := range read {
			read[i], _, _ = strings.Cut(t, " AS ") // an alias comes with the name
		}
		slices.Sort(read)
		read = slices.DeleteFunc(slices.Compact(read), func(t string) bool { return t == tableDirtyDays })
		want := slices.Clone(m.Inputs)
		if len(m.Series) > 0 { // they come beside the select
			want = slices.DeleteFunc(want, func(in string) bool { return in == silverSeries })
		}
		slices.Sort(want)
		if !slices.Equal(read, want) {
			problems = append(problems, fmt.Errorf("model %s: the header's inputs are %s, the select reads %s",
				m.Name, strings.Join(want, ", "), strings.Join(read, ", ")))
		}
		for _, name := range m.Daily {
			if in := p.byName[name]; in == nil || in.Build == BuildView && !in.Keep || !p.isRead(m, name) {
				problems = append(problems, fmt.Errorf("model %s: daily: %q is no table or kept view that it reads", m.Name, name))
			}
		}
		if m.Dates != "" {
			if err := p.checkDates(m); err != nil {
				problems = append(problems, fmt.Errorf("model %s: dates: %w", m.Name, err))
			}
		}
		for _, name := range m.HolesOf {
			if in := p.byName[name]; in == nil || in.Build != BuildTable || !slices.Contains(m.Inputs, name) {
				problems = append(problems, fmt.Errorf("model %s: reach: %q is no table among its inputs", m.Name, name))
			}
		}
		for _, in := range m.Inputs {
			switch {
			case !known[in] && p.byName[in] == nil:
				problems = append(problems, fmt.Errorf("model %s: there is no table %q to read", m.Name, in))
			case strings.HasPrefix(in, "silver.") && !m.Staging():
				problems = append(problems, fmt.Errorf("model %s: only models in staging read %s", m.Name, in))
			case sensitivity[in] != "" && sensitivity[in] != m.Sensitivity:
				problems = append(problems, fmt.Errorf("model %s: it reads %s and does not say sensitivity: %s", m.Name, in, sensitivity[in]))
			}
		}
	}
	return errors.Join(problems...)
}

// checkDates returns an error when the view that lists a model's dates cannot be asked before those are made: it may read what
// the model is shown anyhow, and no kept view.
func (p *Project) checkDates(m *Model) error {
	view := p.byName[m.Dates]
	switch {
	case view == nil || view.Build != BuildView || view.Keep:
		return fmt.Errorf("%q is no view that is asked whenever it is read", m.Dates)
	case len(view.Grain) != 3 || view.Grain[0] != "user_id" || view.Grain[2] != "local_date":
		return fmt.Errorf("the grain of %q is not user_id, the date of the row that is made, and local_date", m.Dates)
	}
	if len(p.keptInputs(view)) > 0 {
		return fmt.Errorf("%q reads dates that are kept", m.Dates)
	}
	ownSilver, ownTables := p.reads(m)
	silver, tables := p.reads(view)
	for _, in := range tables {
		if !slices.Contains(ownTables, in) {
			return fmt.Errorf("%q reads %s, and the model does not", m.Dates, in.Name)
		}
	}
	for _, in := range silver {
		if !slices.Contains(ownSilver, in) {
			return fmt.Errorf("%q reads %s, and the model does not", m.Dates, in)
		}
	}
	return nil
}

// order sorts the models so that inputs come first; among those that could come next, by name, so that the order is
// the same on every run.
func (p *Project) order() error {
	slices.SortFunc(p.models, func(a, b *Model) int { return strings.Compare(a.Name, b.Name) })
	const visiting, done = 1, 2
	state := map[*Model]int{}
	var ordered []*Model
	var visit func(m *Model, trail []string) error
	visit = func(m *Model, trail []string) error {
		trail = append(trail, m.Name)
		switch state[m] {
		case done:
			return nil
		case visiting:
			return fmt.Errorf("models read each other in a circle: %s", strings.Join(trail, " <- "))
		}
		state[m] = visiting
		for _, in := range p.inputModels(m) {
			if err := visit(in, slices.Clone(trail)); err != nil {
				return err
			}
		}
		state[m] = done
		ordered = append(ordered, m)
		return nil
	}
	for _, m := range p.models {
		if err := visit(m, nil); err != nil {
			return err
		}
	}
	p.models = ordered
	return nil
}

// inputModels returns the models m reads itself, and the one that lists its dates.
func (p *Project) inputModels(m *Model) []*Model {
	var models []*Model
	for _, in := range m.Inputs {
		if im := p.byName[in]; im != nil {
			models = append(models, im)
		}
	}
	for _, beside := range []string{m.Supersedes, m.Dates} {
		if im := p.byName[beside]; im != nil {
			models = append(models, im)
		}
	}
	return models
}

// isRead reports whether a model reads an input, itself or through views.
func (p *Project) isRead(m *Model, input string) bool {
	return slices.ContainsFunc(m.Inputs, func(in string) bool {
		im := p.byName[in]
		return in == input || im != nil && im.Build == BuildView && p.isRead(im, input)
	})
}

// reads returns what a model's rows are made from, with views looked through: silver tables and tables of other models.
func (p *Project) reads(m *Model) (silver []string, tables []*Model) {
	return p.readsBut(m, func(string) bool { return false })
}

// readsWidely returns what of that more is read than the day that is made.
func (p *Project) readsWidely(m *Model) (silver []string, tables []*Model) {
	return p.readsBut(m, m.isDaily)
}

func (p *Project) readsBut(m *Model, isLeftOut func(input string) bool) (silver []string, tables []*Model) {
	seen := map[string]bool{}
	var follow func(m *Model)
	follow = func(m *Model) {
		for _, in := range m.Inputs {
			if seen[in] || isLeftOut(in) {
				continue
			}
			seen[in] = true
			switch im := p.byName[in]; {
			case im == nil && strings.HasPrefix(in, "silver."):
				silver = append(silver, in)
			case im != nil && im.Build == BuildTable:
				tables = append(tables, im)
			case im != nil:
				follow(im)
			}
		}
	}
	follow(m)
	if older := p.byName[m.Supersedes]; older != nil && !slices.Contains(tables, older) {
		tables = append(tables, older)
	}
	return silver, tables
}

// hash gives each model a fingerprint of everything that decides its rows, apart from the data.
func (p *Project) hash() {
	for _, m := range p.models {
		h := sha256.New()
		fmt.Fprintf(h, "%q%s\n", m.SQL, p.functions.fingerprint(m))
		for _, im := range p.inputModels(m) {
			fmt.Fprintf(h, "%s %s\n", im.Name, im.sha)
		}
		for _, in := range m.Inputs {
			switch in {
			case tableMethodChanges:
				fmt.Fprintf(h, "%v\n", p.methodChanges())
			case tableDefinitions:
				for _, d := range p.definitions {
					if strings.Contains(m.SQL, "'"+d.Name+"'") {
						fmt.Fprintf(h, "%v\n", d)
					}
				}
			}
		}
		m.sha = hex.EncodeToString(h.Sum(nil))
	}
}
