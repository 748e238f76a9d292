package rows

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// A Column gathers a column of the batch under way.
type Column interface {
	field() arrow.Field
	rows() int
	// size is how many values it holds.
	size() int
	// take returns what was gathered, and begins anew.
	take() arrow.Array
}

// Columns are the columns of a batch.
type Columns struct {
	schema  *arrow.Schema
	columns []Column
}

// NewColumns returns a batch of the columns.
func NewColumns(columns ...Column) *Columns {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = c.field()
	}
	return &Columns{schema: arrow.NewSchema(fields, nil), columns: columns}
}

// Schema returns the names and types of the columns.
func (c *Columns) Schema() *arrow.Schema { return c.schema }

// Rows returns how many rows were added.
func (c *Columns) Rows() int { return c.columns[0].rows() }

// Size returns how many values the largest column holds.
func (c *Columns) Size() (size int) {
	for _, column := range c.columns {
		size = max(size, column.size())
	}
	return size
}

// Take returns what was gathered, and begins anew.
func (c *Columns) Take() arrow.RecordBatch {
	n, arrays := c.Rows(), make([]arrow.Array, len(c.columns))
	for i, column := range c.columns {
		arrays[i] = column.take()
		defer arrays[i].Release()
	}
	return array.NewRecordBatch(c.schema, arrays, int64(n))
}

// Release does nothing: what the columns hold is Go's.
func (c *Columns) Release() {}

// A Builder is a batch of Arrow's own builders; N counts its rows.
type Builder struct {
	*array.RecordBuilder

	N int
}

// NewBuilder returns a batch of the fields.
func NewBuilder(fields ...arrow.Field) *Builder {
	return &Builder{RecordBuilder: array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))}
}

// Rows returns how many rows were added.
func (b *Builder) Rows() int { return b.N }

// Size returns the same: such batches have no long lists.
func (b *Builder) Size() int { return b.N }

// Take returns what was gathered, and begins anew.
func (b *Builder) Take() arrow.RecordBatch {
	b.N = 0
	return b.NewRecordBatch()
}

// Numbers is a column of numbers, or of dates. While none is there it takes no memory: most people's devices measure half
// of what a minute can have.
type Numbers[V int32 | int64 | float64] struct {
	name   string
	typ    arrow.DataType
	values []V    // may end before the rows do: what is missing was skipped
	there  []byte // a bit a row
	n      int
	absent int

	nothing []byte // of a batch in which none is there
}

// Int32s is a column of 32-bit integers.
func Int32s(name string) *Numbers[int32] {
	return &Numbers[int32]{name: name, typ: arrow.PrimitiveTypes.Int32}
}

// Int64s is a column of 64-bit integers.
func Int64s(name string) *Numbers[int64] {
	return &Numbers[int64]{name: name, typ: arrow.PrimitiveTypes.Int64}
}

// Float64s is a column of doubles.
func Float64s(name string) *Numbers[float64] {
	return &Numbers[float64]{name: name, typ: arrow.PrimitiveTypes.Float64}
}

// Instants is a column of moments, as microseconds since 1970 UTC.
func Instants(name string) *Numbers[int64] {
	return &Numbers[int64]{name: name, typ: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}}
}

// Dates is a column of dates, as days since 1970.
func Dates(name string) *Numbers[int32] {
	return &Numbers[int32]{name: name, typ: arrow.FixedWidthTypes.Date32}
}

func (c *Numbers[V]) field() arrow.Field {
	return arrow.Field{Name: c.name, Type: c.typ, Nullable: true}
}
func (c *Numbers[V]) rows() int { return c.n }
func (c *Numbers[V]) size() int { return c.n }

// Add adds a row.
func (c *Numbers[V]) Add(v V) {
	if len(c.values) < c.n {
		c.fill()
	}
	if c.n>>3 >= len(c.there) {
		c.there = append(c.there, 0)
	}
	c.values = append(c.values, v)
	c.there[c.n>>3] |= 1 << (c.n & 7)
	c.n++
}

// AddIf adds a row, without a value unless there is one.
func (c *Numbers[V]) AddIf(there bool, v V) {
	if there {
		c.Add(v)
	} else {
		c.Skip(1)
	}
}

// Skip adds n rows without a value.
func (c *Numbers[V]) Skip(n int) {
	c.n += n
	c.absent += n
}

// fill makes room for the rows that were skipped.
func (c *Numbers[V]) fill() {
	c.values = append(c.values, make([]V, c.n-len(c.values))...)
	c.there = append(c.there, make([]byte, (c.n+7)>>3-len(c.there))...)
}

