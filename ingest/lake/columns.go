package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// chunkRows is how many rows are read at a time: enough that what a call costs does not show, few enough that many files
// can be open at once, whatever an hour holds.
const chunkRows = 1024

// A columnFile reads the columns of a data file that it is asked for, and no other, some rows at a time.
type columnFile struct {
	path    string
	file    OpenFile
	groups  []parquet.RowGroup // still to be opened
	open    parquet.RowGroup   // the one that is read
	left    int64              // its rows that were not read yet
	columns []column
}

// A column is a column of a columnFile, of one of the types below.
type column interface {
	// open begins a group of rows.
	open(group parquet.RowGroup)
	// read takes the next n rows of the group in.
	read(n int) error
	close()
}

// openColumns opens a data file. The columns are filled in by read.
func openColumns(ctx context.Context, l *Lake, path string, columns func(*parquet.Schema) []column) (*columnFile, error) {
	f, err := l.store.Open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open data file: %w", err)
	}
	return columnsIn(ctx, f, path, columns)
}

// columnsIn is openColumns for a file that is open, which it closes when it fails.
func columnsIn(ctx context.Context, f OpenFile, path string, columns func(*parquet.Schema) []column) (*columnFile, error) {
	p, err := openParquet(ctx, f, parquet.ReadBufferSize(64<<10))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &columnFile{path: path, file: f, groups: p.RowGroups(), columns: columns(p.Schema())}, nil
}

// count returns how many rows are still to be read, valuesOf how many values of a column they have at most.
func (c *columnFile) count() (rows int) {
	for _, g := range c.groups {
		rows += int(g.NumRows())
	}
	return rows
}

func (c *columnFile) valuesOf(l leaf) (values int) {
	for _, g := range c.groups {
		if l.index >= 0 {
			values += int(g.ColumnChunks()[l.index].NumValues())
		}
	}
	return values
}

// read takes the next rows into the columns and returns how many, 0 at the end.
func (c *columnFile) read() (int, error) {
	for c.left == 0 {
		if len(c.groups) == 0 {
			return 0, nil
		}
		for _, col := range c.columns {
			col.open(c.groups[0])
		}
		c.open, c.groups = c.groups[0], c.groups[1:]
		c.left = c.open.NumRows()
	}
	n := int(min(chunkRows, c.left))
	for _, col := range c.columns {
		if err := col.read(n); err != nil {
			return 0, fmt.Errorf("read data file %s: %w", c.path, err)
		}
	}
	c.left -= int64(n)
	return n, nil
}

// skip leaves out what is left of the open group.
func (c *columnFile) skip() { c.left = 0 }

func (c *columnFile) close() {
	for _, col := range c.columns {
		col.close()
	}
	_ = c.file.Close() // only read from
}

// A leaf walks the pages of a column. What is left of the page are its levels and the values among them.
type leaf struct {
	index      int // of the column in the file; -1 = the file has none: all rows are null
	definition byte
	pages      parquet.Pages
	page       parquet.Page
	repeats    []byte // 0 begins a row; nil in a column with one value a row
	defines    []byte // definition = there is a value; nil when there always is
	whole      bool   // no nulls in the page
	values     int    // of the page, nulls included, that are left; for columns without levels
}

func leafOf(s *parquet.Schema, path ...string) leaf {
	found, ok := s.Lookup(path...)
	if !ok {
		return leaf{index: -1}
	}
	return leaf{index: found.ColumnIndex, definition: byte(found.MaxDefinitionLevel)}
}

func (l *leaf) open(group parquet.RowGroup) {
	l.close()
	if l.index >= 0 {
		l.pages = group.ColumnChunks()[l.index].Pages()
	}
}

// next goes on to the next page with values. It returns io.EOF when there is none.
func (l *leaf) next() error {
	parquet.Release(l.page)
	l.page = nil
	page, err := l.pages.ReadPage()
	if err != nil {
		return err
	}
	l.page = page
	l.repeats, l.defines = page.RepetitionLevels(), page.DefinitionLevels()
	l.whole = page.NumNulls() == 0
	l.values = int(page.NumValues())
	return nil
}

func (l *leaf) close() {
	if l.page != nil {
		parquet.Release(l.page)
	}
	if l.pages != nil {
		_ = l.pages.Close() // only read from
	}
	l.pages, l.page, l.values, l.repeats = nil, nil, 0, nil
}

// eachRun calls take with the next n values of a column with one value a row, run by run: so many that are there, or so
// many that are null.
func (l *leaf) eachRun(n int, load func(parquet.Page) error, take func(n int, there bool)) error {
	if l.index < 0 {
		take(n, false)
		return nil
	}
	for n > 0 {
		if l.values == 0 {
			if err := l.next(); err != nil {
				return short(err)
			}
			if err := load(l.page); err != nil {
				return err
			}
			continue
		}
		run, there := min(n, l.values), true
		if !l.whole {
			run, there = runOf(l.defines[:run], l.definition)
			l.defines = l.defines[run:]
		} else if len(l.defines) > 0 {
			l.defines = l.defines[run:]
		}
		take(run, there)
		l.values -= run
		n -= run
	}
	return nil
}

// runOf returns how many of the first levels are alike, and whether they stand for values.
func runOf(levels []byte, definition byte) (n int, there bool) {
	there = levels[0] == definition
	for n = 1; n < len(levels) && (levels[n] == definition) == there; n++ {
	}
	return n, there
}

