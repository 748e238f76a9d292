package rows

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// A Cursor steps through the rows of a reader, over its batches.
type Cursor struct {
	Row int // in the batch whose columns are bound

	reader array.RecordReader
	open   func(batch arrow.RecordBatch) error
	n      int // rows of the batch
	err    error
}

// NewCursor returns a cursor before the first row. Open is called with each batch, to bind its columns.
func NewCursor(reader array.RecordReader, open func(batch arrow.RecordBatch) error) *Cursor {
	return &Cursor{Row: -1, reader: reader, open: open}
}

// Next goes to the next row, and reports whether there is one.
func (c *Cursor) Next() bool {
	c.Row++
	for c.err == nil && c.Row >= c.n {
		if !c.reader.Next() {
			c.err = c.reader.Err()
			return false
		}
		batch := c.reader.RecordBatch()
		c.Row, c.n = 0, int(batch.NumRows())
		c.err = c.open(batch)
	}
	return c.err == nil
}

// NextGroup goes over the next rows on end that are one thing, and reports whether there are any: begin is called at the first
// of them, add at each, and isSame at the others and at the first that is not.
func (c *Cursor) NextGroup(begin func(), isSame func() bool, add func()) bool {
	if !c.Next() {
		return false
	}
	begin()
	for add(); c.Next(); add() {
		if !isSame() {
			c.Back()
			break
		}
	}
	return true
}

// Back takes the last step back: the row is that of the next one again.
func (c *Cursor) Back() { c.Row-- }

// Err returns what ended the rows before their end.
func (c *Cursor) Err() error { return c.err }
