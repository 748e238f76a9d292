package lake

import (
	"encoding/binary"
	"strings"
	"unsafe"

	"github.com/parquet-go/parquet-go"
)

// A numbersOut is a column of integers, one a row, or one or none.
type numbersOut[V int32 | int64] struct {
	chunk

	there  levels
	values []V
}

func (c *numbersOut[V]) begin(leaf *recordLeaf) { c.leaf = leaf }

func (c *numbersOut[V]) add(v V) { c.values = append(c.values, v) }

func (c *numbersOut[V]) addOptional(v *V) {
	if v == nil {
		c.there.add(0, 1)
		return
	}
	c.there.add(1, 1)
	c.values = append(c.values, *v)
}

func (c *numbersOut[V]) appendTo(g *recordGroup, e *pageEncoder, rows int) error {
	e.setLevels(nil, c.leaf.optional, &c.there)
	var low, high parquet.Value
	var err error
	switch values := any(c.values).(type) {
	case []int32:
		if len(values) > 0 {
			least, most := extremes(values)
			low, high = parquet.Int32Value(least), parquet.Int32Value(most)
		}
		e.values, err = parquet.DeltaBinaryPacked.EncodeInt32(e.values, values)
	case []int64:
		if len(values) > 0 {
			least, most := extremes(values)
			low, high = parquet.Int64Value(least), parquet.Int64Value(most)
		}
		e.values, err = parquet.DeltaBinaryPacked.EncodeInt64(e.values, values)
	}
	if err != nil {
		return err
	}
	whole := c.with(e, pageCount{rows: rows, values: rows, absent: rows - len(c.values)}, low, high)
	return whole.appendTo(g, nil, 0)
}

func (c *numbersOut[V]) reset() {
	c.chunk.reset()
	c.there.reset()
	c.values = c.values[:0]
}

func (c *numbersOut[V]) memory() int {
	return c.chunk.memory() + c.there.bytes() + cap(c.values)*int(unsafe.Sizeof(V(0)))
}

// extremes returns the least and the greatest of some values.
func extremes[V int32 | int64](values []V) (least, most V) {
	least, most = values[0], values[0]
	for _, v := range values {
		least, most = min(least, v), max(most, v)
	}
	return least, most
}

// A textsOut is a column of texts of which few differ, one a row, or one or none: an empty one is none.
type textsOut struct {
	chunk

	there   levels
	numbers []int32 // of the texts that are there
	known   map[string]int32
	plain   []byte // all that are known, as the page of the dictionary holds them

	last       string // which mostly comes again
	lastNumber int32
	least      string
	most       string
}

func (c *textsOut) begin(leaf *recordLeaf) { c.leaf, c.known = leaf, map[string]int32{} }

func (c *textsOut) addOptional(text string) {
	if text == "" {
		c.there.add(0, 1)
		return
	}
	c.there.add(1, 1)
	c.add(text)
}

func (c *textsOut) add(text string) {
	if text != c.last || len(c.numbers) == 0 {
		c.lastNumber = c.number(text)
		c.last = text
	}
	c.numbers = append(c.numbers, c.lastNumber)
}

func (c *textsOut) number(text string) int32 {
	if n, ok := c.known[text]; ok {
		return n
	}
	n := int32(len(c.known))
	text = strings.Clone(text) // it may be a part of a message, which would stay
	c.known[text] = n
	c.plain = append(binary.LittleEndian.AppendUint32(c.plain, uint32(len(text))), text...)
	if n == 0 || text < c.least {
		c.least = text
	}
	if n == 0 || text > c.most {
		c.most = text
	}
	return n
}

func (c *textsOut) appendTo(g *recordGroup, e *pageEncoder, rows int) error {
	e.values = append(e.values[:0], c.plain...)
	dictionary, plainSize, err := e.appendDictionary(nil, len(c.known))
	if err != nil {
		return err
	}
	e.setLevels(nil, c.leaf.optional, &c.there)
	if e.values, err = parquet.RLEDictionary.EncodeInt32(e.values, c.numbers); err != nil {
		return err
	}
	var low, high parquet.Value
	if len(c.numbers) > 0 {
		low, high = parquet.ByteArrayValue([]byte(c.least)), parquet.ByteArrayValue([]byte(c.most))
	}
	whole := c.with(e, pageCount{rows: rows, values: rows, absent: rows - len(c.numbers)}, low, high)
	return whole.appendTo(g, dictionary, plainSize)
}

func (c *textsOut) reset() {
	c.chunk.reset()
	c.there.reset()
	clear(c.known)
	c.numbers, c.plain, c.last, c.least, c.most = c.numbers[:0], c.plain[:0], "", "", ""
}

// textOverheadBytes is what a known text takes beside its bytes, which are held twice.
const textOverheadBytes = 48

