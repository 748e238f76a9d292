package syncv1

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/diurna-health/diurna/schemas"
)

// A jsonReader reads one JSON text strictly: no unknown or repeated field, no value of another type, nothing after the
// end. It knows where it is, so that an error can name the field. The first error sticks and every later call returns
// at once.
type jsonReader struct {
	data    []byte
	pos     int
	path    []step
	err     *DecodeError
	items   int
	samples int
	numbers *slab
}

// A step leads from a value to one within it.
type step struct {
	name  string
	index int // of an element of the field's array; -1 = the field itself
}

// A shape lists the fields an object may have, the mandatory ones first.
type shape struct {
	fields    []string
	mandatory int
}

func (r *jsonReader) fail(reason schemas.RejectReason, problem string) {
	if r.err != nil {
		return
	}
	var path strings.Builder
	for i, s := range r.path {
		if i > 0 {
			path.WriteByte('.')
		}
		path.WriteString(s.name)
		if s.index >= 0 {
			fmt.Fprintf(&path, "[%d]", s.index)
		}
	}
	if path.Len() == 0 {
		path.WriteString("the message")
	}
	r.err = refuse(reason, "%s %s", path.String(), problem)
	r.pos = len(r.data)
}

func (r *jsonReader) malformed(problem string) { r.fail(schemas.RejectDecode, problem) }

