package syncv1

import (
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/schemas/sync/v1/syncpb"
)

func TestDocumentsThatShouldPassDecodeAndReadTheSameAgain(t *testing.T) {
	t.Parallel()
	for name, data := range documents(t, "shouldPass") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := Decode(ContentTypeJSON, data)
			if err != nil {
				t.Fatal(err)
			}
			wantBothFormsToGive(t, b)
		})
	}
}

func TestDocumentsThatShouldFailAreRefusedWithTheFieldAndNothingOfWhatStoodThere(t *testing.T) {
	t.Parallel()
	want := map[string]DecodeError{
		"array-of-batches":          {schemas.RejectDecode, "the message is not an object"},
		"cut-off":                   {schemas.RejectDecode, "series[0] is not well-formed JSON"},
		"day-not-in-the-calendar":   {schemas.RejectDecode, "daily_summaries[0].local_date is not a date such as 2026-03-01"},
		"duplicate-field":           {schemas.RejectDecode, "user_id is there twice"},
		"duplicate-field-by-escape": {schemas.RejectDecode, "user_id is there twice"},
		"empty-file":                {schemas.RejectDecode, "the message is not an object"},
		"fewer-times-than-values":   {schemas.RejectDecode, "series[0] has not as many times as values"},
		"field-in-other-case":       {schemas.RejectDecode, "a field is not a field of a sync batch"},
		"fraction":                  {schemas.RejectDecode, "series[0].values[1] is not a whole number"},
		"hour-24":                   {schemas.RejectDecode, "sent_at is not a time such as 2026-03-01T08:00:00+01:00"},
		"leading-zero":              {schemas.RejectDecode, "series[0].values[0] is not a whole number"},
		"lone-surrogate":            {schemas.RejectDecode, "time_zone has a wrong escape"},
		"missing-interval":          {schemas.RejectDecode, "rr_runs[0].intervals_ms[1] is not a whole number"},
		"negative-period":           {schemas.RejectDecode, "series[0].period_ms is out of range"},
		"negative-seq":              {schemas.RejectDecode, "seq is out of range"},
		"negative-time":             {schemas.RejectDecode, "series[0].times_ms[0] is out of range"},
		"neither-period-nor-times":  {schemas.RejectDecode, "series[0] has neither a period nor times"},
		"no-device":                 {schemas.RejectMissingKey, "device is missing"},
		"no-device-id":              {schemas.RejectMissingKey, "device.id is missing"},
		"no-start":                  {schemas.RejectMissingKey, "series[0].start is missing"},
		"no-user":                   {schemas.RejectMissingKey, "user_id is missing"},
		"no-utc-offset":             {schemas.RejectMissingKey, "utc_offset is missing"},
		"null-series":               {schemas.RejectDecode, "series is not an array"},
		"number-as-string":          {schemas.RejectDecode, "series[0].values[0] is not a whole number"},
		"number-with-exponent":      {schemas.RejectDecode, "series[0].values[0] is not a whole number"},
		"offset-in-minutes":         {schemas.RejectDecode, "utc_offset is not a string"},
		"offset-over-18-hours":      {schemas.RejectDecode, "utc_offset is more than 18 hours"},
		"span-over-20-days":         {schemas.RejectDecode, "series[0] spans more than 20 days"},
		"time-in-microseconds":      {schemas.RejectDecode, "sent_at has a fraction of a second that is not 1 to 3 digits"},
		"time-in-milliseconds":      {schemas.RejectDecode, "series[0].start is not a string"},
		"time-with-a-space":         {schemas.RejectDecode, "sent_at is not a time such as 2026-03-01T08:00:00+01:00"},
		"time-with-unknown-offset":  {schemas.RejectMissingKey, "series[0].start has no UTC offset"},
		"time-without-offset":       {schemas.RejectMissingKey, "series[0].start has no UTC offset"},
		"times-that-do-not-rise":    {schemas.RejectDecode, "series[0] has times that do not rise"},
		"times-with-missing-values": {schemas.RejectDecode, "series[0] has both times and missing values"},
		"trailing-comma":            {schemas.RejectDecode, "the message is not a string"},
		"two-messages":              {schemas.RejectDecode, "the message is followed by something else"},
		"two-values-with-period-0":  {schemas.RejectDecode, "series[0] has neither a period nor times"},
		"unknown-field":             {schemas.RejectDecode, "heart_rate is not a field of a sync batch"},
		"unknown-field-of-series":   {schemas.RejectDecode, "series[1].unit is not a field of a sync batch"},
		"unknown-source":            {schemas.RejectUnknownSchema, "source is none of native, manual, import"},
		"unknown-utc-offset":        {schemas.RejectMissingKey, "utc_offset has no UTC offset"},
		"value-over-32-bits":        {schemas.RejectDecode, "series[0].values[0] is out of range"},
		"whole-number-as-float":     {schemas.RejectDecode, "series[0].values[0] is not a whole number"},
	}
	for name, data := range documents(t, "shouldFail") {
		_, err := Decode(ContentTypeJSON, data)
		var got *DecodeError
		if !errors.As(err, &got) {
			t.Errorf("%s: error is %v, want a DecodeError", name, err)
			continue
		}
		if diff := cmp.Diff(want[name], *got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("%s: the document is not there", name)
	}
}

func TestJSONReadsAsItIsWritten(t *testing.T) {
	t.Parallel()
	data := []byte(` {
		"batch_id":"b-1", "user_id":"p-1", "device":{"id":"w-1","epoch":2}, "utc_offset":"+01:00", "seq":9,
		"sent_at":"2026-03-01T09:00:00.5Z",
		"series":[
			{"metric":"heart_rate","start":"2026-03-01T08:00:00+01:00","period_ms":60000,"values":[61,62,null,63]},
			{"metric":"heart_rate","start":"2026-03-01T12:30:00+05:30","times_ms":[0,4000],"values":[70,-71]}
		],
		"sleep_segments":[{"start":"2026-03-29T01:00:00+01:00","end":"2026-03-29T03:30:00+02:00","stage":"rem"}],
		"daily_summaries":[{"local_date":"2026-02-28","metric":"total_sleep_time","value":431}]
	} `)
	got, err := Decode("application/json; charset=utf-8", data)
	if err != nil {
		t.Fatal(err)
	}
	const sevenUTC = 1_772_348_400_000 // 2026-03-01T07:00:00Z
	want := &Batch{
		BatchID: "b-1", UserID: "p-1", Device: Device{ID: "w-1", Epoch: 2}, Seq: 9, Source: SourceNative,
		SentAtMS: sevenUTC + 2*3_600_000 + 500, OffsetMin: 60,
		Series: []Series{
			{Metric: "heart_rate", StartMS: sevenUTC, OffsetMin: 60, PeriodMS: 60_000,
				AtMS: []int32{0, 60_000, 180_000}, Values: []int32{61, 62, 63}},
			{Metric: "heart_rate", StartMS: sevenUTC, OffsetMin: 330,
				AtMS: []int32{0, 4000}, Values: []int32{70, -71}},
		},
		SleepSegments: []SleepSegment{{
			StartMS: 1_774_742_400_000, EndMS: 1_774_747_800_000, StartOffsetMin: 60, EndOffsetMin: 120, Stage: schemas.StageREM,
		}},
		DailySummaries: []DailySummary{{Metric: "total_sleep_time", LocalDate: 20512, Value: 431}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("batch (-want +got):\n%s", diff)
	}
}

func TestProtobufFillsInTheDefaults(t *testing.T) {
	t.Parallel()
	data := marshal(t, &syncpb.SyncBatch{
		UtcOffsetMin: proto.Int32(120),
		Series: []*syncpb.Series{
			{Metric: "steps", StartMs: 1000, PeriodMs: 60_000, Deltas: []int32{5, -2, 10}, Runs: []uint32{0, 3, 2, 1, 1, 9}},
			{Metric: "steps", StartMs: 1000, PeriodMs: 60_000, Deltas: []int32{5, -2}, Runs: []uint32{2}},
			{Metric: "steps", UtcOffsetMin: proto.Int32(0), Deltas: []int32{5, 1}, GapsMs: []uint32{7, 3}},
		},
		SleepSegments: []*syncpb.SleepSegment{
			{EndMs: 1, Stage: 99},
			{EndMs: 1, Stage: syncpb.Stage_STAGE_DEEP, StartUtcOffsetMin: proto.Int32(60)},
			{EndMs: 1, Stage: syncpb.Stage_STAGE_UNKNOWN, EndUtcOffsetMin: proto.Int32(60)},
		},
		Workouts: []*syncpb.Workout{{Id: "w", StartUtcOffsetMin: proto.Int32(30), Track: []*syncpb.Series{{}}}},
	})
	got, err := Decode(ContentTypeProto, data)
	if err != nil {
		t.Fatal(err)
	}
	want := &Batch{
		OffsetMin: 120, Source: SourceNative,
		Series: []Series{
			{Metric: "steps", StartMS: 1000, OffsetMin: 120, PeriodMS: 60_000,
				AtMS: []int32{180_000, 240_000, 360_000}, Values: []int32{5, 3, 13}},
			{Metric: "steps", StartMS: 1000, OffsetMin: 120, PeriodMS: 60_000, Values: []int32{5, 3}},
			{Metric: "steps", AtMS: []int32{7, 10}, Values: []int32{5, 6}},
		},
		SleepSegments: []SleepSegment{
			{EndMS: 1, StartOffsetMin: 120, EndOffsetMin: 120},
			{EndMS: 1, StartOffsetMin: 60, EndOffsetMin: 60, Stage: schemas.StageDeep},
			{EndMS: 1, StartOffsetMin: 120, EndOffsetMin: 60, Stage: schemas.StageUnknown},
		},
		Workouts: []Workout{{ID: "w", StartOffsetMin: 30, EndOffsetMin: 30, Track: []Series{{OffsetMin: 30}}}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("batch (-want +got):\n%s", diff)
	}
}

func TestProtobufThatContradictsItselfIsRefused(t *testing.T) {
	t.Parallel()
	withSeries := func(s *syncpb.Series) []byte {
		return marshal(t, &syncpb.SyncBatch{UtcOffsetMin: proto.Int32(0), Series: []*syncpb.Series{{}, s}})
	}
	for _, c := range []struct {
		name   string
		data   []byte
		reason schemas.RejectReason
		says   string
	}{
		{"no offset", marshal(t, &syncpb.SyncBatch{UserId: "p"}), schemas.RejectMissingKey, "utc_offset_min is missing"},
		{"noise", []byte("\xff\xff\xff"), schemas.RejectDecode, "not a protobuf SyncBatch"},
		{"text that is not UTF-8", append(marshal(t, &syncpb.SyncBatch{UtcOffsetMin: proto.Int32(0)}), 0x12, 1, 0xff),
			schemas.RejectDecode, "not a protobuf SyncBatch"},
		{"source of a newer version", marshal(t, &syncpb.SyncBatch{UtcOffsetMin: proto.Int32(0), Source: 9}),
			schemas.RejectUnknownSchema, "source is unknown"},
		{"gaps and runs", withSeries(&syncpb.Series{PeriodMs: 1, Deltas: []int32{1}, GapsMs: []uint32{1}, Runs: []uint32{1}}),
			schemas.RejectDecode, "series[1] has both gaps and runs"},
		{"fewer gaps than values", withSeries(&syncpb.Series{Deltas: []int32{1, 2}, GapsMs: []uint32{1}}),
			schemas.RejectDecode, "series[1] has not as many gaps as values"},
		{"gap of 0", withSeries(&syncpb.Series{Deltas: []int32{1, 2}, GapsMs: []uint32{0, 0}}),
			schemas.RejectDecode, "series[1] has two values at one time"},
		{"gaps over 20 days", withSeries(&syncpb.Series{Deltas: []int32{1, 2}, GapsMs: []uint32{1 << 30, 1 << 30}}),
			schemas.RejectDecode, "series[1] spans more than 20 days"},
		{"runs without period", withSeries(&syncpb.Series{Deltas: []int32{1}, Runs: []uint32{1}}),
			schemas.RejectDecode, "series[1] has runs but no period"},
		{"more in runs than values", withSeries(&syncpb.Series{PeriodMs: 1, Deltas: []int32{1}, Runs: []uint32{1 << 30}}),
			schemas.RejectDecode, "series[1] has runs of more values than there are"},
		{"fewer in runs than values", withSeries(&syncpb.Series{PeriodMs: 1, Deltas: []int32{1, 1}, Runs: []uint32{1, 4}}),
			schemas.RejectDecode, "series[1] has runs of fewer values than there are"},
		{"holes over 20 days", withSeries(&syncpb.Series{PeriodMs: 60_000, Deltas: []int32{1}, Runs: []uint32{0, 1<<32 - 1, 1}}),
			schemas.RejectDecode, "series[1] spans more than 20 days"},
		{"values over 20 days", withSeries(&syncpb.Series{PeriodMs: MaxSpanMS, Deltas: []int32{1, 1}}),
			schemas.RejectDecode, "series[1] spans more than 20 days"},
		{"period over 20 days", withSeries(&syncpb.Series{PeriodMs: 1<<32 - 1}),
			schemas.RejectDecode, "series[1] has a period of more than 20 days"},
		{"neither period nor gaps", withSeries(&syncpb.Series{Deltas: []int32{1, 1}}),
			schemas.RejectDecode, "series[1] has neither a period nor times"},
		{"time beyond the calendar", withSeries(&syncpb.Series{StartMs: 1 << 62}),
			schemas.RejectDecode, "series[1].start is not an instant"},
		{"offset beyond the Earth", withSeries(&syncpb.Series{UtcOffsetMin: proto.Int32(1081)}),
			schemas.RejectDecode, "series[1].start has an offset of more than 18 hours"},
		{"track of a workout", marshal(t, &syncpb.SyncBatch{UtcOffsetMin: proto.Int32(0), Workouts: []*syncpb.Workout{
			{Track: []*syncpb.Series{{Deltas: []int32{1, 2}, GapsMs: []uint32{1}}}}}}),
			schemas.RejectDecode, "workouts[0].track[0] has not as many gaps as values"},
	} {
		_, err := Decode(ContentTypeProto, c.data)
		var got *DecodeError
		if !errors.As(err, &got) {
			t.Errorf("%s: error is %v, want a DecodeError", c.name, err)
			continue
		}
		if diff := cmp.Diff(DecodeError{c.reason, c.says}, *got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestBothFormsDecodeToOneValue(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		wantBothFormsToGive(t, randomBatch(rng))
	}
}

func TestTheFormIsSniffedWhenNobodySaysIt(t *testing.T) {
	t.Parallel()
	b := randomBatch(rand.New(rand.NewPCG(3, 4)))
	binary, err := EncodeProto(b)
	if err != nil {
		t.Fatal(err)
	}
	text, err := EncodeJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"protobuf": binary, "JSON": text, "JSON after white space": append([]byte("\n\t "), text...),
	} {
		got, err := Decode("", data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(b, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := Decode(ContentTypeProto, text); err == nil {
		t.Error("JSON that says it is protobuf is taken")
	}
	if _, err := Decode("text/csv", text); err == nil {
		t.Error("an unknown content type is taken")
	}
}

func TestUnknownFieldsOfProtobufAreThoseOfANewerVersion(t *testing.T) {
	t.Parallel()
	data := marshal(t, &syncpb.SyncBatch{UtcOffsetMin: proto.Int32(0), UserId: "p"})
	data = protowire.AppendTag(data, 1000, protowire.BytesType)
	data = protowire.AppendString(data, "new")
	if b, err := Decode(ContentTypeProto, data); err != nil || b.UserID != "p" {
		t.Errorf("decoded %+v, %v", b, err)
	}
}

func TestABatchOverALimitIsRefused(t *testing.T) {
	t.Parallel()
	head := marshal(t, &syncpb.SyncBatch{UtcOffsetMin: proto.Int32(0)})
	emptyItems := func(field protowire.Number, n int) []byte {
		item := protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), nil)
		return append(slices.Clip(head), []byte(strings.Repeat(string(item), n))...)
	}
	inWorkout := protowire.AppendBytes(protowire.AppendTag(slices.Clip(head), fieldWorkouts, protowire.BytesType),
		emptyItems(fieldTotals, MaxItems)[len(head):])
	samples := marshal(t, &syncpb.SyncBatch{UtcOffsetMin: proto.Int32(0), RrRuns: []*syncpb.RRRun{
		{IntervalDeltasMs: make([]int32, MaxSamples)}, {IntervalDeltasMs: make([]int32, 1)},
	}})
	text := `{"batch_id":"b","user_id":"p","device":{"id":"d"},"utc_offset":"Z","rr_runs":[` +
		`{"start":"2026-03-01T08:00:00Z","intervals_ms":[1` + strings.Repeat(",1", MaxSamples) + `]}]}`
	for _, c := range []struct {
		name   string
		data   []byte
		reason schemas.RejectReason
	}{
		{"bytes", make([]byte, MaxMessageBytes+1), schemas.RejectOversize},
		{"items", emptyItems(fieldSeries, MaxItems+1), schemas.RejectTooManySamples},
		{"items of a workout", inWorkout, schemas.RejectTooManySamples},
		{"samples", samples, schemas.RejectTooManySamples},
		{"samples in JSON", []byte(text), schemas.RejectTooManySamples},
	} {
		_, err := Decode("", c.data)
		var got *DecodeError
		if !errors.As(err, &got) || got.Reason != c.reason {
			t.Errorf("%s: error is %v, want reason %s", c.name, err, c.reason)
		}
	}
	if _, err := Decode("", emptyItems(fieldSeries, MaxItems)); err != nil {
		t.Errorf("as many items as are allowed: %v", err)
	}
}

func TestWhatDecodeWouldRefuseIsNotEncoded(t *testing.T) {
	t.Parallel()
	for name, b := range map[string]*Batch{
		"no source":            {},
		"unknown stage":        {Source: SourceNative, SleepSegments: []SleepSegment{{Stage: "drowsy"}}},
		"values without times": {Source: SourceNative, Series: []Series{{AtMS: []int32{1}, Values: []int32{1, 2}}}},
		"falling times":        {Source: SourceNative, Series: []Series{{AtMS: []int32{2, 1}, Values: []int32{1, 2}}}},
		"wrong date":           {Source: SourceNative, DailySummaries: []DailySummary{{LocalDate: 1 << 30}}},
		"wrong end":            {Source: SourceNative, Deletions: []Deletion{{ToMS: 1 << 60}}},
		"seq over 63 bits":     {Source: SourceNative, Seq: 1 << 63},
		"not UTF-8":            {Source: SourceNative, UserID: "\xff"},
	} {
		var want *DecodeError
		if data, err := EncodeProto(b); !errors.As(err, &want) {
			t.Errorf("%s: protobuf gives %d bytes and error %v", name, len(data), err)
		}
		if data, err := EncodeJSON(b); !errors.As(err, &want) {
			t.Errorf("%s: JSON gives %d bytes and error %v", name, len(data), err)
		}
	}
}

// FuzzDecode holds Decode to its guarantees: it never panics, and what it returns can be encoded in both forms, which
// decode to an equal value.
func FuzzDecode(f *testing.F) {
	for _, folder := range []string{"shouldPass", "shouldFail"} {
		for _, data := range documents(f, folder) {
			f.Add(data)
			if b, err := Decode(ContentTypeJSON, data); err == nil {
				binary, err := EncodeProto(b)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(binary)
			}
		}
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		binary, err := EncodeProto(randomBatch(rng))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(binary)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Decode("", data)
		if err != nil {
			return
		}
		wantBothFormsToGive(t, b)
	})
}

func wantBothFormsToGive(t *testing.T, b *Batch) {
	t.Helper()
	for _, form := range []struct {
		contentType string
		encode      func(*Batch) ([]byte, error)
	}{{ContentTypeProto, EncodeProto}, {ContentTypeJSON, EncodeJSON}} {
		data, err := form.encode(b)
		if err != nil {
			t.Fatalf("encode as %s: %v", form.contentType, err)
		}
		got, err := Decode(form.contentType, data)
		if err != nil {
			t.Fatalf("decode %s: %v\n%q", form.contentType, err, data)
		}
		if diff := cmp.Diff(b, got); diff != "" {
			t.Fatalf("through %s (-want +got):\n%s", form.contentType, diff)
		}
	}
}

// documents returns the files of a folder of testdata by their names, which say what the file shows.
func documents(tb testing.TB, folder string) map[string][]byte {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(paths) == 0 {
		tb.Fatalf("no documents in %s: %v", folder, err)
	}
	all := map[string][]byte{}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(path), ".json")] = data
	}
	return all
}

func marshal(tb testing.TB, b *syncpb.SyncBatch) []byte {
	tb.Helper()
	data, err := proto.Marshal(b)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