func (c *textsOut) memory() int {
	return c.chunk.memory() + c.there.bytes() + 4*cap(c.numbers) + 2*cap(c.plain) + textOverheadBytes*len(c.known)
}

// A listsOut is a column of lists of integers, one a row. A list that is nil is empty.
type listsOut struct {
	chunk

	goesOn levels // whether a value is not the first of its list
	there  levels
	values []int32
	count  pageCount // of the open page
}

func (c *listsOut) begin(leaf *recordLeaf) { c.leaf = leaf }

func (c *listsOut) add(list []int32) {
	c.count.rows++
	c.goesOn.add(0, 1)
	if len(list) == 0 {
		c.there.add(0, 1)
		c.count.values++
		c.count.absent++
		return
	}
	if len(list) > 1 {
		c.goesOn.add(1, len(list)-1)
	}
	c.there.add(1, len(list))
	c.count.values += len(list)
	c.values = append(c.values, list...)
	if len(c.values) >= pageValues {
		e := pageEncoders.Get().(*pageEncoder)
		c.chunk = c.finished(e)
		pageEncoders.Put(e)
		c.resetPage()
	}
}

// finished returns the chunk with what is in the open page.
func (c *listsOut) finished(e *pageEncoder) chunk {
	e.setLevels(&c.goesOn, true, &c.there)
	var low, high parquet.Value
	if len(c.values) > 0 {
		least, most := extremes(c.values)
		low, high = parquet.Int32Value(least), parquet.Int32Value(most)
	}
	var err error
	if e.values, err = parquet.DeltaBinaryPacked.EncodeInt32(e.values, c.values); err != nil && c.err == nil {
		c.err = err
	}
	return c.with(e, c.count, low, high)
}

func (c *listsOut) appendTo(g *recordGroup, e *pageEncoder, _ int) error {
	whole := c.finished(e)
	return whole.appendTo(g, nil, 0)
}

func (c *listsOut) resetPage() {
	c.goesOn.reset()
	c.there.reset()
	c.values, c.count = c.values[:0], pageCount{}
}

func (c *listsOut) reset() {
	c.chunk.reset()
	c.resetPage()
}

func (c *listsOut) memory() int {
	return c.chunk.memory() + c.goesOn.bytes() + c.there.bytes() + 4*cap(c.values)
}

// A bytesOut is a column of bytes, of which nearly every row has none: nil.
type bytesOut struct {
	chunk

	there levels
	data  []byte
	ends  []uint32 // of each in data, after a 0
	count pageCount
	least []byte
	most  []byte
}

func (c *bytesOut) begin(leaf *recordLeaf) {
	c.leaf = leaf
	c.resetPage()
}

func (c *bytesOut) add(data []byte) {
	c.count.rows++
	c.count.values++
	if data == nil {
		c.there.add(0, 1)
		c.count.absent++
		return
	}
	c.there.add(1, 1)
	from := len(c.data)
	c.data = append(c.data, data...)
	c.ends = append(c.ends, uint32(len(c.data)))
	c.count.rawBytes += len(data)
	kept := c.data[from:len(c.data):len(c.data)]
	if len(c.ends) == 2 || string(data) < string(c.least) {
		c.least = kept
	}
	if len(c.ends) == 2 || string(data) > string(c.most) {
		c.most = kept
	}
	if len(c.data) >= pageBytes {
		e := pageEncoders.Get().(*pageEncoder)
		c.chunk = c.finished(e)
		pageEncoders.Put(e)
		c.resetPage()
	}
}

func (c *bytesOut) finished(e *pageEncoder) chunk {
	e.setLevels(nil, true, &c.there)
	var low, high parquet.Value
	if len(c.ends) > 1 {
		low, high = parquet.ByteArrayValue([]byte(string(c.least))), parquet.ByteArrayValue([]byte(string(c.most)))
	}
	var err error
	if e.values, err = parquet.DeltaLengthByteArray.EncodeByteArray(e.values, c.data, c.ends); err != nil && c.err == nil {
		c.err = err
	}
	return c.with(e, c.count, low, high)
}

func (c *bytesOut) appendTo(g *recordGroup, e *pageEncoder, _ int) error {
	whole := c.finished(e)
	return whole.appendTo(g, nil, 0)
}

func (c *bytesOut) resetPage() {
	c.there.reset()
	c.data, c.ends, c.count, c.least, c.most = c.data[:0], append(c.ends[:0], 0), pageCount{}, nil, nil
}

func (c *bytesOut) reset() {
	c.chunk.reset()
	c.resetPage()
}

func (c *bytesOut) memory() int {
	return c.chunk.memory() + c.there.bytes() + cap(c.data) + 4*cap(c.ends)
}
