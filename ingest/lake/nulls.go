package lake

import (
	"math/bits"
	"reflect"
	"slices"
	"strings"
	"unsafe"
)

// A nullGuard cuts rows into pieces that parquet-go writes as they are. Its v0.32.0 looks at the absent texts of an
// optional column in words of 64 rows, and where in a word the last texts are there from row y to row 2y-1 it takes them
// for the rest of the word: all that is absent behind them in the same call is then written as an empty text, which is
// not the same as nothing. Words begin anew with each call, and with each group of rows.
type nullGuard struct {
	size  uintptr   // of a row
	texts []uintptr // where in a row a word lies that is 0 when an optional text is absent
}

// guardNulls returns the guard of a type of rows.
func guardNulls[T any]() nullGuard {
	t := reflect.TypeFor[T]()
	g := nullGuard{size: t.Size()}
	for f := range t.Fields() {
		if !slices.Contains(strings.Split(f.Tag.Get("parquet"), ","), "optional") {
			continue
		}
		switch {
		case f.Type.Kind() == reflect.String: // absent when it is empty: the length lies behind the pointer
			g.texts = append(g.texts, f.Offset+unsafe.Sizeof(uintptr(0)))
		case f.Type == reflect.TypeFor[[]byte](): // absent when it is nil
			g.texts = append(g.texts, f.Offset)
		}
	}
	return g
}

// safe returns how many of the rows, which begin at first, may be written in one call: one at the least.
func (g *nullGuard) safe(first unsafe.Pointer, rows int) int {
	for word := 0; word < rows; word += 64 {
		if end := g.safeWord(unsafe.Add(first, uintptr(word)*g.size), min(64, rows-word)); end < min(64, rows-word) {
			return word + end
		}
	}
	return rows
}

// safeWord is safe for the rows of one word. A cut leaves less of the word, which may have to be cut again.
func (g *nullGuard) safeWord(first unsafe.Pointer, rows int) int {
	for _, at := range g.texts {
		var present uint64
		for i := range rows {
			if *(*uintptr)(unsafe.Add(first, uintptr(i)*g.size+at)) != 0 {
				present |= 1 << i
			}
		}
		if cut := misread(present); cut > 0 {
			return g.safeWord(first, cut)
		}
	}
	return rows
}

// misread returns the row of a word from which on absent texts would be misread, 0 when none would.
func misread(present uint64) int {
	n := bits.Len64(present) // the last text is in the row before
	y := n / 2
	if y == 0 || n%2 != 0 || n == 64 {
		return 0
	}
	if run := present >> y; run != 1<<y-1 || present&(1<<(y-1)) != 0 {
		return 0
	}
	return y
}
