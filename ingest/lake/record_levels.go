package lake

import "encoding/binary"

// levels are the levels of a column of which each is 0 or 1: whether a value is there, whether it goes on with the list
// before. They are encoded while they come, in runs of what is the same (RLE) and bytes of what is not (bit-packed).
type levels struct {
	done    []byte // encoded runs
	literal []byte // whole bytes that follow them

	bits byte // of the byte under way
	n    int  // how many they are

	level byte // of the run at the end
	run   int
}

// add appends a level n times.
func (l *levels) add(level byte, n int) {
	if level == l.level {
		l.run += n
		return
	}
	l.settle()
	l.level, l.run = level, n
}

// settle encodes the run at the end: what fills the byte under way, and the rest by its length when it is long enough.
func (l *levels) settle() {
	if l.n > 0 {
		l.put(min(l.run, 8-l.n))
	}
	if l.run >= 8 {
		l.settleLiteral()
		l.done = append(binary.AppendUvarint(l.done, uint64(l.run)<<1), l.level)
		l.run = 0
	}
	if l.run > 0 {
		l.put(l.run)
	}
}

// put moves n levels of the run to the byte under way, which has room for them.
func (l *levels) put(n int) {
	if l.level == 1 {
		l.bits |= (1<<n - 1) << l.n
	}
	l.run -= n
	if l.n += n; l.n == 8 {
		l.literal = append(l.literal, l.bits)
		l.bits, l.n = 0, 0
	}
}

func (l *levels) settleLiteral() {
	if len(l.literal) > 0 {
		l.done = append(binary.AppendUvarint(l.done, uint64(len(l.literal))<<1|1), l.literal...)
		l.literal = l.literal[:0]
	}
}

// appendTo appends all levels, encoded, and leaves them as they are.
func (l *levels) appendTo(dst []byte) []byte {
	end := levels{literal: l.literal, bits: l.bits, n: l.n, level: l.level, run: l.run}
	dst = append(dst, l.done...)
	end.done = dst
	end.settle()
	if end.n > 0 {
		end.literal = append(end.literal, end.bits)
	}
	end.settleLiteral()
	return end.done
}

func (l *levels) reset() { *l = levels{done: l.done[:0], literal: l.literal[:0]} }

func (l *levels) bytes() int { return cap(l.done) + cap(l.literal) }
