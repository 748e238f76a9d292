package ingest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

func TestEveryBatchHasItsRowEvenWhenItHoldsNothing(t *testing.T) {
	t.Parallel()
	b := emptyBatch()
	b.Device = syncv1.Device{ID: "watch-1", Model: "Model 3", Firmware: "1.2", Kind: "watch", Epoch: 2}
	b.Seq, b.SentAtMS, b.TimeZone, b.OffsetMin = 7, ms("2026-03-01T09:00:00+01:00"), "Europe/Rome", 60
	at := Position{Partition: 3, Offset: 42, BrokerAtMS: ms("2026-03-01T23:59:59Z")}
	want := []schemas.SyncRecord{{
		Partition: 3, Offset: 42, Kind: schemas.KindBatch, BrokerAt: us("2026-03-01T23:59:59Z"),
		IngestDate: *date("2026-03-01"), BatchID: "batch-1", UserID: "person-1", UserBucket: Bucket("person-1", 64),
		DeviceID: "watch-1", DeviceEpoch: 2, Seq: 7, Source: "native", SentAt: us("2026-03-01T08:00:00Z"),
		TimeZone: "Europe/Rome", DeviceModel: "Model 3", DeviceFirmware: "1.2", DeviceKind: "watch", UTCOffsetMin: 60,
	}}
	if diff := cmp.Diff(want, Rows(b, at, 64)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestItemRowsSayWhatTheBatchSaysOfAllItsRows(t *testing.T) {
	t.Parallel()
	b := everyKind()
	rows := Rows(b, lateMarch, 64)
	kinds := map[schemas.RecordKind]int{}
	for i, row := range rows {
		kinds[row.Kind]++
		got := []any{row.Partition, row.Offset, row.ItemIndex, row.BrokerAt, row.IngestDate, row.BatchID, row.UserID,
			row.UserBucket, row.DeviceID, row.DeviceEpoch, row.Seq, row.Source, row.SentAt, row.TimeZone}
		want := []any{int32(1), int64(99), int32(i), lateMarch.BrokerAtMS * 1000, *date("2026-03-31"), "batch-1", "person-1",
			Bucket("person-1", 64), "watch-1", int32(2), int64(7), "native", us("2026-03-29T12:00:00Z"), "Europe/Rome"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("row %d of kind %s (-want +got):\n%s", i, row.Kind, diff)
		}
		if row.Kind != schemas.KindBatch && row.DeviceModel != "" {
			t.Errorf("row %d of kind %s repeats the device's model", i, row.Kind)
		}
	}
	want := map[schemas.RecordKind]int{
		schemas.KindBatch: 1, schemas.KindSeries: 1, schemas.KindSleepSegment: 1, schemas.KindRRRun: 1,
		schemas.KindWorkout: 1, schemas.KindWorkoutTotal: 1, schemas.KindWorkoutTrack: 2, schemas.KindReading: 1,
		schemas.KindDailySummary: 1, schemas.KindEvent: 1, schemas.KindDeletion: 1,
	}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("rows of each kind (-want +got):\n%s", diff)
	}
}

func TestSeriesAreCutAtHoursAndLocalMidnights(t *testing.T) {
	t.Parallel()
	type cut struct {
		Hour, Start, Date string
		Offsets           []int32
		Values            []int32
	}
	const minute = 60_000
	for _, c := range []struct {
		name   string
		series syncv1.Series
		want   []cut
	}{
		{"an hour that is full", series("2026-03-01T08:00:00+01:00", 20*minute, 61, 62, 63), []cut{
			{"07:00", "07:00", "2026-03-01", []int32{0}, []int32{61, 62, 63}},
		}},
		{"over the end of an hour", series("2026-03-01T08:50:00+01:00", 5*minute, 61, 62, 63), []cut{
			{"07:00", "07:50", "2026-03-01", []int32{50 * minute}, []int32{61, 62}},
			{"08:00", "08:00", "2026-03-01", []int32{0}, []int32{63}},
		}},
		{"off the minute", series("2026-03-01T08:59:30+01:00", 20_000, 61, 62, 63), []cut{
			{"07:00", "07:59:30", "2026-03-01", []int32{59*minute + 30_000}, []int32{61, 62}},
			{"08:00", "08:00:10", "2026-03-01", []int32{10_000}, []int32{63}},
		}},
		{"over midnight at a full hour", series("2026-03-01T23:50:00+01:00", 10*minute, 61, 62), []cut{
			{"22:00", "22:50", "2026-03-01", []int32{50 * minute}, []int32{61}},
			{"23:00", "23:00", "2026-03-02", []int32{0}, []int32{62}},
		}},
		{"over midnight within the hour at :30", series("2026-03-01T23:50:00+05:30", 10*minute, 61, 62, 63), []cut{
			{"18:00", "18:20", "2026-03-01", []int32{20 * minute}, []int32{61}},
			{"18:00", "18:30", "2026-03-02", []int32{30 * minute}, []int32{62, 63}},
		}},
		{"over midnight within the hour at :45", series("2026-03-01T23:55:00+05:45", 5*minute, 61, 62, 63), []cut{
			{"18:00", "18:10", "2026-03-01", []int32{10 * minute}, []int32{61}},
			{"18:00", "18:15", "2026-03-02", []int32{15 * minute}, []int32{62, 63}},
		}},
		{"over midnight west of Greenwich at -09:30", series("2026-03-01T23:50:00-09:30", 10*minute, 61, 62), []cut{
			{"09:00", "09:20", "2026-03-01", []int32{20 * minute}, []int32{61}},
			{"09:00", "09:30", "2026-03-02", []int32{30 * minute}, []int32{62}},
		}},
		{"with holes", timed(series("2026-03-01T08:50:00+01:00", 5*minute, 61, 62, 63, 64), 0, 5*minute, 15*minute, 25*minute),
			[]cut{
				{"07:00", "07:50", "2026-03-01", []int32{50 * minute}, []int32{61, 62}},
				{"08:00", "08:05", "2026-03-01", []int32{5 * minute, 15 * minute}, []int32{63, 64}},
			}},
		{"spot values", timed(series("2026-03-01T08:59:58+01:00", 0, 61, 62, 63, 64), 0, 1000, 2000, 3000), []cut{
			{"07:00", "07:59:58", "2026-03-01", []int32{3_598_000, 3_599_000}, []int32{61, 62}},
			{"08:00", "08:00", "2026-03-01", []int32{0, 1000}, []int32{63, 64}},
		}},
		{"one spot value", series("2026-03-01T08:59:58+01:00", 0, 61), []cut{
			{"07:00", "07:59:58", "2026-03-01", []int32{3_598_000}, []int32{61}},
		}},
		{"values that hold for days", series("2026-03-01T08:30:00Z", 24*60*minute, 61, 62), []cut{
			{"08:00", "08:30", "2026-03-01", []int32{30 * minute}, []int32{61}},
			{"08:00", "08:30", "2026-03-02", []int32{30 * minute}, []int32{62}},
		}},
		{"an implausible value within", series("2026-03-01T08:00:00+01:00", minute, 61, 0, 63, 64), []cut{
			{"07:00", "07:00", "2026-03-01", []int32{0, 2 * minute, 3 * minute}, []int32{61, 63, 64}},
		}},
		{"an implausible value at the front", series("2026-03-01T08:00:00+01:00", minute, 0, 62, 63), []cut{
			{"07:00", "07:01", "2026-03-01", []int32{minute}, []int32{62, 63}},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := emptyBatch()
			b.Series = []syncv1.Series{c.series}
			var got []cut
			for _, row := range Rows(b, lateMarch, 1) {
				if row.Kind != schemas.KindSeries {
					continue
				}
				if row.UTCOffsetMin != c.series.OffsetMin || row.PeriodMS != c.series.PeriodMS || row.Metric != "heart_rate" {
					t.Errorf("piece has offset %d, period %d, metric %s", row.UTCOffsetMin, row.PeriodMS, row.Metric)
				}
				got = append(got, cut{clock(row.HourAt), clock(row.StartAt), schemas.Date(*row.LocalDate).String(),
					row.OffsetsMS, row.Values})
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("pieces (-want +got):\n%s", diff)
			}
		})
	}
}

func TestASleepSegmentBelongsToTheDateOfItsEndAtTheOffsetOfItsEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		start, end string
		want       string
	}{
		{"within a night", "2026-03-01T23:00:00+01:00", "2026-03-02T00:30:00+01:00", "2026-03-02"},
		{"before midnight", "2026-03-01T22:00:00+01:00", "2026-03-01T23:30:00+01:00", "2026-03-01"},
		{"clocks go forward", "2026-03-28T23:30:00+01:00", "2026-03-29T03:10:00+02:00", "2026-03-29"},
		{"a flight east", "2026-03-01T22:00:00+00:00", "2026-03-02T00:15:00+01:00", "2026-03-02"},
		{"a flight west", "2026-03-02T00:30:00+01:00", "2026-03-01T23:45:00+00:00", "2026-03-01"},
	} {
		b := emptyBatch()
		b.SleepSegments = []syncv1.SleepSegment{{
			StartMS: ms(c.start), EndMS: ms(c.end), StartOffsetMin: offsetOf(c.start), EndOffsetMin: offsetOf(c.end),
			Stage: schemas.StageDeep,
		}}
		rows := Rows(b, lateMarch, 1)
		if len(rows) != 2 || rows[1].Kind != schemas.KindSleepSegment {
			t.Errorf("%s: rows are %+v", c.name, rows)
			continue
		}
		r := rows[1]
		if got := schemas.Date(*r.LocalDate).String(); got != c.want {
			t.Errorf("%s: date is %s, want %s", c.name, got, c.want)
		}
		if *r.StartAt != us(c.start) || *r.EndAt != us(c.end) || r.UTCOffsetMin != offsetOf(c.start) ||
			r.EndUTCOffsetMin != offsetOf(c.end) || r.Text != "deep" {
			t.Errorf("%s: row is %+v", c.name, r)
		}
	}
}

