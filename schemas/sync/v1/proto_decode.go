package syncv1

import (
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/schemas/sync/v1/syncpb"
)

func decodeProto(data []byte, numbers *slab) (*Batch, error) {
	items, ok := countItems(data, isBatchItem)
	if !ok {
		return nil, notProto()
	}
	if err := checkCounts(items, 0); err != nil {
		return nil, err
	}
	messages, rest, ok := splitSeries(data)
	if !ok {
		return nil, notProto()
	}
	series := reserve[protoSeries](len(messages))
	for _, message := range messages {
		s, ok := readSeries(message, numbers)
		if !ok {
			return nil, notProto()
		}
		series = append(series, s)
	}
	var p syncpb.SyncBatch
	if err := (proto.UnmarshalOptions{DiscardUnknown: true}).Unmarshal(rest, &p); err != nil {
		// The library's words are left out: they may quote the message.
		return nil, notProto()
	}
	if p.UtcOffsetMin == nil {
		return nil, refuse(schemas.RejectMissingKey, "utc_offset_min is missing")
	}
	b, err := batchFromProto(&p, series, numbers)
	if err != nil {
		return nil, err
	}
	return b, nil
}

func notProto() *DecodeError { return refuse(schemas.RejectDecode, "not a protobuf SyncBatch") }

// Field numbers of sync.proto that countItems needs.
const (
	fieldSeries    protowire.Number = 10
	fieldWorkouts  protowire.Number = 13
	fieldDeletions protowire.Number = 17
	fieldTotals    protowire.Number = 7
	fieldTrack     protowire.Number = 8
)

func isBatchItem(n protowire.Number) bool { return n >= fieldSeries && n <= fieldDeletions }

func isWorkoutItem(n protowire.Number) bool { return n == fieldTotals || n == fieldTrack }

// countItems counts the repeated messages of an undecoded batch or workout, so that a message which claims millions of
// empty ones is refused before memory is made for them.
func countItems(data []byte, isItem func(protowire.Number) bool) (items int, ok bool) {
	inBatch := isItem(fieldWorkouts)
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return 0, false
		}
		data = data[n:]
		n = protowire.ConsumeFieldValue(number, kind, data)
		if n < 0 {
			return 0, false
		}
		if kind == protowire.BytesType && isItem(number) {
			items++
			if inBatch && number == fieldWorkouts {
				workout, _ := protowire.ConsumeBytes(data)
				within, ok := countItems(workout, isWorkoutItem)
				if !ok {
					return 0, false
				}
				items += within
			}
		}
		data = data[n:]
	}
	return items, true
}

// batchFromProto takes the series apart from the rest of the message, in which there are none.
func batchFromProto(p *syncpb.SyncBatch, series []protoSeries, numbers *slab) (*Batch, *DecodeError) {
	source, ok := sourceFromProto(p.GetSource())
	if !ok {
		return nil, refuse(schemas.RejectUnknownSchema, "source is unknown")
	}
	d := p.GetDevice()
	b := &Batch{
		BatchID: p.GetBatchId(),
		UserID:  p.GetUserId(),
		Device: Device{
			ID: d.GetId(), Model: d.GetModel(), Firmware: d.GetFirmware(), Kind: d.GetKind(), Epoch: d.GetEpoch(),
		},
		Seq:       p.GetSeq(),
		SentAtMS:  p.GetSentAtMs(),
		OffsetMin: p.GetUtcOffsetMin(),
		TimeZone:  p.GetTimeZone(),
		Source:    source,
	}
	var err *DecodeError
	if b.Series, err = allSeriesFromProto(series, b.OffsetMin, numbers); err != nil {
		return nil, inPath(err, "series")
	}
	if b.Workouts, err = workoutsFromProto(p.GetWorkouts(), b.OffsetMin, numbers); err != nil {
		return nil, err
	}
	itemsFromProto(b, p)
	return b, nil
}

