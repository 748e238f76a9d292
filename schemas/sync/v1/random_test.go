package syncv1

import (
	"math/rand/v2"

	"github.com/diurna-health/diurna/schemas"
)

// randomBatch makes a batch as Decode would return it: every shape of series, all kinds of item, values over the whole
// range of 32 bits.
func randomBatch(rng *rand.Rand) *Batch {
	b := &Batch{
		BatchID:   "batch-1",
		UserID:    "person-1",
		Device:    Device{ID: "watch-1", Model: "Model 3", Firmware: "1.2", Kind: "watch", Epoch: rng.Uint32N(3)},
		Seq:       rng.Uint64N(1 << 63),
		SentAtMS:  randomInstant(rng),
		OffsetMin: randomOffset(rng),
		TimeZone:  "Asia/Kolkata",
		Source:    []Source{SourceNative, SourceManual, SourceImport}[rng.IntN(3)],
		Series:    randomAllSeries(rng),
	}
	for range rng.IntN(4) {
		stages := append(schemas.SleepStages(), "")
		b.SleepSegments = append(b.SleepSegments, SleepSegment{
			StartMS: randomInstant(rng), EndMS: randomInstant(rng),
			StartOffsetMin: randomOffset(rng), EndOffsetMin: randomOffset(rng), Stage: stages[rng.IntN(len(stages))],
		})
	}
	for range rng.IntN(3) {
		b.RRRuns = append(b.RRRuns, RRRun{
			StartMS: randomInstant(rng), OffsetMin: randomOffset(rng), IntervalsMS: randomValues(rng, rng.IntN(9)),
		})
	}
	for range rng.IntN(3) {
		w := Workout{
			ID: "w \"1\"\n", Sport: "run", StartMS: randomInstant(rng), EndMS: randomInstant(rng),
			StartOffsetMin: randomOffset(rng), EndOffsetMin: randomOffset(rng), Track: randomAllSeries(rng),
		}
		for range rng.IntN(3) {
			w.Totals = append(w.Totals, Quantity{"distance", int32(rng.Uint32())})
		}
		b.Workouts = append(b.Workouts, w)
	}
	for range rng.IntN(4) {
		b.Readings = append(b.Readings, Reading{"body_weight", randomInstant(rng), randomOffset(rng), int32(rng.Uint32())})
		b.DailySummaries = append(b.DailySummaries, DailySummary{"total_sleep_time", rng.Int32N(40_000) - 20_000, 7})
		e := Event{Kind: "tag", Name: "travel", StartMS: randomInstant(rng), OffsetMin: randomOffset(rng), Text: "a \\ é ☕"}
		if rng.IntN(2) == 0 {
			v := int32(rng.Uint32())
			e.Value, e.EndMS = &v, randomInstant(rng)
		}
		b.Events = append(b.Events, e)
		b.Deletions = append(b.Deletions, Deletion{rng.IntN(2) == 0, "steps", randomInstant(rng), randomInstant(rng)})
	}
	return b
}

func randomAllSeries(rng *rand.Rand) (all []Series) {
	for range rng.IntN(5) {
		s := Series{
			Metric: "heart_rate", StartMS: randomInstant(rng), OffsetMin: randomOffset(rng),
			PeriodMS: []int32{0, 1000, 60_000}[rng.IntN(3)], Values: randomValues(rng, rng.IntN(40)),
		}
		step := int32(1)
		if rng.IntN(2) == 0 {
			step = max(s.PeriodMS, 1) // with holes, or without: then AtMS goes again
		}
		if s.PeriodMS == 0 || rng.IntN(2) == 0 {
			at := rng.Int32N(2) * step
			for range s.Values {
				s.AtMS = append(s.AtMS, at)
				at += step * []int32{1, 1, 1, 2, 5, 400}[rng.IntN(6)]
			}
		}
		if regular(s.AtMS, s.PeriodMS) {
			s.AtMS = nil
		}
		all = append(all, s)
	}
	return all
}

func randomValues(rng *rand.Rand, n int) (values []int32) {
	for range n {
		v := int32(rng.IntN(200))
		if rng.IntN(10) == 0 {
			v = int32(rng.Uint32())
		}
		values = append(values, v)
	}
	return values
}

func randomInstant(rng *rand.Rand) int64 {
	if rng.IntN(10) == 0 {
		return minInstantMS + rng.Int64N(maxInstantMS-minInstantMS+1)
	}
	return 1_772_348_400_000 + rng.Int64N(1_000_000_000)
}

func randomOffset(rng *rand.Rand) int32 {
	offsets := []int32{0, 60, 330, 345, -210, -720, 840, MaxOffsetMin, -MaxOffsetMin}
	return offsets[rng.IntN(len(offsets))]
}