func (c *Numbers[V]) take() arrow.Array {
	var values, there []byte
	if c.absent == c.n {
		if n := c.n * 8; len(c.nothing) < n {
			c.nothing = make([]byte, n)
		}
		values, there = c.nothing, c.nothing
	} else {
		c.fill()
		values, there = arrow.GetBytes(c.values), c.there
		c.values, c.there = make([]V, 0, cap(c.values)), make([]byte, 0, cap(c.there)) // the old ones are the array's
	}
	data := array.NewData(c.typ, c.n, []*memory.Buffer{memory.NewBufferBytes(there), memory.NewBufferBytes(values)}, nil, c.absent, 0)
	defer data.Release()
	c.n, c.absent = 0, 0
	return array.MakeFromData(data)
}

// Texts is a column of texts of which the same ones come on end: a batch holds each run's once.
type Texts struct {
	name    string
	places  *Numbers[int32]
	known   *array.StringBuilder
	n       int32
	current string
}

// Strings is a column of texts.
func Strings(name string) *Texts {
	return &Texts{name: name, places: Int32s(""), known: array.NewStringBuilder(memory.DefaultAllocator)}
}

var textsType = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

func (c *Texts) field() arrow.Field {
	return arrow.Field{Name: c.name, Type: textsType, Nullable: true}
}
func (c *Texts) rows() int { return c.places.n }
func (c *Texts) size() int { return c.places.n }

// Add adds n rows of the text.
func (c *Texts) Add(text string, n int) {
	if n > 0 && (c.n == 0 || text != c.current) {
		c.known.Append(text)
		c.current = strings.Clone(text) // it may lie in a batch that goes before the next text comes
		c.n++
	}
	for range n {
		c.places.Add(c.n - 1)
	}
}

// AddIf adds a row, without a text unless there is one.
func (c *Texts) AddIf(there bool, text string) {
	if there {
		c.Add(text, 1)
	} else {
		c.places.Skip(1)
	}
}

func (c *Texts) take() arrow.Array {
	places, known := c.places.take(), c.known.NewArray()
	defer places.Release()
	defer known.Release()
	c.n = 0
	return array.NewDictionaryArray(textsType, places, known)
}

// IntLists is a column of lists of 32-bit integers, none of which is null.
type IntLists struct {
	name   string
	values []int32
	ends   *Numbers[int32] // of the lists among the values
}

// Int32Lists is a column of lists of 32-bit integers.
func Int32Lists(name string) *IntLists { return &IntLists{name: name, ends: Int32s("")} }

var listsType = arrow.ListOf(arrow.PrimitiveTypes.Int32)

func (c *IntLists) field() arrow.Field {
	return arrow.Field{Name: c.name, Type: listsType, Nullable: true}
}
func (c *IntLists) rows() int { return c.ends.n }
func (c *IntLists) size() int { return max(len(c.values), c.ends.n) }

// Append adds values to the list of the row under way.
func (c *IntLists) Append(values ...int32) { c.values = append(c.values, values...) }

// Extend adds n values to the list of the row under way, and returns them to be set.
func (c *IntLists) Extend(n int) []int32 {
	c.values = slices.Grow(c.values, n)[:len(c.values)+n]
	return c.values[len(c.values)-n:]
}

// End ends the row: its list is what was appended since the last.
func (c *IntLists) End() { c.ends.Add(int32(len(c.values))) }

// AddIf adds a row with a list of some values, or without one when there is none.
func (c *IntLists) AddIf(values []int32) {
	if len(values) == 0 {
		c.Skip()
		return
	}
	c.Append(values...)
	c.End()
}

// Skip ends the row without a list. Nothing may have been appended.
func (c *IntLists) Skip() { c.ends.Skip(1) }

func (c *IntLists) take() arrow.Array {
	n, absent := c.ends.n, c.ends.absent
	c.ends.fill()
	offsets := make([]int32, 1, n+1)
	for i, end := range c.ends.values {
		if c.ends.there[i>>3]>>(i&7)&1 == 0 {
			end = offsets[i] // no list is one without values
		}
		offsets = append(offsets, end)
	}
	there := memory.NewBufferBytes(c.ends.there)
	values := array.NewData(arrow.PrimitiveTypes.Int32, len(c.values),
		[]*memory.Buffer{nil, memory.NewBufferBytes(arrow.GetBytes(c.values))}, nil, 0, 0)
	defer values.Release()
	data := array.NewData(listsType, n, []*memory.Buffer{there, memory.NewBufferBytes(arrow.GetBytes(offsets))},
		[]arrow.ArrayData{values}, absent, 0)
	defer data.Release()
	c.values = make([]int32, 0, cap(c.values)) // the old ones are the array's
	c.ends = Int32s("")
	return array.MakeFromData(data)
}