// itemsFromProto takes over the parts that need no more than a change of type.
func itemsFromProto(b *Batch, p *syncpb.SyncBatch) {
	b.SleepSegments = reserve[SleepSegment](len(p.GetSleepSegments()))
	for _, s := range p.GetSleepSegments() {
		start := offsetOr(s.StartUtcOffsetMin, b.OffsetMin)
		b.SleepSegments = append(b.SleepSegments, SleepSegment{
			StartMS: s.GetStartMs(), EndMS: s.GetEndMs(),
			StartOffsetMin: start, EndOffsetMin: offsetOr(s.EndUtcOffsetMin, start),
			Stage: stageFromProto(s.GetStage()),
		})
	}
	b.RRRuns = reserve[RRRun](len(p.GetRrRuns()))
	for _, r := range p.GetRrRuns() {
		b.RRRuns = append(b.RRRuns, RRRun{
			StartMS: r.GetStartMs(), OffsetMin: offsetOr(r.UtcOffsetMin, b.OffsetMin),
			IntervalsMS: addUp(r.GetIntervalDeltasMs()),
		})
	}
	b.Readings = reserve[Reading](len(p.GetReadings()))
	for _, r := range p.GetReadings() {
		b.Readings = append(b.Readings, Reading{
			Metric: r.GetMetric(), AtMS: r.GetAtMs(), OffsetMin: offsetOr(r.UtcOffsetMin, b.OffsetMin), Value: r.GetValue(),
		})
	}
	b.DailySummaries = reserve[DailySummary](len(p.GetDailySummaries()))
	for _, d := range p.GetDailySummaries() {
		b.DailySummaries = append(b.DailySummaries, DailySummary{
			Metric: d.GetMetric(), LocalDate: d.GetLocalDate(), Value: d.GetValue(),
		})
	}
	b.Events = reserve[Event](len(p.GetEvents()))
	for _, e := range p.GetEvents() {
		b.Events = append(b.Events, Event{
			Kind: e.GetKind(), Name: e.GetName(), StartMS: e.GetStartMs(), EndMS: e.GetEndMs(),
			OffsetMin: offsetOr(e.UtcOffsetMin, b.OffsetMin), Value: e.Value, Text: e.GetText(),
		})
	}
	b.Deletions = reserve[Deletion](len(p.GetDeletions()))
	for _, d := range p.GetDeletions() {
		b.Deletions = append(b.Deletions, Deletion{
			AllDevices: d.GetAllDevices(), Metric: d.GetMetric(), FromMS: d.GetFromMs(), ToMS: d.GetToMs(),
		})
	}
}

func workoutsFromProto(ps []*syncpb.Workout, offsetMin int32, numbers *slab) ([]Workout, *DecodeError) {
	workouts := reserve[Workout](len(ps))
	for i, p := range ps {
		start := offsetOr(p.StartUtcOffsetMin, offsetMin)
		tracks := reserve[protoSeries](len(p.GetTrack()))
		for _, t := range p.GetTrack() {
			tracks = append(tracks, libraryRead(t))
		}
		track, err := allSeriesFromProto(tracks, start, numbers)
		if err != nil {
			return nil, inPath(inPath(err, "track"), "workouts[%d].", i)
		}
		w := Workout{
			ID: p.GetId(), Sport: p.GetSport(), StartMS: p.GetStartMs(), EndMS: p.GetEndMs(),
			StartOffsetMin: start, EndOffsetMin: offsetOr(p.EndUtcOffsetMin, start),
			Totals: reserve[Quantity](len(p.GetTotals())), Track: track,
		}
		for _, q := range p.GetTotals() {
			w.Totals = append(w.Totals, Quantity{Metric: q.GetMetric(), Value: q.GetValue()})
		}
		workouts = append(workouts, w)
	}
	return workouts, nil
}

func allSeriesFromProto(ps []protoSeries, offsetMin int32, numbers *slab) ([]Series, *DecodeError) {
	all := reserve[Series](len(ps))
	for i := range ps {
		s, problem := seriesFromProto(&ps[i], offsetMin, numbers)
		if problem != "" {
			return nil, refuse(schemas.RejectDecode, "[%d] %s", i, problem)
		}
		all = append(all, s)
	}
	return all, nil
}

