package fitabase

import (
	"fmt"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

const minutesPerHour = 60

// A kind is one form of file. Columns are found by name, in lower case, in whatever order they stand.
type kind struct {
	columns []string // that must be there; the first is the id
	exact   bool     // and no others: the names alone say too little
	take    func(r *rowReader, cells []string) error
	column  columnIndex // where samples go, when the file holds samples
	prefix  string      // of the sixty columns of a wide file
}

// kinds lists every form of file that is read. A form is told by the columns it has.
func kinds() []*kind {
	return []*kind{
		{columns: []string{"id", "activityhour"}, prefix: "steps", column: columnSteps, take: (*rowReader).takeHour},
		{columns: []string{"id", "activityhour"}, prefix: "intensity", column: columnIntensity, take: (*rowReader).takeHour},
		{columns: []string{"id", "activityminute", "steps"}, column: columnSteps, take: (*rowReader).takeMinute},
		{columns: []string{"id", "activityminute", "intensity"}, column: columnIntensity, take: (*rowReader).takeMinute},
		{columns: []string{"id", "minute", "hr_bpm"}, column: columnHeartRateByMinute, take: (*rowReader).takeMinute},
		{columns: []string{"id", "time", "value"}, exact: true, column: columnHeartRateSpots, take: (*rowReader).takeSpot},
		{columns: []string{"id", "sleepday", "totalsleeprecords", "totalminutesasleep", "totaltimeinbed"}, take: (*rowReader).takeSleepDay},
		{columns: []string{"id", "date", "weightkg", "fat", "ismanualreport"}, take: (*rowReader).takeWeight},
	}
}

// kindOf returns the kind with that header; nil when there is none.
func kindOf(header []string) *kind {
	names := columnNames(header)
	for _, k := range kinds() {
		if k.fits(names) {
			return k
		}
	}
	return nil
}

func (k *kind) fits(names []string) bool {
	for _, c := range k.wanted() {
		if !slices.Contains(names, c) {
			return false
		}
	}
	return !k.exact || len(names) == len(k.columns)
}

// wanted returns all the columns of the kind, in the order in which take gets their cells.
func (k *kind) wanted() []string {
	columns := slices.Clone(k.columns)
	if k.prefix != "" {
		for minute := range minutesPerHour {
			columns = append(columns, fmt.Sprintf("%s%02d", k.prefix, minute))
		}
	}
	return columns
}

// columnNames returns the header in lower case without the empty columns at its end, which some exports have.
func columnNames(header []string) []string {
	names := make([]string, len(header))
	for i, h := range header {
		names[i] = strings.ToLower(h)
	}
	for len(names) > 0 && names[len(names)-1] == "" {
		names = names[:len(names)-1]
	}
	return names
}

// A columnIndex says in which of a person's columns a sample lies.
type columnIndex int

// The columns.
const (
	columnSteps columnIndex = iota
	columnIntensity
	columnHeartRateByMinute
	columnHeartRateSpots
	columnCount
)

// A series says what the samples of a column are.
type series struct {
	metric  string
	periodS int64 // 0 = spot values
}

func (c columnIndex) series() series {
	switch c {
	case columnSteps:
		return series{schemas.Steps, 60}
	case columnIntensity:
		return series{schemas.Intensity, 60}
	case columnHeartRateByMinute:
		return series{schemas.HeartRate, 60}
	default:
		return series{schemas.HeartRate, 0}
	}
}
