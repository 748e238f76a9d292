package transform

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

// Dictionary returns the data dictionary in Markdown: every table and view that people query, with each column's type
// and meaning, the formula's source and when not to trust it, then the metrics of the wire. It is made from the models'
// headers and the metrics table, so it cannot say anything else than they do.
func (p *Project) Dictionary(ctx context.Context) ([]byte, error) {
	types, err := p.columnTypes(ctx)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("# Data dictionary\n\nMade by `diurna docs` from the headers of the models. A null is a figure that was not measured or cannot\n" +
		"be told; a zero was measured. Dates are the person's own, at the offset recorded with the data.\n")
	for _, kind := range []struct {
		build BuildKind
		title string
	}{{BuildTable, "Tables"}, {BuildView, "Views"}} {
		fmt.Fprintf(&b, "\n## %s\n", kind.title)
		for _, m := range p.models {
			if m.Build == kind.build && !m.internal() {
				m.describe(&b, types[m.Name])
			}
		}
	}
	describeMethodChanges(&b)
	describeDefinitions(&b, p.definitions)
	describeMetrics(&b)
	return b.Bytes(), nil
}

// internal reports whether the model is a step on the way that nobody is meant to query.
func (m *Model) internal() bool {
	return strings.HasPrefix(m.Name, "stg_")
}

func (m *Model) describe(b *bytes.Buffer, types map[string]string) {
	fmt.Fprintf(b, "\n### %s\n\n%s\n\n", m.Name, sentenceOf(m.Summary))
	fmt.Fprintf(b, "- one row per: %s\n", strings.Join(m.Grain, ", "))
	method := m.Method
	if m.Supersedes != "" {
		method += "; before " + m.Since + " that of " + m.Supersedes
	}
	for _, fact := range []struct{ name, says string }{{"source", m.Source}, {"method", method}, {"caution", m.Caution}} {
		if fact.says != "" {
			fmt.Fprintf(b, "- %s: %s\n", fact.name, fact.says)
		}
	}
	b.WriteString(columnsHeader)
	for _, c := range m.Columns {
		describeColumn(b, c.Name, types[c.Name], c.Meaning)
	}
}

func describeMethodChanges(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n## Changes of method\n\n### %s\n\nOne row per table and date from which its rows follow another formula: "+
		"comparisons do not reach across.\n\n- one row per: table_name, since_date\n", tableMethodChanges)
	b.WriteString(columnsHeader)
	for _, c := range methodChangeColumns() {
		describeColumn(b, c.name, strings.ToUpper(c.kind), c.meaning)
	}
}

const columnsHeader = "\n| column | type | meaning |\n|---|---|---|\n"

func describeColumn(b *bytes.Buffer, name, kind, meaning string) {
	fmt.Fprintf(b, "| %s | %s | %s |\n", name, kind, cell(meaning))
}

func describeDefinitions(b *bytes.Buffer, definitions []Definition) {
	b.WriteString("\n## Definitions\n\nThe thresholds and constants that models read.\n\n| name | value | unit | version | source |\n|---|---|---|---|---|\n")
	for _, d := range definitions {
		fmt.Fprintf(b, "| %s | %v | %s | %d | %s |\n", d.Name, d.Value, d.Unit, d.Version, cell(d.Source))
	}
}

func describeMetrics(b *bytes.Buffer) {
	b.WriteString("\n## Metrics of the wire\n\nEvery quantity is an integer in the unit stated; a value outside the range is set aside with its reason.\n\n" +
		"| metric | travels as | unit (UCUM) | LOINC | least | most | meaning |\n|---|---|---|---|---|---|---|\n")
	for _, m := range schemas.Metrics() {
		fmt.Fprintf(b, "| %s | %s | %s | %s | %d | %d | %s |\n", m.Name, m.Shape, m.Unit, m.LOINC, m.Min, m.Max, cell(m.Meaning))
	}
}

// columnTypes asks DuckDB for the type of every column of every model.
func (p *Project) columnTypes(ctx context.Context) (map[string]map[string]string, error) {
	w, err := openEmpty(ctx)
	if err != nil {
		return nil, err
	}
	defer w.close() //nolint:errcheck // nothing is kept in it
	if err := p.define(ctx, w.conn, nil, modelColumns{}, defineTables); err != nil {
		return nil, err
	}
	types := map[string]map[string]string{}
	for _, m := range p.models {
		columns, err := describe(ctx, w.conn, "select * from "+m.Name)
		if err != nil {
			return nil, fmt.Errorf("describe model %s: %w", m.Name, err)
		}
		types[m.Name] = map[string]string{}
		for _, c := range columns {
			types[m.Name][c.Name] = c.Type
		}
	}
	return types, nil
}

func sentenceOf(s string) string {
	s = strings.ToUpper(s[:1]) + s[1:]
	if !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// cell keeps a text within its cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