func seriesFromProto(p *protoSeries, offsetMin int32, numbers *slab) (s Series, problem string) {
	if p.periodMS > MaxSpanMS {
		return s, "has a period of more than 20 days"
	}
	s = Series{
		Metric:    p.metric,
		StartMS:   p.startMS,
		OffsetMin: offsetOr(p.offsetMin, offsetMin),
		PeriodMS:  int32(p.periodMS),
		Values:    p.values,
	}
	switch {
	case len(p.gapsMS) > 0 && len(p.runs) > 0:
		return s, "has both gaps and runs"
	case len(p.gapsMS) > 0:
		s.AtMS, problem = timesFromGaps(p.gapsMS, len(s.Values), numbers)
	case len(p.runs) > 0:
		s.AtMS, problem = timesFromRuns(p.runs, s.PeriodMS, len(s.Values), numbers)
	}
	if regular(s.AtMS, s.PeriodMS) {
		s.AtMS = nil
	}
	return s, problem
}

func timesFromGaps(gaps []uint32, values int, numbers *slab) (atMS []int32, problem string) {
	if len(gaps) != values {
		return nil, "has not as many gaps as values"
	}
	atMS = numbers.list(values)[:values]
	var at int64
	for i, gap := range gaps {
		if gap == 0 && i > 0 {
			return nil, "has two values at one time"
		}
		if at += int64(gap); at > MaxSpanMS {
			return nil, "spans more than 20 days"
		}
		atMS[i] = int32(at)
	}
	return atMS, ""
}

// timesFromRuns looks at every run's length before it makes anything of it: the values there are bound what the present
// runs may claim, the longest span what the missing ones may.
func timesFromRuns(runs []uint32, periodMS int32, values int, numbers *slab) (atMS []int32, problem string) {
	if periodMS == 0 {
		return nil, "has runs but no period"
	}
	atMS = numbers.list(values)[:values]
	left := atMS // of it, not yet filled in
	var at int64
	for i, run := range runs {
		length := int64(run) * int64(periodMS)
		if at+length > MaxSpanMS {
			return nil, "spans more than 20 days"
		}
		if i%2 == 0 {
			if int64(run) > int64(len(left)) {
				return nil, "has runs of more values than there are"
			}
			present := left[:run]
			for j := range present {
				present[j] = int32(at) + int32(j)*periodMS
			}
			left = left[run:]
		}
		at += length
	}
	if len(left) > 0 {
		return nil, "has runs of fewer values than there are"
	}
	return atMS, ""
}

// addUp turns a first value and differences into values, in place: the decoded message is ours alone.
func addUp(deltas []int32) []int32 {
	if len(deltas) == 0 {
		return nil
	}
	var v int32
	for i, d := range deltas {
		v += d
		deltas[i] = v
	}
	return deltas
}

// reserve keeps "nothing" nil, so that equal batches are deeply equal.
func reserve[T any](n int) []T {
	if n == 0 {
		return nil
	}
	return make([]T, 0, n)
}

func offsetOr(offsetMin *int32, otherwise int32) int32 {
	if offsetMin == nil {
		return otherwise
	}
	return *offsetMin
}

func inPath(err *DecodeError, format string, args ...any) *DecodeError {
	return refuse(err.Reason, format+"%s", append(slices.Clone(args), err.Detail)...)
}

func sourceFromProto(s syncpb.Source) (Source, bool) {
	switch s {
	case syncpb.Source_SOURCE_UNSPECIFIED, syncpb.Source_SOURCE_NATIVE:
		return SourceNative, true
	case syncpb.Source_SOURCE_MANUAL:
		return SourceManual, true
	case syncpb.Source_SOURCE_IMPORT:
		return SourceImport, true
	default:
		return "", false
	}
}

// stageFromProto relies on the order that schemas.SleepStages promises.
func stageFromProto(s syncpb.Stage) schemas.SleepStage {
	if s >= 1 && int(s) <= len(schemas.SleepStages()) {
		return schemas.SleepStages()[s-1]
	}
	return ""
}

func stageToProto(s schemas.SleepStage) syncpb.Stage {
	return syncpb.Stage(slices.Index(schemas.SleepStages(), s) + 1)
}