// short says of a column that ends before its group does what is wrong.
func short(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// A number is what columns of numbers hold.
type number interface{ int32 | int64 }

func pageNumbers[V number](page parquet.Page) ([]V, error) {
	data := page.Data()
	var numbers any
	switch any(V(0)).(type) {
	case int32:
		if page.Type().Kind() == parquet.Int32 {
			numbers = data.Int32()
		}
	case int64:
		if page.Type().Kind() == parquet.Int64 {
			numbers = data.Int64()
		}
	}
	if n, ok := numbers.([]V); ok {
		return n, nil
	}
	return nil, fmt.Errorf("column %d holds %s", page.Column(), page.Type())
}

// numbers is a column with one number a row, 0 where there is none.
type numbers[V number] struct {
	leaf
	rows  []V
	there []bool // by row
	page  []V    // what is left of it
}

func numbersOf[V number](s *parquet.Schema, name string) *numbers[V] {
	return &numbers[V]{leaf: leafOf(s, name)}
}

func (c *numbers[V]) read(n int) error {
	c.rows, c.there = c.rows[:0], c.there[:0]
	return c.eachRun(n, func(p parquet.Page) (err error) {
		c.page, err = pageNumbers[V](p)
		return err
	}, func(n int, there bool) {
		if there {
			c.rows, c.page = append(c.rows, c.page[:n]...), c.page[n:]
		} else {
			c.rows = append(c.rows, make([]V, n)...)
		}
		for range n {
			c.there = append(c.there, there)
		}
	})
}

// pointer returns the number of a row that may have none.
func (c *numbers[V]) pointer(row int) *V {
	if !c.there[row] {
		return nil
	}
	v := c.rows[row]
	return &v
}

// texts is a column with one text a row, by number; "" where there is none.
type texts struct {
	leaf
	symbols    *symbols
	rows       []uint32
	dictionary []uint32 // the numbers of the group's dictionary
	indexes    []int32  // what is left of a page with a dictionary
	plain      []uint32 // what is left of a page without
}

func textsOf(s *parquet.Schema, known *symbols, name string) *texts {
	return &texts{leaf: leafOf(s, name), symbols: known}
}

func (c *texts) open(group parquet.RowGroup) {
	c.leaf.open(group)
	c.dictionary = c.dictionary[:0]
}

func (c *texts) read(n int) error {
	c.rows = c.rows[:0]
	return c.eachRun(n, c.load, func(n int, there bool) {
		switch {
		case !there:
			c.rows = append(c.rows, make([]uint32, n)...)
		case c.plain != nil:
			c.rows, c.plain = append(c.rows, c.plain[:n]...), c.plain[n:]
		default:
			for _, i := range c.indexes[:n] {
				c.rows = append(c.rows, c.dictionary[i])
			}
			c.indexes = c.indexes[n:]
		}
	})
}

func (c *texts) load(page parquet.Page) error {
	data := page.Data()
	if d := page.Dictionary(); d != nil {
		for i := len(c.dictionary); i < d.Len(); i++ {
			c.dictionary = append(c.dictionary, c.symbols.number(d.Index(int32(i)).ByteArray()))
		}
		c.plain, c.indexes = nil, data.Int32()
		return nil
	}
	if page.Type().Kind() != parquet.ByteArray {
		return fmt.Errorf("column %d holds %s", page.Column(), page.Type())
	}
	text, ends := data.ByteArray()
	c.plain = make([]uint32, 0, len(ends))
	for i := 1; i < len(ends); i++ {
		c.plain = append(c.plain, c.symbols.number(text[ends[i-1]:ends[i]]))
	}
	return nil
}

// text returns the text of a row.
func (c *texts) text(row int) string { return c.symbols.text(c.rows[row]) }

// lists is a column with a list of numbers a row.
type lists[V number] struct {
	leaf
	rows  []span // where each row's numbers are
	items []V
	page  []V // what is left of it
}

// A span is a range of a slice.
type span struct{ from, to uint32 }

func listsOf[V number](s *parquet.Schema, path ...string) *lists[V] {
	return &lists[V]{leaf: leafOf(s, path...)}
}

func (c *lists[V]) read(n int) error {
	c.rows, c.items = c.rows[:0], c.items[:0]
	if c.index < 0 {
		c.rows = append(c.rows, make([]span, n)...)
		return nil
	}
	for {
		if len(c.repeats) == 0 || c.leaf.page == nil {
			err := c.next()
			if errors.Is(err, io.EOF) && len(c.rows) == n {
				return nil
			}
			if err != nil {
				return short(err)
			}
			if c.page, err = pageNumbers[V](c.leaf.page); err != nil {
				return err
			}
			continue
		}
		if c.repeats[0] == 0 && len(c.rows) == n {
			return nil // the next row
		}
		if err := c.takeRow(); err != nil {
			return err
		}
	}
}

// takeRow takes what the page holds of one row: all of it, or what goes on from the page before.
func (c *lists[V]) takeRow() error {
	switch {
	case c.repeats[0] == 0:
		at := uint32(len(c.items))
		c.rows = append(c.rows, span{at, at})
	case len(c.rows) == 0:
		return errors.New("a list begins in the middle")
	}
	n := len(c.repeats)
	if next := bytes.IndexByte(c.repeats[1:], 0); next >= 0 {
		n = 1 + next
	}
	values := n
	if !c.whole {
		values = bytes.Count(c.defines[:n], []byte{c.definition})
	}
	c.items, c.page = append(c.items, c.page[:values]...), c.page[values:]
	c.repeats, c.defines = c.repeats[n:], c.defines[n:]
	c.rows[len(c.rows)-1].to += uint32(values)
	return nil
}

// of returns the numbers of a row.
func (c *lists[V]) of(row int) []V { return c.items[c.rows[row].from:c.rows[row].to] }

// copyOf returns the numbers of a row, nil when there are none. They stay when the next rows are read.
func (c *lists[V]) copyOf(row int) []V { return append([]V(nil), c.of(row)...) }
