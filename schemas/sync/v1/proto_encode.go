package syncv1

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/schemas/sync/v1/syncpb"
)

// EncodeProto writes the batch as protobuf. The same batch always gives the same bytes. A batch that Decode would
// refuse is a *DecodeError here.
func EncodeProto(b *Batch) ([]byte, error) {
	if err := check(b); err != nil {
		return nil, err
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(batchToProto(b))
	if err != nil {
		return nil, fmt.Errorf("encode sync batch: %w", refuse(schemas.RejectDecode, "a text is not UTF-8"))
	}
	if len(data) > MaxMessageBytes {
		return nil, refuse(schemas.RejectOversize, "more than %d bytes", MaxMessageBytes)
	}
	return data, nil
}

func batchToProto(b *Batch) *syncpb.SyncBatch {
	p := &syncpb.SyncBatch{
		BatchId: b.BatchID,
		UserId:  b.UserID,
		Device: &syncpb.Device{
			Id: b.Device.ID, Model: b.Device.Model, Firmware: b.Device.Firmware, Kind: b.Device.Kind, Epoch: b.Device.Epoch,
		},
		Seq:          b.Seq,
		SentAtMs:     b.SentAtMS,
		UtcOffsetMin: new(b.OffsetMin),
		TimeZone:     b.TimeZone,
		Source:       sourceToProto(b.Source),
		Series:       allSeriesToProto(b.Series, b.OffsetMin),
	}
	for i := range b.SleepSegments {
		s := &b.SleepSegments[i]
		p.SleepSegments = append(p.SleepSegments, &syncpb.SleepSegment{
			StartMs: s.StartMS, EndMs: s.EndMS, Stage: stageToProto(s.Stage),
			StartUtcOffsetMin: offsetUnless(s.StartOffsetMin, b.OffsetMin),
			EndUtcOffsetMin:   offsetUnless(s.EndOffsetMin, s.StartOffsetMin),
		})
	}
	for i := range b.RRRuns {
		r := &b.RRRuns[i]
		p.RrRuns = append(p.RrRuns, &syncpb.RRRun{
			StartMs: r.StartMS, UtcOffsetMin: offsetUnless(r.OffsetMin, b.OffsetMin),
			IntervalDeltasMs: differences(r.IntervalsMS),
		})
	}
	for i := range b.Workouts {
		p.Workouts = append(p.Workouts, workoutToProto(&b.Workouts[i], b.OffsetMin))
	}
	for i := range b.Readings {
		r := &b.Readings[i]
		p.Readings = append(p.Readings, &syncpb.Reading{
			Metric: r.Metric, AtMs: r.AtMS, UtcOffsetMin: offsetUnless(r.OffsetMin, b.OffsetMin), Value: r.Value,
		})
	}
	for _, d := range b.DailySummaries {
		p.DailySummaries = append(p.DailySummaries, &syncpb.DailySummary{
			Metric: d.Metric, LocalDate: d.LocalDate, Value: d.Value,
		})
	}
	for i := range b.Events {
		e := &b.Events[i]
		p.Events = append(p.Events, &syncpb.Event{
			Kind: e.Kind, Name: e.Name, StartMs: e.StartMS, EndMs: e.EndMS,
			UtcOffsetMin: offsetUnless(e.OffsetMin, b.OffsetMin), Value: e.Value, Text: e.Text,
		})
	}
	for _, d := range b.Deletions {
		p.Deletions = append(p.Deletions, &syncpb.Deletion{
			AllDevices: d.AllDevices, Metric: d.Metric, FromMs: d.FromMS, ToMs: d.ToMS,
		})
	}
	return p
}

func workoutToProto(w *Workout, offsetMin int32) *syncpb.Workout {
	p := &syncpb.Workout{
		Id: w.ID, Sport: w.Sport, StartMs: w.StartMS, EndMs: w.EndMS,
		StartUtcOffsetMin: offsetUnless(w.StartOffsetMin, offsetMin),
		EndUtcOffsetMin:   offsetUnless(w.EndOffsetMin, w.StartOffsetMin),
		Track:             allSeriesToProto(w.Track, w.StartOffsetMin),
	}
	for _, q := range w.Totals {
		p.Totals = append(p.Totals, &syncpb.Quantity{Metric: q.Metric, Value: q.Value})
	}
	return p
}

func allSeriesToProto(all []Series, offsetMin int32) []*syncpb.Series {
	ps := reserve[*syncpb.Series](len(all))
	for i := range all {
		s := &all[i]
		p := &syncpb.Series{
			Metric: s.Metric, StartMs: s.StartMS, UtcOffsetMin: offsetUnless(s.OffsetMin, offsetMin),
			PeriodMs: uint32(s.PeriodMS), Deltas: differences(s.Values),
		}
		switch {
		case len(s.AtMS) == 0:
		case onGrid(s):
			p.Runs = runsOf(s)
		default:
			p.GapsMs = gapsOf(s.AtMS)
		}
		ps = append(ps, p)
	}
	return ps
}

// onGrid reports whether every value lies a whole number of periods after the start: a regular series with holes.
func onGrid(s *Series) bool {
	if s.PeriodMS == 0 {
		return false
	}
	for _, at := range s.AtMS {
		if at%s.PeriodMS != 0 {
			return false
		}
	}
	return true
}

func runsOf(s *Series) []uint32 {
	runs := []uint32{0}
	next := int32(0) // where the run of present values would go on, in periods
	for _, at := range s.AtMS {
		position := at / s.PeriodMS
		if hole := position - next; hole > 0 {
			runs = append(runs, uint32(hole), 0)
		}
		runs[len(runs)-1]++
		next = position + 1
	}
	return runs
}

func gapsOf(atMS []int32) []uint32 {
	gaps := make([]uint32, len(atMS))
	before := int32(0)
	for i, at := range atMS {
		gaps[i] = uint32(at - before)
		before = at
	}
	return gaps
}

func differences(values []int32) []int32 {
	deltas := reserve[int32](len(values))
	var before int32
	for _, v := range values {
		deltas = append(deltas, v-before)
		before = v
	}
	return deltas
}

func offsetUnless(offsetMin, otherwise int32) *int32 {
	if offsetMin == otherwise {
		return nil
	}
	return &offsetMin
}

func sourceToProto(s Source) syncpb.Source {
	switch s {
	case SourceManual:
		return syncpb.Source_SOURCE_MANUAL
	case SourceImport:
		return syncpb.Source_SOURCE_IMPORT
	default:
		return syncpb.Source_SOURCE_NATIVE
	}
}
