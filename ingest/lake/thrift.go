package lake

import (
	"encoding/binary"
	"errors"
	"slices"
)

// The kinds of values of thrift's compact protocol, in which footers are written.
const (
	thriftStop   = 0
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

// maxThriftDepth is more than any footer needs, and keeps a damaged one from filling the stack.
const maxThriftDepth = 32

var errThrift = errors.New("a footer ends before all that it announces, or has what no footer has")

// A thriftCopier reads structures and writes them as they are, bit for bit and whether it knows their fields or not, but
// for what its caller puts in their place. The libraries read footers into their own structures and write those: what a
// structure has no room for is lost, and what it cannot leave out is made up.
type thriftCopier struct {
	in, out []byte
	depth   int
	err     error
}

// structure copies a structure. It calls field at the value of each of its fields; that takes the value, or leaves it.
func (c *thriftCopier) structure(field func(id int64, kind byte) (taken bool)) {
	if c.depth++; c.depth > maxThriftDepth {
		c.fail()
	}
	defer func() { c.depth-- }()
	id := int64(0)
	for c.err == nil {
		head := c.byte()
		kind := head & 0x0f
		if kind == thriftStop {
			return
		}
		if delta := head >> 4; delta > 0 {
			id += int64(delta)
		} else {
			id = c.integer(nil)
		}
		if c.err == nil && !field(id, kind) {
			c.value(kind)
		}
	}
}

// value copies the value of a field.
func (c *thriftCopier) value(kind byte) {
	switch kind {
	case thriftTrue, thriftFalse: // the kind is the value
	case thriftByte:
		c.bytes(1)
	case thriftI16, thriftI32, thriftI64:
		c.integer(nil)
	case thriftDouble:
		c.bytes(8)
	case thriftBinary:
		c.text()
	case thriftList, thriftSet:
		c.list(c.element)
	case thriftMap:
		c.mapping()
	case thriftStruct:
		c.structure(func(int64, byte) bool { return false })
	default:
		c.fail()
	}
}

// element copies a value that stands in a list, where a truth takes a byte.
func (c *thriftCopier) element(kind byte) {
	if kind == thriftTrue || kind == thriftFalse {
		kind = thriftByte
	}
	c.value(kind)
}

// list copies a list and calls each at every element, which it has to take.
func (c *thriftCopier) list(each func(kind byte)) {
	head := c.byte()
	n, kind := uint64(head>>4), head&0x0f
	if n == 15 {
		n = c.unsigned()
	}
	for ; n > 0 && c.err == nil; n-- {
		if len(c.in) == 0 { // an element takes a byte at least
			c.fail()
			return
		}
		each(kind)
	}
}

// listOf copies a list of elements that are of a kind.
func (c *thriftCopier) listOf(want byte, each func()) {
	c.list(func(kind byte) {
		if kind != want {
			c.fail()
			return
		}
		each()
	})
}

// replaceList writes a list of structures in the place of another one.
func (c *thriftCopier) replaceList(with [][]byte) {
	before := len(c.out)
	c.value(thriftList)
	c.out = c.out[:before]
	if n := len(with); n < 15 {
		c.out = append(c.out, byte(n)<<4|thriftStruct)
	} else {
		c.out = binary.AppendUvarint(append(c.out, 15<<4|thriftStruct), uint64(n))
	}
	c.out = append(c.out, slices.Concat(with...)...)
}

func (c *thriftCopier) mapping() {
	n := c.unsigned()
	if n == 0 || c.err != nil {
		return
	}
	kinds := c.byte()
	for i := uint64(0); i < n && c.err == nil; i++ {
		c.element(kinds >> 4)
		c.element(kinds & 0x0f)
	}
}

// integer copies a whole number, or writes what edit makes of it, and returns what it was.
func (c *thriftCopier) integer(edit func(int64) int64) int64 {
	v, n := binary.Varint(c.in) // the protocol's numbers zigzag as this package's do
	if n <= 0 {
		c.fail()
		return 0
	}
	c.in = c.in[n:]
	written := v
	if edit != nil {
		written = edit(v)
	}
	c.out = binary.AppendVarint(c.out, written)
	return v
}

func isThriftInteger(kind byte) bool {
	return kind == thriftI16 || kind == thriftI32 || kind == thriftI64
}

func (c *thriftCopier) unsigned() uint64 {
	v, n := binary.Uvarint(c.in)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.bytes(uint64(n))
	return v
}

func (c *thriftCopier) text() []byte { return c.bytes(c.unsigned()) }

func (c *thriftCopier) byte() byte {
	if b := c.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// bytes copies so many bytes and returns them.
func (c *thriftCopier) bytes(n uint64) []byte {
	if n > uint64(len(c.in)) {
		c.fail()
		return nil
	}
	b := c.in[:n:n]
	c.in = c.in[n:]
	c.out = append(c.out, b...)
	return b
}

func (c *thriftCopier) fail() {
	c.err = errThrift
	c.in = nil
}
