package syncv1

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/diurna-health/diurna/schemas/sync/v1/syncpb"
)

// FuzzSeries holds the reader of series, which is written by hand, to the library's: both read the same bytes as the
// same series, or both refuse them.
func FuzzSeries(f *testing.F) {
	rng := rand.New(rand.NewPCG(9, 10))
	for range 20 {
		for _, p := range allSeriesToProto(randomAllSeries(rng), 60) {
			data, err := proto.Marshal(p)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	for _, data := range awkwardSeries() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { wantSameSeries(t, data) })
}

func TestSeriesAreReadAsTheLibraryReadsThem(t *testing.T) {
	for name, data := range awkwardSeries() {
		t.Run(name, func(t *testing.T) { wantSameSeries(t, data) })
	}
	rng := rand.New(rand.NewPCG(11, 12))
	for range 200 {
		for _, p := range allSeriesToProto(randomAllSeries(rng), 60) {
			data, err := proto.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			wantSameSeries(t, data)
			wantSameSeries(t, data[:rng.IntN(len(data)+1)]) // cut off
			for range 10 {
				if len(data) > 0 {
					data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
				}
				wantSameSeries(t, data)
			}
		}
	}
}

func wantSameSeries(t *testing.T, data []byte) {
	t.Helper()
	var p syncpb.Series
	err := proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, &p)
	got, ok := readSeries(data, new(slab))
	if ok != (err == nil) {
		t.Fatalf("%x: read %t, by the library: %v", data, ok, err)
	}
	if !ok {
		return
	}
	want := libraryRead(&p)
	got.runs, got.gapsMS = orNil(got.runs), orNil(got.gapsMS)
	want.runs, want.gapsMS = orNil(want.runs), orNil(want.gapsMS)
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(protoSeries{})); diff != "" {
		t.Fatalf("%x (-library +read):\n%s", data, diff)
	}
}

func orNil(list []uint32) []uint32 {
	if len(list) == 0 {
		return nil
	}
	return list
}

// awkwardSeries are messages that a library may write and ours does not.
func awkwardSeries() map[string][]byte {
	number := func(b []byte, field protowire.Number, v uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
	}
	packed := func(b []byte, field protowire.Number, values ...uint64) []byte {
		var list []byte
		for _, v := range values {
			list = protowire.AppendVarint(list, v)
		}
		return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), list)
	}
	text := func(b []byte, field protowire.Number, s string) []byte {
		return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
	}
	return map[string][]byte{
		"nothing":                   nil,
		"one difference a field":    number(number(number(nil, seriesDeltas, 4), seriesDeltas, 3), seriesDeltas, 1<<40|6),
		"differences in two parts":  packed(number(packed(nil, seriesDeltas, 2, 4, 6), seriesDeltas, 8), seriesDeltas, 1, 3),
		"an empty part":             packed(nil, seriesDeltas),
		"more than eight at once":   packed(nil, seriesDeltas, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 300, 12, 13, 14, 15, 16, 17, 18, 19),
		"differences over 32 bits":  packed(nil, seriesDeltas, 1<<63, 1<<33+1, 1<<32-1, 1<<64-1),
		"runs over 32 bits":         packed(nil, seriesRuns, 1<<32+7, 3),
		"gaps one a field":          number(number(nil, seriesGaps, 4), seriesGaps, 3),
		"two metrics":               text(text(nil, seriesMetric, "steps"), seriesMetric, "stress"),
		"a metric that is no text":  text(nil, seriesMetric, "\xff"),
		"a metric that is a number": number(nil, seriesMetric, 7),
		"a start that is a list":    packed(nil, seriesStart, 7),
		"two offsets":               number(number(nil, seriesUTCOffset, 120), seriesUTCOffset, 1<<32+3),
		"a field of a newer one":    text(nil, 99, "x"),
		"a number that goes on":     {byte(seriesPeriod) << 3, 0x80},
		"a difference that goes on": {byte(seriesDeltas)<<3 | 2, 2, 2, 0x80},
		"a number over 64 bits":     {byte(seriesStart) << 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02},
		"a group":                   {8<<3 | 3, 9 << 3, 1, 8<<3 | 4},
		"the end of no group":       {8<<3 | 4},
		"a field 0":                 {0, 0},
		"a number of a field over all": protowire.AppendVarint(
			protowire.AppendVarint(nil, uint64(protowire.MaxValidNumber+1)<<3), 0),
	}
}

func TestTheLastOfABatchsHeadCountsWhereverItsSeriesStand(t *testing.T) {
	first := marshal(t, &syncpb.SyncBatch{BatchId: "a", UserId: "u", UtcOffsetMin: new(int32(60)),
		Series: []*syncpb.Series{{Metric: "steps", PeriodMs: 60_000, Deltas: []int32{1, 2}}}})
	second := marshal(t, &syncpb.SyncBatch{BatchId: "b", UtcOffsetMin: new(int32(120)),
		Series: []*syncpb.Series{{Metric: "stress", PeriodMs: 60_000, Deltas: []int32{5}}}})
	got, err := Decode(ContentTypeProto, append(first, second...))
	if err != nil {
		t.Fatal(err)
	}
	want := &Batch{BatchID: "b", UserID: "u", OffsetMin: 120, Source: SourceNative, Series: []Series{
		{Metric: "steps", OffsetMin: 120, PeriodMS: 60_000, Values: []int32{1, 3}},
		{Metric: "stress", OffsetMin: 120, PeriodMS: 60_000, Values: []int32{5}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
