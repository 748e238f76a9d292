package lake

import (
	"cmp"
	"slices"
)

// symbols numbers the few texts that stand in many rows: people, devices, metrics, sources. A row by numbers holds no
// pointers, so the garbage collector does not look at it, and equal texts are equal numbers. Number 0 is "".
type symbols struct {
	texts   []string
	numbers map[string]uint32
}

func newSymbols() *symbols {
	return &symbols{texts: []string{""}, numbers: map[string]uint32{"": 0}}
}

// number returns the number of a text, which may be changed afterwards.
func (s *symbols) number(text []byte) uint32 {
	if n, ok := s.numbers[string(text)]; ok {
		return n
	}
	return s.add(string(text))
}

// numberOf is number for a string.
func (s *symbols) numberOf(text string) uint32 {
	if n, ok := s.numbers[text]; ok {
		return n
	}
	return s.add(text)
}

func (s *symbols) add(text string) uint32 {
	n := uint32(len(s.texts))
	s.texts = append(s.texts, text)
	s.numbers[text] = n
	return n
}

// text returns the text of a number.
func (s *symbols) text(n uint32) string { return s.texts[n] }

// compare orders two numbers as their texts.
func (s *symbols) compare(a, b uint32) int {
	if a == b {
		return 0
	}
	return cmp.Compare(s.texts[a], s.texts[b])
}

// ranks returns the place of each number in the order of the texts.
func (s *symbols) ranks() []uint32 {
	order := make([]uint32, len(s.texts))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortFunc(order, s.compare)
	ranks := make([]uint32, len(order))
	for rank, n := range order {
		ranks[n] = uint32(rank)
	}
	return ranks
}
