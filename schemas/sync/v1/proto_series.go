package syncv1

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/diurna-health/diurna/schemas/sync/v1/syncpb"
)

// A protoSeries is a Series message as it stands on the wire, its differences added up.
type protoSeries struct {
	metric    string
	startMS   int64
	offsetMin *int32
	periodMS  uint32
	values    []int32
	runs      []uint32
	gapsMS    []uint32
}

// Field numbers of the message Series.
const (
	seriesMetric    protowire.Number = 1
	seriesStart     protowire.Number = 2
	seriesUTCOffset protowire.Number = 3
	seriesPeriod    protowire.Number = 4
	seriesDeltas    protowire.Number = 5
	seriesRuns      protowire.Number = 6
	seriesGaps      protowire.Number = 7
)

// splitSeries takes the series out of a batch: what is left is small, and the library reads it.
func splitSeries(data []byte) (series [][]byte, rest []byte, ok bool) {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 || number > protowire.MaxValidNumber {
			return nil, nil, false
		}
		size := protowire.ConsumeFieldValue(number, kind, data[n:])
		if size < 0 {
			return nil, nil, false
		}
		if number == fieldSeries && kind == protowire.BytesType {
			message, _ := protowire.ConsumeBytes(data[n:])
			series = append(series, message)
		} else {
			rest = append(rest, data[:n+size]...)
		}
		data = data[n+size:]
	}
	return series, rest, true
}

// readSeries reads one message as the library would: the last of a field that is not repeated counts, a list may come in
// several parts, packed or not, and what it does not know is skipped.
func readSeries(data []byte, numbers *slab) (s protoSeries, ok bool) {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 || number > protowire.MaxValidNumber {
			return s, false
		}
		data = data[n:]
		size := protowire.ConsumeFieldValue(number, kind, data)
		if size < 0 {
			return s, false
		}
		switch kind { //nolint:exhaustive // the other kinds carry nothing that is known here
		case protowire.VarintType:
			v, _ := protowire.ConsumeVarint(data)
			s.setNumber(number, v)
		case protowire.BytesType:
			bytes, _ := protowire.ConsumeBytes(data)
			if !s.setBytes(number, bytes, numbers) {
				return s, false
			}
		}
		data = data[size:]
	}
	return s, true
}

func (s *protoSeries) setNumber(number protowire.Number, v uint64) {
	switch number {
	case seriesStart:
		s.startMS = int64(v)
	case seriesUTCOffset:
		s.offsetMin = new(zigZag(v))
	case seriesPeriod:
		s.periodMS = uint32(v)
	case seriesDeltas:
		s.values = append(s.values, lastOf(s.values)+zigZag(v))
	case seriesRuns:
		s.runs = append(s.runs, uint32(v))
	case seriesGaps:
		s.gapsMS = append(s.gapsMS, uint32(v))
	default: // of a newer version, or known as something else than a number
	}
}

func (s *protoSeries) setBytes(number protowire.Number, data []byte, numbers *slab) (ok bool) {
	switch number {
	case seriesMetric:
		s.metric = string(data)
		return utf8.Valid(data)
	case seriesDeltas:
		s.values, ok = appendSums(s.values, data, numbers)
		return ok
	case seriesRuns:
		s.runs, ok = appendVarints(s.runs, data)
		return ok
	case seriesGaps:
		s.gapsMS, ok = appendVarints(s.gapsMS, data)
		return ok
	default:
		return true
	}
}

// highBits are the bits that say, of each of eight bytes, that a varint goes on.
const highBits = 0x8080808080808080

// countVarints returns how many varints end in data.
func countVarints(data []byte) int {
	n := 0
	for ; len(data) >= 8; data = data[8:] {
		n += bits.OnesCount64(^binary.LittleEndian.Uint64(data) & highBits)
	}
	for _, b := range data {
		if b < 0x80 {
			n++
		}
	}
	return n
}

// appendSums adds up packed differences and appends what they come to. Neighbours are alike, so a difference is nearly
// always one byte: eight of them are read at once.
func appendSums(values []int32, data []byte, numbers *slab) ([]int32, bool) {
	v := lastOf(values)
	from, n := len(values), countVarints(data)
	if values == nil && n > 0 {
		values = numbers.list(n)
	}
	values = grow(values, n)[:from+n]
	out := values[from:]
	for len(data) > 0 {
		if len(data) >= 8 && len(out) >= 8 {
			if eight := binary.LittleEndian.Uint64(data); eight&highBits == 0 {
				sumEight((*[8]int32)(out), v, eight)
				v, out, data = out[7], out[8:], data[8:]
				continue
			}
		}
		delta, size := protowire.ConsumeVarint(data)
		if size < 0 {
			return nil, false
		}
		v += zigZag(delta)
		out[0] = v
		out, data = out[1:], data[size:]
	}
	return values, true
}

// sumEight adds up eight differences of one byte each, the first in the lowest.
func sumEight(out *[8]int32, v int32, eight uint64) {
	for i := range out {
		v += int32(eight&0x7f)>>1 ^ -int32(eight&1)
		out[i] = v
		eight >>= 8
	}
}

func appendVarints(list []uint32, data []byte) ([]uint32, bool) {
	list = grow(list, countVarints(data))
	for len(data) > 0 {
		v, n := protowire.ConsumeVarint(data)
		if n < 0 {
			return nil, false
		}
		list = append(list, uint32(v))
		data = data[n:]
	}
	return list, true
}

// grow makes room for n more and, other than slices.Grow, for no more than that: most lists come in one part and are
// kept as long as a buffer is.
func grow[T any](list []T, n int) []T {
	if cap(list)-len(list) >= n {
		return list
	}
	return append(make([]T, 0, len(list)+n), list...)
}

func lastOf(values []int32) int32 {
	if len(values) == 0 {
		return 0
	}
	return values[len(values)-1]
}

// zigZag reads a sint32 as the library does: what does not fit 32 bits is cut.
func zigZag(v uint64) int32 { return int32(uint32(v)>>1) ^ -int32(v&1) }

// libraryRead is a series that the library read: of the track of a workout.
func libraryRead(p *syncpb.Series) protoSeries {
	return protoSeries{
		metric: p.GetMetric(), startMS: p.GetStartMs(), offsetMin: p.UtcOffsetMin, periodMS: p.GetPeriodMs(),
		values: addUp(p.GetDeltas()), runs: p.GetRuns(), gapsMS: p.GetGapsMs(),
	}
}
