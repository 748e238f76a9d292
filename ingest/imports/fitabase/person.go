package fitabase

import (
	"cmp"
	"slices"
)

const secondsPerDay = 86400

// A person is everything the export tells of one.
type person struct {
	id        string
	columns   [columnCount]column
	summaries []summary
	readings  []reading
}

// A summary is a figure of a date.
type summary struct {
	date   int32 // days since 1970-01-01
	metric string
	value  int32
}

// A reading is a weighing, or the fat that came with it.
type reading struct {
	at       int64 // seconds since 1970-01-01 UTC
	metric   string
	value    int32
	isManual bool
}

func newPerson(id string) *person { return &person{id: id} }

// sortItems puts what was told in any order into the order of time and drops what was told twice. It returns how many
// were told again alike, and how many otherwise: there the later row counts, as it does among samples.
func (p *person) sortItems() (repeated, contradicted int64) {
	slices.SortStableFunc(p.summaries, func(a, b summary) int {
		return cmp.Or(cmp.Compare(a.date, b.date), cmp.Compare(a.metric, b.metric))
	})
	slices.SortStableFunc(p.readings, func(a, b reading) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.metric, b.metric), compareBool(a.isManual, b.isManual))
	})
	var r1, c1, r2, c2 int64
	p.summaries, r1, c1 = lastOfEach(p.summaries,
		func(a, b summary) bool { return a.date == b.date && a.metric == b.metric },
		func(a, b summary) bool { return a.value == b.value })
	p.readings, r2, c2 = lastOfEach(p.readings,
		func(a, b reading) bool { return a.at == b.at && a.metric == b.metric && a.isManual == b.isManual },
		func(a, b reading) bool { return a.value == b.value })
	return r1 + r2, c1 + c2
}

func lastOfEach[T any](sorted []T, sameKey, sameValue func(a, b T) bool) (kept []T, repeated, contradicted int64) {
	kept = sorted[:0]
	for _, x := range sorted {
		if n := len(kept); n > 0 && sameKey(kept[n-1], x) {
			if sameValue(kept[n-1], x) {
				repeated++
			} else {
				contradicted++
			}
			kept[n-1] = x
			continue
		}
		kept = append(kept, x)
	}
	return kept, repeated, contradicted
}

// A column is the samples of one series, told in any order.
type column struct {
	at     []int64 // seconds since 1970-01-01 UTC
	values []int32
	file   string // that told the last of them
}

func (c *column) add(file string, at int64, value int32) {
	c.at, c.values, c.file = append(c.at, at), append(c.values, value), file
}

// sort puts the samples into the order of time, each moment once. It returns how many were told again alike, and how
// many otherwise: there the later row counts.
func (c *column) sort() (repeated, contradicted int64) {
	if !slices.IsSorted(c.at) {
		c.reorder()
	}
	kept := 0
	for i := range c.at {
		if kept > 0 && c.at[kept-1] == c.at[i] {
			if c.values[kept-1] == c.values[i] {
				repeated++
			} else {
				contradicted++
			}
			c.values[kept-1] = c.values[i]
			continue
		}
		c.at[kept], c.values[kept] = c.at[i], c.values[i]
		kept++
	}
	c.at, c.values = c.at[:kept], c.values[:kept]
	return repeated, contradicted
}

func (c *column) reorder() {
	order := make([]int32, len(c.at))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(c.at[a], c.at[b]), cmp.Compare(a, b))
	})
	at, values := make([]int64, len(order)), make([]int32, len(order))
	for i, from := range order {
		at[i], values[i] = c.at[from], c.values[from]
	}
	c.at, c.values = at, values
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}
