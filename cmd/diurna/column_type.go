package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A columnType is a DuckDB type, read from the name the driver gives it: DECIMAL(10,3), STRUCT("a" DATE)[].
type columnType struct {
	kind             string        // the base name, or one of the kinds below
	precision, scale int           // of a DECIMAL
	size             int           // of an array
	elem             *columnType   // of a list or an array; the values of a map
	key              *columnType   // of a map
	fields           []columnField // of a struct or a union
}

type columnField struct {
	name string
	typ  columnType
}

// Kinds of nested types.
const (
	kindList   = "LIST"
	kindArray  = "ARRAY"
	kindStruct = "STRUCT"
	kindMap    = "MAP"
	kindUnion  = "UNION"
)

func parseColumnType(name string) (columnType, error) {
	p := typeParser{rest: name}
	t, err := p.parse()
	if err == nil && p.rest != "" {
		err = fmt.Errorf("unexpected %q", p.rest)
	}
	if err != nil {
		return columnType{}, fmt.Errorf("parse type %q: %w", name, err)
	}
	return t, nil
}

// isNumeric reports whether values are numbers, which people read right-aligned.
func (t columnType) isNumeric() bool {
	return slices.Contains([]string{"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT",
		"UINTEGER", "UBIGINT", "UHUGEINT", "BIGNUM", "FLOAT", "DOUBLE", "DECIMAL"}, t.kind)
}

type typeParser struct{ rest string }

func (p *typeParser) parse() (columnType, error) {
	t, err := p.parseBase()
	if err != nil {
		return columnType{}, err
	}
	for p.accept("[") {
		elem := t
		if p.accept("]") {
			t = columnType{kind: kindList, elem: &elem}
			continue
		}
		size, err := p.number()
		if err != nil {
			return columnType{}, err
		}
		if err := p.expect("]"); err != nil {
			return columnType{}, err
		}
		t = columnType{kind: kindArray, elem: &elem, size: size}
	}
	return t, nil
}

func (p *typeParser) parseBase() (columnType, error) {
	end := strings.IndexFunc(p.rest, func(r rune) bool { return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') })
	if end < 0 {
		end = len(p.rest)
	}
	if end == 0 {
		return columnType{}, fmt.Errorf("no type name before %q", p.rest)
	}
	t := columnType{kind: p.rest[:end]}
	p.rest = p.rest[end:]
	if !p.accept("(") {
		return t, nil
	}
	var err error
	switch t.kind {
	case "DECIMAL":
		err = p.parseDecimal(&t)
	case kindStruct, kindUnion:
		err = p.parseFields(&t)
	case kindMap:
		err = p.parseMap(&t)
	default:
		err = fmt.Errorf("%s takes no parameters", t.kind)
	}
	if err != nil {
		return columnType{}, err
	}
	return t, p.expect(")")
}

func (p *typeParser) parseDecimal(t *columnType) (err error) {
	if t.precision, err = p.number(); err != nil {
		return err
	}
	if err = p.expect(","); err != nil {
		return err
	}
	t.scale, err = p.number()
	return err
}

func (p *typeParser) parseFields(t *columnType) error {
	for {
		name, err := p.quoted()
		if err != nil {
			return err
		}
		if err := p.expect(" "); err != nil {
			return err
		}
		typ, err := p.parse()
		if err != nil {
			return err
		}
		t.fields = append(t.fields, columnField{name, typ})
		if !p.accept(", ") {
			return nil
		}
	}
}

func (p *typeParser) parseMap(t *columnType) error {
	key, err := p.parse()
	if err != nil {
		return err
	}
	if err := p.expect(", "); err != nil {
		return err
	}
	elem, err := p.parse()
	t.key, t.elem = &key, &elem
	return err
}

// quoted reads a name in double quotes, in which a doubled quote stands for one.
func (p *typeParser) quoted() (string, error) {
	if err := p.expect(`"`); err != nil {
		return "", err
	}
	var name strings.Builder
	for {
		part, rest, ok := strings.Cut(p.rest, `"`)
		if !ok {
			return "", fmt.Errorf("name %q does not end", p.rest)
		}
		name.WriteString(part)
		p.rest = rest
		if !p.accept(`"`) {
			return name.String(), nil
		}
		name.WriteByte('"')
	}
}

func (p *typeParser) number() (int, error) {
	end := 0
	for end < len(p.rest) && p.rest[end] >= '0' && p.rest[end] <= '9' {
		end++
	}
	n, err := strconv.Atoi(p.rest[:end])
	p.rest = p.rest[end:]
	return n, err
}

func (p *typeParser) accept(s string) bool {
	rest, ok := strings.CutPrefix(p.rest, s)
	p.rest = rest
	return ok
}

func (p *typeParser) expect(s string) error {
	if !p.accept(s) {
		return fmt.Errorf("want %q before %q", s, p.rest)
	}
	return nil
}
