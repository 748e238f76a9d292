package transform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/activity"
	"github.com/diurna-health/diurna/transform/heart"
	"github.com/diurna-health/diurna/transform/hrv"
	"github.com/diurna-health/diurna/transform/hypnogram"
	"github.com/diurna-health/diurna/transform/regularity"
	"github.com/diurna-health/diurna/transform/rest"
	"github.com/diurna-health/diurna/transform/samples"
	"github.com/diurna-health/diurna/transform/stager"
	"github.com/diurna-health/diurna/transform/tracks"
	"github.com/diurna-health/diurna/transform/training"
	"github.com/diurna-health/diurna/transform/trend"
	"github.com/diurna-health/diurna/transform/vitals"
)

// A Function is the Go part of a model, for what sets are the wrong tool: rolling medians, classifiers, tracks.
type Function struct {
	// Fingerprint changes whenever the function would make other rows of the same input: the version of its
	// coefficients, say. It is part of the model's fingerprint.
	Fingerprint string
	// Run turns the rows of the model's select, in the order of its header, into the rows of its outputs. It may read
	// while it is read from. Columns of both sides are found by name.
	Run func(ctx context.Context, rows array.RecordReader) (array.RecordReader, error)
	// RunSeries is Run for a model whose header says series: the hours come as they lie in the lake, beside the rows.
	RunSeries func(ctx context.Context, hours samples.Source, rows array.RecordReader) (array.RecordReader, error)
}

// Functions are the Go parts that models may name, by name.
type Functions map[string]Function

// goFunctions are those of Diurna's own models.
func goFunctions() Functions {
	return Functions{
		"dates":                   {Fingerprint: samples.Fingerprint, RunSeries: samples.Dates},
		"activity_bouts":          {Fingerprint: activity.Fingerprint, Run: activity.BoutRows},
		"activity_days":           {Fingerprint: activity.Fingerprint, Run: activity.DayRows},
		"activity_hours":          {Fingerprint: activity.Fingerprint, Run: activity.HourRows},
		"wear_days":               {Fingerprint: activity.Fingerprint, Run: activity.WearRows},
		"heart_rate_dips":         {Fingerprint: heart.Fingerprint, Run: heart.DipRows},
		"heart_rate_episodes":     {Fingerprint: heart.Fingerprint, Run: heart.EpisodeRows},
		"heart_rate_nights":       {Fingerprint: heart.Fingerprint, Run: heart.NightRows},
		"heart_rate_peak_days":    {Fingerprint: heart.Fingerprint, Run: heart.PeakRows},
		"heart_rate_quality_days": {Fingerprint: heart.Fingerprint, Run: heart.QualityRows},
		"resting_heart_rate_days": {Fingerprint: heart.Fingerprint, Run: heart.RestingRows},
		"hypnogram_nights":        {Fingerprint: hypnogram.Fingerprint, Run: hypnogram.NightRows},
		"hrv_windows":             {Fingerprint: hrv.Fingerprint, Run: hrv.WindowRows},
		"sleep_day_pairs":         {Fingerprint: regularity.Fingerprint, Run: regularity.PairRows},
		"sleep_habits":            {Fingerprint: regularity.Fingerprint, Run: regularity.HabitRows},
		"sleep_regularity":        {Fingerprint: regularity.Fingerprint, Run: regularity.NightRows},
		"stress_days":             {Fingerprint: vitals.Fingerprint, Run: vitals.StressRows},
		"vitals_nights":           {Fingerprint: vitals.Fingerprint, Run: vitals.NightRows},
		"rest_stretches":          {Fingerprint: rest.Fingerprint, Run: rest.StretchRows},
		"sleep_windows":           {Fingerprint: rest.Fingerprint, Run: rest.WindowRows},
		"stage_sleep":             stageSleep(),
		"find_doubles":            {Fingerprint: tracks.Fingerprint, Run: tracks.DoubleRows},
		"find_efforts":            {Fingerprint: tracks.Fingerprint, Run: tracks.EffortRows},
		"measure_workouts":        {Fingerprint: tracks.Fingerprint, Run: tracks.Measures},
		"training_load_days":      {Fingerprint: training.Fingerprint, Run: training.LoadRows},
		"baselines":               {Fingerprint: trend.Fingerprint, Run: trend.Baselines},
		"day_trends":              {Fingerprint: trend.Fingerprint, Run: trend.DayTrends},
		"week_trends":             {Fingerprint: trend.Fingerprint, Run: trend.WeekTrends},
		"weeks":                   {Fingerprint: trend.Fingerprint, Run: trend.Weeks},
		"months":                  {Fingerprint: trend.Fingerprint, Run: trend.Months},
		"years":                   {Fingerprint: trend.Fingerprint, Run: trend.Years},
	}
}

// stageSleep is the classifier of sleep stages with the coefficients of this version.
func stageSleep() Function {
	c, err := stager.Shipped()
	if err != nil { // a table changed by hand stages nobody
		return Function{Run: func(context.Context, array.RecordReader) (array.RecordReader, error) { return nil, err }}
	}
	return Function{
		Fingerprint: c.Version,
		Run: func(ctx context.Context, rows array.RecordReader) (array.RecordReader, error) {
			return stager.Stretches(ctx, rows, c)
		},
	}
}

// fingerprint is what of the functions decides the rows of a model.
func (f Functions) fingerprint(m *Model) string {
	if m.Function == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(m.Function + "\n" + f[m.Function].Fingerprint))
	return hex.EncodeToString(sum[:])
}

// check returns an error when the model names a function that is not there.
func (f Functions) check(m *Model) error {
	if m.Function == "" {
		return nil
	}
	function, ok := f[m.Function]
	switch {
	case !ok:
		return fmt.Errorf("model %s: there is no Go function %q, only %q", m.Name, m.Function, slices.Sorted(maps.Keys(f)))
	case len(m.Series) > 0 && function.RunSeries == nil, len(m.Series) == 0 && function.Run == nil:
		return fmt.Errorf("model %s: the Go function %q takes hours when the header says series, and only then", m.Name, m.Function)
	}
	return nil
}