// peek returns the next byte that is not white space, 0 at the end.
func (r *jsonReader) peek() byte {
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; c {
		case ' ', '\t', '\r', '\n':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it is next.
func (r *jsonReader) take(c byte) bool {
	if r.peek() != c || r.pos == len(r.data) {
		return false
	}
	r.pos++
	return true
}

func (r *jsonReader) end() {
	if r.err == nil && (r.peek() != 0 || r.pos < len(r.data)) {
		r.malformed("is followed by something else")
	}
}

// object reads an object of the shape; read is called with the index of each field that is there and must read its
// value.
func (r *jsonReader) object(of shape, read func(field int)) {
	if !r.take('{') {
		r.malformed("is not an object")
		return
	}
	var seen uint32
	for first := true; r.err == nil && !r.take('}'); first = false {
		if !first && !r.take(',') {
			r.malformed("is not well-formed JSON")
			return
		}
		key := r.text()
		if r.err != nil {
			return
		}
		field := indexOf(of.fields, key)
		if field < 0 {
			r.path = append(r.path, step{speakable(key), -1})
			r.malformed("is not a field of a sync batch")
			return
		}
		r.path = append(r.path, step{of.fields[field], -1})
		if seen&(1<<field) != 0 {
			r.malformed("is there twice")
			return
		}
		seen |= 1 << field
		if !r.take(':') {
			r.malformed("is not well-formed JSON")
			return
		}
		read(field)
		r.path = r.path[:len(r.path)-1]
	}
	for field := range of.mandatory {
		if r.err == nil && seen&(1<<field) == 0 {
			r.path = append(r.path, step{of.fields[field], -1})
			r.fail(schemas.RejectMissingKey, "is missing")
		}
	}
}

// indexOf is a plain search: the lists are short, and a comparison of lengths settles most.
func indexOf(fields []string, key []byte) int {
	for i, f := range fields {
		if f == string(key) {
			return i
		}
	}
	return -1
}

// speakable returns the field name if it can be one of ours; anything else may carry what no log should hold.
func speakable(key []byte) string {
	const longest = 32
	if len(key) == 0 || len(key) > longest {
		return "a field"
	}
	for _, c := range key {
		if c != '_' && (c < 'a' || c > 'z') {
			return "a field"
		}
	}
	return string(key)
}

// array reads an array of objects, counting each against the batch's limit.
func (r *jsonReader) array(each func()) {
	if !r.take('[') {
		r.malformed("is not an array")
		return
	}
	at := len(r.path) - 1
	for i := 0; r.err == nil && !r.take(']'); i++ {
		if i > 0 && !r.take(',') {
			r.malformed("is not well-formed JSON")
			return
		}
		r.path[at].index = i
		if r.items++; r.items > MaxItems {
			r.err = checkCounts(r.items, 0)
			return
		}
		each()
	}
}

// integers reads an array of whole numbers between least and most. With holes, null is a missing one: positions is nil
// while nothing is missing, else it has the place in the array of each number that is there.
func (r *jsonReader) integers(least, most int64, holes bool) (values, positions []int32) {
	if !r.take('[') {
		r.malformed("is not an array")
		return nil, nil
	}
	at := len(r.path) - 1
	if room := r.elements(); room > 0 {
		values = r.numbers.list(room)
	}
	for i := 0; r.err == nil && !r.take(']'); i++ {
		if i > 0 && !r.take(',') {
			r.malformed("is not well-formed JSON")
			return nil, nil
		}
		before := len(values)
		values = r.plainIntegers(values, least, most)
		for range values[before:] {
			if positions != nil {
				positions = append(positions, int32(i))
			}
			i++
		}
		r.path[at].index = i
		if holes && r.peek() == 'n' {
			if positions == nil {
				positions = countUp(r.numbers.list(max(len(values), cap(values))), len(values))
			}
			r.literal("null")
			continue
		}
		v := int32(r.integer(least, most))
		values = append(values, v)
		if positions != nil {
			positions = append(positions, int32(i))
		}
	}
	r.path[at].index = -1
	if len(values) == 0 {
		values = nil
	}
	return values, positions
}

// plainIntegers reads numbers as long as each is plain: without white space, at once followed by a comma. It reads what
// senders write nearly always, and leaves to integer what is otherwise, or wrong.
func (r *jsonReader) plainIntegers(values []int32, least, most int64) []int32 {
	data, pos := r.data, r.pos
	for {
		start := pos
		if start < len(data) && data[start] == '-' {
			start++
		}
		v, end := int64(0), start
		for end < len(data) && isDigit(data[end]) && end-start < 10 {
			v = v*10 + int64(data[end]-'0')
			end++
		}
		if end == start || end == len(data) || data[end] != ',' || data[start] == '0' && end-start > 1 {
			break
		}
		if start > pos {
			v = -v
		}
		if v < least || v > most {
			break
		}
		values = append(values, int32(v))
		pos = end + 1
	}
	r.pos = pos
	return values
}

// elements guesses how many elements the array has that starts here. It never guesses more than there are bytes left.
func (r *jsonReader) elements() int {
	rest := r.data[r.pos:]
	end := bytes.IndexByte(rest, ']')
	if end <= 0 {
		return 0
	}
	return min(bytes.Count(rest[:end], []byte{','})+1, MaxSamples)
}

func countUp(positions []int32, n int) []int32 {
	for i := range n {
		positions = append(positions, int32(i))
	}
	return positions
}

// integer reads a whole number. A fraction or an exponent is refused even where its value is whole: the sender
// computed in floats, and the next value would not be.
func (r *jsonReader) integer(least, most int64) int64 {
	c := r.peek()
	data, i := r.data, r.pos
	negative := c == '-'
	if negative {
		i++
	}
	start := i
	var v uint64
	for ; i < len(data) && isDigit(data[i]); i++ {
		if i-start >= 19 { // 19 digits fit 64 bits
			r.malformed("is out of range")
			return 0
		}
		v = v*10 + uint64(data[i]-'0')
	}
	switch {
	case i == start || (data[start] == '0' && i > start+1):
		r.malformed("is not a whole number")
		return 0
	case i < len(data) && (data[i] == '.' || data[i] == 'e' || data[i] == 'E'):
		r.malformed("is not a whole number")
		return 0
	case v > math.MaxInt64:
		r.malformed("is out of range")
		return 0
	}
	n := int64(v)
	if negative {
		n = -n
	}
	if n < least || n > most {
		r.malformed("is out of range")
		return 0
	}
	r.pos = i
	return n
}

func (r *jsonReader) literal(word string) bool {
	r.peek()
	if !bytes.HasPrefix(r.data[r.pos:], []byte(word)) {
		return false
	}
	r.pos += len(word)
	return true
}

func (r *jsonReader) boolean() bool {
	if r.literal("true") {
		return true
	}
	if !r.literal("false") {
		r.malformed("is neither true nor false")
	}
	return false
}

func (r *jsonReader) string() string { return string(r.text()) }

// text reads a string. What it returns is a part of data, or a copy where there are escapes.
func (r *jsonReader) text() []byte {
	if !r.take('"') {
		r.malformed("is not a string")
		return nil
	}
	rest := r.data[r.pos:]
	for i, c := range rest {
		switch {
		case c == '"':
			r.pos += i + 1
			if !utf8.Valid(rest[:i]) {
				r.malformed("is not UTF-8")
				return nil
			}
			return rest[:i]
		case c == '\\':
			return r.escapedText()
		case c < ' ':
			r.malformed("is not well-formed JSON")
			return nil
		}
	}
	r.malformed("is not well-formed JSON")
	return nil
}

func (r *jsonReader) escapedText() []byte {
	var text []byte
	for r.pos < len(r.data) {
		c := r.data[r.pos]
		r.pos++
		switch {
		case c == '"':
			if !utf8.Valid(text) {
				r.malformed("is not UTF-8")
				return nil
			}
			return text
		case c < ' ':
			r.malformed("is not well-formed JSON")
			return nil
		case c != '\\':
			text = append(text, c)
		default:
			var ok bool
			if text, ok = r.escape(text); !ok {
				r.malformed("has a wrong escape")
				return nil
			}
		}
	}
	r.malformed("is not well-formed JSON")
	return nil
}

func (r *jsonReader) escape(text []byte) ([]byte, bool) {
	if r.pos == len(r.data) {
		return text, false
	}
	c := r.data[r.pos]
	r.pos++
	if c == 'u' {
		unit, ok := r.hex4()
		if !ok {
			return text, false
		}
		if !utf16.IsSurrogate(unit) {
			return utf8.AppendRune(text, unit), true
		}
		if !bytes.HasPrefix(r.data[r.pos:], []byte(`\u`)) {
			return text, false
		}
		r.pos += len(`\u`)
		low, ok := r.hex4()
		whole := utf16.DecodeRune(unit, low)
		return utf8.AppendRune(text, whole), ok && whole != utf8.RuneError
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if i < 0 {
		return text, false
	}
	return append(text, "\"\\/\b\f\n\r\t"[i]), true
}

func (r *jsonReader) hex4() (rune, bool) {
	if len(r.data)-r.pos < 4 {
		return 0, false
	}
	var v rune
	for _, c := range r.data[r.pos : r.pos+4] {
		v <<= 4
		switch {
		case isDigit(c):
			v |= rune(c - '0')
		case c >= 'a' && c <= 'f':
			v |= rune(c-'a') + 10
		case c >= 'A' && c <= 'F':
			v |= rune(c-'A') + 10
		default:
			return 0, false
		}
	}
	r.pos += 4
	return v, true
}

func (r *jsonReader) instant() (ms int64, offsetMin int32) {
	text := r.text()
	if r.err != nil {
		return 0, 0
	}
	ms, offsetMin, problem := parseInstant(text)
	switch problem {
	case "":
	case missingOffset:
		r.fail(schemas.RejectMissingKey, problem)
	default:
		r.malformed(problem)
	}
	return ms, offsetMin
}

func (r *jsonReader) offset() int32 {
	text := r.text()
	if r.err != nil {
		return 0
	}
	offsetMin, problem := parseOffset(text)
	switch problem {
	case "":
	case missingOffset:
		r.fail(schemas.RejectMissingKey, problem)
	default:
		r.malformed("is neither Z nor an offset such as +01:00")
	}
	return offsetMin
}

func (r *jsonReader) date() int32 {
	text := r.text()
	if r.err != nil {
		return 0
	}
	d, ok := parseDate(text)
	if !ok {
		r.malformed("is not a date such as 2026-03-01")
	}
	return int32(d)
}