func TestItemsBecomeRowsAsTheyAre(t *testing.T) {
	t.Parallel()
	got := Rows(everyKind(), lateMarch, 1)[1:]
	for i := range got {
		keep := got[i]
		got[i] = schemas.SyncRecord{
			Kind: keep.Kind, Metric: keep.Metric, StartAt: keep.StartAt, EndAt: keep.EndAt, UTCOffsetMin: keep.UTCOffsetMin,
			EndUTCOffsetMin: keep.EndUTCOffsetMin, LocalDate: keep.LocalDate, HourAt: keep.HourAt, PeriodMS: keep.PeriodMS,
			OffsetsMS: keep.OffsetsMS, Values: keep.Values, Name: keep.Name, Text: keep.Text, Value: keep.Value,
			Reason: keep.Reason,
		}
	}
	at := func(s string) *int64 { v := us(s); return &v }
	value := func(v int32) *int32 { return &v }
	day := date("2026-03-29")
	want := []schemas.SyncRecord{
		{Kind: schemas.KindSeries, Metric: "steps", StartAt: at("2026-03-29T08:00:00Z"), HourAt: at("2026-03-29T08:00:00Z"),
			LocalDate: day, UTCOffsetMin: 120, PeriodMS: 60_000, OffsetsMS: []int32{0}, Values: []int32{0, 12}},
		{Kind: schemas.KindSleepSegment, StartAt: at("2026-03-29T00:00:00Z"), EndAt: at("2026-03-29T01:30:00Z"),
			UTCOffsetMin: 60, EndUTCOffsetMin: 120, LocalDate: day, Text: "rem"},
		{Kind: schemas.KindRRRun, StartAt: at("2026-03-29T01:59:59Z"), EndAt: at("2026-03-29T02:00:00.61Z"),
			UTCOffsetMin: 120, LocalDate: day, Values: []int32{812, 798}},
		{Kind: schemas.KindWorkout, Name: "w-1", Text: "run", StartAt: at("2026-03-29T05:59:59Z"),
			EndAt: at("2026-03-29T06:30:00Z"), UTCOffsetMin: 120, EndUTCOffsetMin: 120, LocalDate: day},
		{Kind: schemas.KindWorkoutTotal, Name: "w-1", Metric: "moving_time", StartAt: at("2026-03-29T05:59:59Z"),
			EndAt: at("2026-03-29T06:30:00Z"), UTCOffsetMin: 120, EndUTCOffsetMin: 120, LocalDate: day, Value: value(30)},
		{Kind: schemas.KindWorkoutTrack, Name: "w-1", Metric: "heart_rate", StartAt: at("2026-03-29T05:59:59Z"),
			HourAt: at("2026-03-29T05:00:00Z"), LocalDate: day, UTCOffsetMin: 120, PeriodMS: 1000,
			OffsetsMS: []int32{3_599_000}, Values: []int32{120}},
		{Kind: schemas.KindWorkoutTrack, Name: "w-1", Metric: "heart_rate", StartAt: at("2026-03-29T06:00:00Z"),
			HourAt: at("2026-03-29T06:00:00Z"), LocalDate: day, UTCOffsetMin: 120, PeriodMS: 1000,
			OffsetsMS: []int32{0}, Values: []int32{121}},
		{Kind: schemas.KindReading, Metric: "body_weight", StartAt: at("2026-03-29T05:00:00Z"), UTCOffsetMin: 120,
			LocalDate: day, Value: value(70_500)},
		{Kind: schemas.KindDailySummary, Metric: "total_sleep_time", LocalDate: day, Value: value(431)},
		{Kind: schemas.KindEvent, Metric: "goal", Name: "steps", StartAt: at("2026-03-29T05:00:00Z"),
			EndAt: at("2030-01-01T00:00:00Z"), UTCOffsetMin: 120, LocalDate: day, Value: value(9000), Text: "a walk a day"},
		{Kind: schemas.KindDeletion, Metric: "sleep_segments", Name: "all", StartAt: at("1970-01-02T00:00:00Z"),
			EndAt: at("9999-01-01T00:00:00Z")},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeTrueIsSetAsideWithItsReasonAndTheRestGoesOn(t *testing.T) {
	t.Parallel()
	type reject struct{ Kind, Metric, Reason, Count string }
	hour := func(h int) int64 { return ms("2026-03-29T00:00:00Z") + int64(h)*hourMS }
	for _, c := range []struct {
		name string
		put  func(b *syncv1.Batch)
		want []reject
	}{
		{"a metric nobody knows", func(b *syncv1.Batch) {
			b.Series = []syncv1.Series{{Metric: "mood", StartMS: hour(0), PeriodMS: 1000, Values: []int32{1, 2, 3}}}
		}, []reject{{"series", "mood", "schema_unknown", "3"}}},
		{"a metric of another shape", func(b *syncv1.Batch) {
			b.Series = []syncv1.Series{{Metric: "body_weight", StartMS: hour(0), PeriodMS: 1000, Values: []int32{70_000}}}
			b.Readings = []syncv1.Reading{{Metric: "motion_count", AtMS: hour(0), Value: 61}}
			b.DailySummaries = []syncv1.DailySummary{{Metric: "altitude", LocalDate: *date("2026-03-29"), Value: 61}}
		}, []reject{
			{"series", "body_weight", "schema_unknown", "1"}, {"reading", "motion_count", "schema_unknown", "1"},
			{"daily_summary", "altitude", "schema_unknown", "1"},
		}},
		{"no metric", func(b *syncv1.Batch) {
			b.Series = []syncv1.Series{{StartMS: hour(0), PeriodMS: 1000, Values: []int32{1}}}
			b.Readings = []syncv1.Reading{{AtMS: hour(0)}}
			b.Deletions = []syncv1.Deletion{{FromMS: 1, ToMS: 2}}
		}, []reject{
			{"series", "", "missing_key", "1"}, {"reading", "", "missing_key", "1"}, {"deletion", "", "missing_key", "1"},
		}},
		{"implausible values, those of a piece together", func(b *syncv1.Batch) {
			b.Series = []syncv1.Series{{Metric: "heart_rate", StartMS: hour(0), PeriodMS: 20 * 60_000,
				Values: []int32{0, 61, 255, 0, 24, 251, 25, 250}}}
		}, []reject{{"series", "heart_rate", "value_range", "2"}, {"series", "heart_rate", "value_range", "3"}}},
		{"a clock that was reset", func(b *syncv1.Batch) {
			b.Series = []syncv1.Series{{Metric: "heart_rate", StartMS: earliestMS - 2*hourMS, PeriodMS: hourMS,
				Values: []int32{61, 62, 63}}}
		}, []reject{{"series", "heart_rate", "ancient_ts", "2"}}},
		{"a clock that runs ahead", func(b *syncv1.Batch) {
			b.Series = []syncv1.Series{{Metric: "heart_rate", StartMS: lateMarch.BrokerAtMS + toleranceMS - 1000, PeriodMS: 1000,
				Values: []int32{61, 62, 63, 64}}}
		}, []reject{{"series", "heart_rate", "future_ts", "2"}}},
		{"a reset clock says nothing about the metric", func(b *syncv1.Batch) {
			b.Series = []syncv1.Series{{Metric: "mood", StartMS: 1, PeriodMS: 1000, Values: []int32{1, 2}}}
		}, []reject{{"series", "mood", "ancient_ts", "2"}}},
		{"sleep", func(b *syncv1.Batch) {
			deep := schemas.StageDeep
			b.SleepSegments = []syncv1.SleepSegment{
				{StartMS: hour(1), EndMS: hour(1), Stage: deep},
				{StartMS: hour(2), EndMS: hour(1), Stage: deep},
				{StartMS: hour(0), EndMS: hour(36) + 1, Stage: deep},
				{StartMS: hour(0), EndMS: hour(1)},
				{StartMS: 1, EndMS: hour(1), Stage: deep},
				{StartMS: hour(0), EndMS: lateMarch.BrokerAtMS + toleranceMS + 1, Stage: deep},
			}
		}, []reject{
			{"sleep_segment", "", "bad_interval", "1"}, {"sleep_segment", "", "bad_interval", "1"},
			{"sleep_segment", "", "bad_interval", "1"}, {"sleep_segment", "", "schema_unknown", "1"},
			{"sleep_segment", "", "ancient_ts", "1"}, {"sleep_segment", "", "future_ts", "1"},
		}},
		{"beat-to-beat intervals", func(b *syncv1.Batch) {
			b.RRRuns = []syncv1.RRRun{
				{StartMS: hour(0), IntervalsMS: []int32{800, 0, 800}},
				{StartMS: hour(0), IntervalsMS: []int32{1 << 30}},
				{StartMS: 5, IntervalsMS: []int32{800, -1}},
				{StartMS: lateMarch.BrokerAtMS + toleranceMS, IntervalsMS: []int32{800}},
			}
		}, []reject{
			{"rr_run", "", "value_range", "3"}, {"rr_run", "", "future_ts", "1"}, {"rr_run", "", "ancient_ts", "2"},
			{"rr_run", "", "future_ts", "1"},
		}},
		{"workouts, with all that is in them", func(b *syncv1.Batch) {
			track := []syncv1.Series{{Metric: "heart_rate", StartMS: hour(0), PeriodMS: 1000, Values: []int32{61, 0}}}
			total := []syncv1.Quantity{{Metric: "mood", Value: 1}, {Metric: "moving_time", Value: -1}}
			b.Workouts = []syncv1.Workout{
				{ID: "w", StartMS: hour(1), EndMS: hour(0), Track: track, Totals: total},
				{StartMS: hour(0), EndMS: hour(1)},
				{ID: "w", StartMS: hour(0), EndMS: hour(1), Track: track, Totals: total},
			}
		}, []reject{
			{"workout", "", "bad_interval", "5"}, {"workout", "", "missing_key", "1"},
			{"workout_total", "mood", "schema_unknown", "1"}, {"workout_total", "moving_time", "value_range", "1"},
			{"workout_track", "heart_rate", "value_range", "1"},
		}},
		{"readings", func(b *syncv1.Batch) {
			b.Readings = []syncv1.Reading{
				{Metric: "body_weight", AtMS: earliestMS - 1, Value: 70_000},
				{Metric: "body_weight", AtMS: lateMarch.BrokerAtMS + toleranceMS + 1, Value: 70_000},
				{Metric: "body_weight", AtMS: hour(0), Value: 1999},
				{Metric: "mood", AtMS: hour(0)},
			}
		}, []reject{
			{"reading", "body_weight", "ancient_ts", "1"}, {"reading", "body_weight", "future_ts", "1"},
			{"reading", "body_weight", "value_range", "1"}, {"reading", "mood", "schema_unknown", "1"},
		}},
		{"figures of a day", func(b *syncv1.Batch) {
			b.DailySummaries = []syncv1.DailySummary{
				{Metric: "total_sleep_time", LocalDate: *date("2014-12-31"), Value: 400},
				{Metric: "total_sleep_time", LocalDate: *date("2026-04-02"), Value: 400},
				{Metric: "total_sleep_time", LocalDate: *date("2026-03-29"), Value: 1441},
			}
		}, []reject{
			{"daily_summary", "total_sleep_time", "ancient_ts", "1"}, {"daily_summary", "total_sleep_time", "future_ts", "1"},
			{"daily_summary", "total_sleep_time", "value_range", "1"},
		}},
		{"events", func(b *syncv1.Batch) {
			b.Events = []syncv1.Event{
				{StartMS: hour(0)}, {Kind: "party", StartMS: hour(0)}, {Kind: "worn", StartMS: hour(1), EndMS: hour(1)},
				{Kind: "worn", StartMS: 1},
			}
		}, []reject{
			{"event", "", "missing_key", "1"}, {"event", "party", "schema_unknown", "1"},
			{"event", "worn", "bad_interval", "1"}, {"event", "worn", "ancient_ts", "1"},
		}},
		{"deletions", func(b *syncv1.Batch) {
			b.Deletions = []syncv1.Deletion{{Metric: "heart_rate", FromMS: 2, ToMS: 2}, {Metric: "mood", FromMS: 1, ToMS: 2}}
		}, []reject{{"deletion", "heart_rate", "bad_interval", "1"}, {"deletion", "mood", "schema_unknown", "1"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := emptyBatch()
			c.put(b)
			// What comes after must be taken whatever came before.
			b.Deletions = append(b.Deletions, syncv1.Deletion{Metric: "steps", FromMS: 1, ToMS: 2})
			rows := Rows(b, lateMarch, 1)
			var got []reject
			for _, row := range rows {
				if row.Kind != schemas.KindReject {
					continue
				}
				got = append(got, reject{row.Name, row.Metric, row.Reason, row.Text})
				if row.Value != nil || row.Values != nil || row.Payload != nil {
					t.Errorf("the reject holds a value: %+v", row)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("rejects (-want +got):\n%s", diff)
			}
			if last := rows[len(rows)-1]; last.Kind != schemas.KindDeletion || last.Metric != "steps" {
				t.Errorf("the last row is %+v, want the deletion of steps", last)
			}
		})
	}
}

func TestTheEdgesOfThePlausibleAreTaken(t *testing.T) {
	t.Parallel()
	b := emptyBatch()
	latest := lateMarch.BrokerAtMS + toleranceMS
	b.Series = []syncv1.Series{
		{Metric: "heart_rate", StartMS: earliestMS, Values: []int32{25}},
		{Metric: "heart_rate", StartMS: latest, Values: []int32{250}},
	}
	b.SleepSegments = []syncv1.SleepSegment{{StartMS: latest - longestSleepMS, EndMS: latest, Stage: schemas.StageLight}}
	b.DailySummaries = []syncv1.DailySummary{
		{Metric: "total_sleep_time", LocalDate: *date("2015-01-01"), Value: 0},
		{Metric: "total_sleep_time", LocalDate: *date("2026-04-01"), Value: 1440}, // has begun on Kiritimati
	}
	for _, row := range Rows(b, lateMarch, 1) {
		if row.Kind == schemas.KindReject {
			t.Errorf("set aside: %s %s for %s", row.Name, row.Metric, row.Reason)
		}
	}
}

func TestWhatIsCountedForLongerMayBeMore(t *testing.T) {
	t.Parallel()
	const minute = 60_000
	for _, c := range []struct {
		metric   string
		periodMS int32
		most     int32
	}{
		{"steps", 0, 1000}, {"steps", 1000, 1000}, {"steps", minute, 1000}, {"steps", minute + 1, 2000},
		{"steps", 15 * minute, 15_000}, {"floors", 15 * minute, 1500}, {"distance", 15 * minute, 9_000_000},
		{"active_energy", 60 * minute, 6_000_000}, {"distance", 24 * 60 * minute, 864_000_000},
		{"distance", 20 * 24 * 60 * minute, math.MaxInt32}, {"heart_rate", 15 * minute, 250}, {"stress", 15 * minute, 100},
	} {
		b := emptyBatch()
		b.Series = []syncv1.Series{{Metric: c.metric, StartMS: ms("2026-03-01T00:00:00Z"), PeriodMS: c.periodMS, Values: []int32{c.most}}}
		if c.most < math.MaxInt32 {
			b.Series = append(b.Series, b.Series[0])
			b.Series[1].Values = []int32{c.most + 1}
		}
		kept := []int32{}
		for _, row := range Rows(b, lateMarch, 1) {
			if row.Kind == schemas.KindSeries {
				kept = append(kept, row.Values...)
			}
		}
		if !slices.Equal(kept, []int32{c.most}) {
			t.Errorf("%s of %d ms: kept %d, want %d", c.metric, c.periodMS, kept, c.most)
		}
	}
}

func TestABatchWithoutAValidIdentityIsSetAsideWholeAndItsIdentityStaysOut(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(b *syncv1.Batch){
		"no user":                 func(b *syncv1.Batch) { b.UserID = "" },
		"an e-mail address":       func(b *syncv1.Batch) { b.UserID = "someone@example.org" },
		"a colon in the user":     func(b *syncv1.Batch) { b.UserID = "a:b" },
		"a user of 65 characters": func(b *syncv1.Batch) { b.UserID = strings.Repeat("a", 65) },
		"no device":               func(b *syncv1.Batch) { b.Device.ID = "" },
		"a space in the device":   func(b *syncv1.Batch) { b.Device.ID = "my watch" },
		"no batch":                func(b *syncv1.Batch) { b.BatchID = "" },
		"a slash in the batch":    func(b *syncv1.Batch) { b.BatchID = "a/b" },
	} {
		b := everyKind()
		spoil(b)
		rows := Rows(b, lateMarch, 64)
		if len(rows) != 2 || rows[0].Kind != schemas.KindBatch || rows[1].Kind != schemas.KindReject {
			t.Errorf("%s: %d rows", name, len(rows))
			continue
		}
		if r := rows[1]; r.Reason != "missing_key" || r.Name != "batch" || r.Text != "1" || r.ItemIndex != 1 {
			t.Errorf("%s: the reject is %+v", name, r)
		}
		for _, row := range rows {
			if (row.UserID != "" && row.UserID != "person-1") || (row.DeviceID != "" && row.DeviceID != "watch-1") ||
				(row.BatchID != "" && row.BatchID != "batch-1") {
				t.Errorf("%s: the row of kind %s holds it", name, row.Kind)
			}
		}
	}
	b := emptyBatch()
	b.UserID, b.Device.ID, b.BatchID = "Aa0_.-"+strings.Repeat("a", 58), "AA:BB:01", "2026-03-01T09:00:00Z"
	if rows := Rows(b, lateMarch, 64); len(rows) != 1 {
		t.Errorf("every allowed character, as long as allowed: %d rows", len(rows))
	}
}

func TestABatchOfTooManyRowsIsSetAsideWhole(t *testing.T) {
	t.Parallel()
	b := emptyBatch()
	hourly := make([]int32, 480)
	for i := range hourly {
		hourly[i] = 60
	}
	for range maxRows/len(hourly) + 1 {
		b.Series = append(b.Series, syncv1.Series{Metric: "heart_rate", StartMS: ms("2026-03-01T00:00:00Z"),
			PeriodMS: hourMS, Values: hourly})
	}
	rows := Rows(b, lateMarch, 1)
	if len(rows) != 2 || rows[1].Kind != schemas.KindReject || rows[1].Reason != "too_many_samples" {
		t.Errorf("%d rows, want the batch and its reject", len(rows))
	}
	b.Series = b.Series[:len(b.Series)-2]
	if rows := Rows(b, lateMarch, 1); len(rows) != 1+480*len(b.Series) {
		t.Errorf("%d rows below the limit, want %d", len(rows), 1+480*len(b.Series))
	}
}

func TestADeadLetterHoldsTheBytes(t *testing.T) {
	t.Parallel()
	at := Position{Partition: 2, Offset: 5, BrokerAtMS: ms("2026-03-01T00:00:00Z") - 1}
	want := schemas.SyncRecord{
		Partition: 2, Offset: 5, Kind: schemas.KindDeadLetter, BrokerAt: us("2026-03-01T00:00:00Z") - 1000,
		IngestDate: *date("2026-02-28"), Reason: "decode", Payload: []byte("noise"),
	}
	if diff := cmp.Diff(want, DeadLetter([]byte("noise"), schemas.RejectDecode, at)); diff != "" {
		t.Errorf("row (-want +got):\n%s", diff)
	}
}

func TestTheBucketOfAPersonNeverChanges(t *testing.T) {
	t.Parallel()
	// XXH64 with seed 0, as any other reader of the lake would compute it.
	for user, want := range map[string]int32{"": 0xef46db3751d8e999 % 64, "a": 0xd24ec4f1a98c6e5b % 64, "abc": 0x44bc2cf5ad770999 % 64} {
		if got := Bucket(user, 64); got != want {
			t.Errorf("Bucket(%q, 64) = %d, want %d", user, got, want)
		}
		if got := Bucket(user, 1); got != 0 {
			t.Errorf("Bucket(%q, 1) = %d", user, got)
		}
	}
}

func TestNoSampleIsLostOrInvented(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		b := emptyBatch()
		for range 1 + rng.IntN(3) {
			b.Series = append(b.Series, randomSeries(rng))
		}
		wantSamplesKept(t, b, Position{BrokerAtMS: earliestMS + 30*24*hourMS + rng.Int64N(10*24*hourMS)})
	}
}

func FuzzRows(f *testing.F) {
	f.Add(int64(earliestMS), int64(earliestMS+hourMS), int16(330), uint32(60_000), []byte{61, 0, 63}, []byte{})
	f.Add(int64(earliestMS-1000), int64(earliestMS), int16(-570), uint32(1000), []byte{61, 62, 63}, []byte{0, 1, 250})
	f.Add(int64(earliestMS+5), int64(-1), int16(0), uint32(0), []byte{61, 62}, []byte{3, 3})
	f.Fuzz(func(t *testing.T, startMS, brokerAtMS int64, offsetMin int16, periodMS uint32, values, gaps []byte) {
		s := syncv1.Series{Metric: "heart_rate", StartMS: startMS, OffsetMin: int32(offsetMin), PeriodMS: int32(periodMS)}
		const longest = 2000 // enough for every cut; more only slows the search
		for i, v := range values[:min(len(values), longest)] {
			s.Values = append(s.Values, int32(v))
			if len(gaps) > 0 {
				at := int32(i)
				if i > 0 {
					gap := int32(gaps[i%len(gaps)])
					at = s.AtMS[i-1] + 1 + gap*gap*gap // up to 4.6 hours
				}
				s.AtMS = append(s.AtMS, at)
			}
		}
		b := emptyBatch()
		b.Series = []syncv1.Series{s}
		data, err := syncv1.EncodeProto(b)
		if err != nil {
			return // not a batch
		}
		b, err = syncv1.Decode("", data)
		if err != nil {
			t.Fatal(err)
		}
		const far = 1 << 50
		if brokerAtMS < -far || brokerAtMS > far {
			return
		}
		wantSamplesKept(t, b, Position{BrokerAtMS: brokerAtMS})
	})
}

// wantSamplesKept takes the rows apart again and compares them with what the series said, sample by sample; what is
// missing must be accounted for by the rejects.
func wantSamplesKept(t *testing.T, b *syncv1.Batch, at Position) {
	t.Helper()
	type sample struct {
		AtMS   int64
		Offset int32
		Period int32
		Date   string
		Value  int32
	}
	var want, got []sample
	aside := map[schemas.RejectReason]int{}
	for i := range b.Series {
		s := &b.Series[i]
		for j, v := range s.Values {
			at2015 := time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
			switch when := s.TimeMS(j); {
			case when < at2015:
				aside[schemas.RejectAncientTime]++
			case when > at.BrokerAtMS+600_000:
				aside[schemas.RejectFutureTime]++
			case v < 25 || v > 250:
				aside[schemas.RejectValueRange]++
			default:
				zone := time.FixedZone("", int(s.OffsetMin)*60)
				want = append(want, sample{when, s.OffsetMin, s.PeriodMS, time.UnixMilli(when).In(zone).Format(time.DateOnly), v})
			}
		}
	}
	for _, row := range Rows(b, at, 1) {
		switch row.Kind { //nolint:exhaustive // the others hold no samples of a series
		case schemas.KindReject:
			n, err := strconv.Atoi(row.Text)
			if err != nil {
				t.Fatal(err)
			}
			aside[schemas.RejectReason(row.Reason)] -= n
		case schemas.KindSeries:
			hour := *row.HourAt / 1000
			if hour%hourMS != 0 {
				t.Fatalf("the hour starts at %d", hour)
			}
			regular := len(row.OffsetsMS) == 1 && row.PeriodMS != 0
			if !regular && len(row.OffsetsMS) != len(row.Values) {
				t.Fatalf("%d offsets for %d values", len(row.OffsetsMS), len(row.Values))
			}
			for i, v := range row.Values {
				offset := row.OffsetsMS[0] + int32(i)*row.PeriodMS
				if !regular {
					offset = row.OffsetsMS[i]
				}
				if offset < 0 || offset >= hourMS {
					t.Fatalf("a sample lies %d ms from its hour's start", offset)
				}
				got = append(got, sample{hour + int64(offset), row.UTCOffsetMin, row.PeriodMS,
					schemas.Date(*row.LocalDate).String(), v})
			}
			if *row.StartAt != (hour+int64(row.OffsetsMS[0]))*1000 {
				t.Fatalf("the piece starts at %d", *row.StartAt)
			}
		}
	}
	if !slices.Equal(want, got) { // Diff alone would take most of the test's time
		t.Fatalf("samples (-want +got):\n%s", cmp.Diff(want, got))
	}
	for reason, n := range aside {
		if n != 0 {
			t.Fatalf("%d more set aside for %s than the rejects say", n, reason)
		}
	}
}

func BenchmarkRows(b *testing.B) {
	const hours, start = 2, earliestMS + 20*60_000
	heartRate := syncv1.Series{Metric: "heart_rate", StartMS: start, OffsetMin: 60, PeriodMS: 5000}
	holes := heartRate
	for i := range int32(hours * 720) {
		heartRate.Values = append(heartRate.Values, 60+i%20)
		if i%100 != 50 {
			holes.Values = append(holes.Values, 60+i%20)
			holes.AtMS = append(holes.AtMS, i*5000)
		}
	}
	minutes := syncv1.Series{Metric: "steps", StartMS: start, OffsetMin: 60, PeriodMS: 60_000,
		Values: make([]int32, hours*60)}
	for _, c := range []struct {
		name   string
		series syncv1.Series
	}{{"regular_5s", heartRate}, {"holes_5s", holes}, {"regular_1min", minutes}} {
		b.Run("series="+c.name, func(b *testing.B) {
			batch := emptyBatch()
			batch.Series = []syncv1.Series{c.series}
			b.ReportAllocs()
			for b.Loop() {
				if rows := Rows(batch, lateMarch, 64); len(rows) != 2+hours {
					b.Fatal(len(rows))
				}
			}
			b.ReportMetric(float64(len(c.series.Values))*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}

var lateMarch = Position{Partition: 1, Offset: 99, BrokerAtMS: ms("2026-03-31T12:00:00Z")}

func emptyBatch() *syncv1.Batch {
	return &syncv1.Batch{
		BatchID: "batch-1", UserID: "person-1", Device: syncv1.Device{ID: "watch-1"}, Source: syncv1.SourceNative,
	}
}

// everyKind returns a batch with one item of each kind.
func everyKind() *syncv1.Batch {
	goal := int32(9000)
	b := emptyBatch()
	b.Device = syncv1.Device{ID: "watch-1", Model: "Model 3", Epoch: 2}
	b.Seq, b.SentAtMS, b.OffsetMin, b.TimeZone = 7, ms("2026-03-29T12:00:00Z"), 120, "Europe/Rome"
	b.Series = []syncv1.Series{{Metric: "steps", StartMS: ms("2026-03-29T10:00:00+02:00"), OffsetMin: 120, PeriodMS: 60_000,
		Values: []int32{0, 12}}}
	b.SleepSegments = []syncv1.SleepSegment{{StartMS: ms("2026-03-29T01:00:00+01:00"), EndMS: ms("2026-03-29T03:30:00+02:00"),
		StartOffsetMin: 60, EndOffsetMin: 120, Stage: schemas.StageREM}}
	b.RRRuns = []syncv1.RRRun{{StartMS: ms("2026-03-29T03:59:59+02:00"), OffsetMin: 120, IntervalsMS: []int32{812, 798}}}
	b.Workouts = []syncv1.Workout{{ID: "w-1", Sport: "run", StartMS: ms("2026-03-29T07:59:59+02:00"),
		EndMS: ms("2026-03-29T08:30:00+02:00"), StartOffsetMin: 120, EndOffsetMin: 120,
		Totals: []syncv1.Quantity{{Metric: "moving_time", Value: 30}},
		Track: []syncv1.Series{{Metric: "heart_rate", StartMS: ms("2026-03-29T07:59:59+02:00"), OffsetMin: 120,
			PeriodMS: 1000, Values: []int32{120, 121}}}}}
	b.Readings = []syncv1.Reading{{Metric: "body_weight", AtMS: ms("2026-03-29T07:00:00+02:00"), OffsetMin: 120, Value: 70_500}}
	b.DailySummaries = []syncv1.DailySummary{{Metric: "total_sleep_time", LocalDate: *date("2026-03-29"), Value: 431}}
	b.Events = []syncv1.Event{{Kind: "goal", Name: "steps", StartMS: ms("2026-03-29T07:00:00+02:00"),
		EndMS: ms("2030-01-01T00:00:00Z"), OffsetMin: 120, Value: &goal, Text: "a walk a day"}}
	b.Deletions = []syncv1.Deletion{{AllDevices: true, Metric: "sleep_segments", FromMS: ms("1970-01-02T00:00:00Z"),
		ToMS: ms("9999-01-01T00:00:00Z")}}
	return b
}

func randomSeries(rng *rand.Rand) syncv1.Series {
	periods := []int32{1000, 5000, 60_000, 15 * 60_000, 7 * 60_000, 24 * hourMS}
	offsets := []int32{0, 60, 330, 345, -210, -570, 840}
	s := syncv1.Series{
		Metric: "heart_rate", OffsetMin: offsets[rng.IntN(len(offsets))], PeriodMS: periods[rng.IntN(len(periods))],
		StartMS: earliestMS - 24*hourMS + rng.Int64N(45*24*hourMS), // some before the gate, some after it
	}
	n := rng.IntN(1500)
	if s.PeriodMS == 24*hourMS {
		n = rng.IntN(20)
	}
	irregular, spoiled := rng.IntN(2) == 0, rng.IntN(2) == 0
	at := int32(0)
	for range n {
		v := 25 + rng.Int32N(226)
		if spoiled && rng.IntN(20) == 0 {
			v = rng.Int32N(400) - 50
		}
		s.Values = append(s.Values, v)
		if irregular {
			s.AtMS = append(s.AtMS, at)
			at += min(s.PeriodMS, 60_000) * (1 + rng.Int32N(2)*rng.Int32N(9))
		}
	}
	if irregular && rng.IntN(3) == 0 {
		s.PeriodMS = 0
	}
	return s
}

func series(start string, periodMS int32, values ...int32) syncv1.Series {
	return syncv1.Series{Metric: "heart_rate", StartMS: ms(start), OffsetMin: offsetOf(start), PeriodMS: periodMS, Values: values}
}

func timed(s syncv1.Series, atMS ...int32) syncv1.Series {
	s.AtMS = atMS
	return s
}

func parse(s string) time.Time {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(fmt.Sprintf("the test has a wrong time: %v", err))
	}
	return at
}

func ms(s string) int64 { return parse(s).UnixMilli() }

func us(s string) int64 { return parse(s).UnixMicro() }

func offsetOf(s string) int32 {
	_, seconds := parse(s).Zone()
	return int32(seconds / 60)
}

func date(s string) *int32 {
	d, err := schemas.ParseDate(s)
	if err != nil {
		panic(fmt.Sprintf("the test has a wrong date: %v", err))
	}
	days := int32(d)
	return &days
}

func clock(us *int64) string {
	return strings.TrimSuffix(time.UnixMicro(*us).UTC().Format(time.TimeOnly), ":00")
}
