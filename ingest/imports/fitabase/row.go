package fitabase

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/diurna-health/diurna/ingest/imports"
	"github.com/diurna-health/diurna/schemas"
)

// A rowReader takes the rows of one file, one after the other, into the people they belong to.
type rowReader struct {
	export *export
	file   file
	names  []string // of the columns
	at     []int    // where the kind's wanted columns stand
	cells  []string // of the row, in the order of wanted
	layout string   // in which the last time was written

	clocks map[string]*imports.Clock // by person: the order of their rows tells which of two hours is meant
	id     string                    // of the row before
	clock  *imports.Clock            // of that person
	person *person
}

func newRowReader(e *export, f file, header []string) *rowReader {
	r := &rowReader{export: e, file: f, names: columnNames(header), clocks: map[string]*imports.Clock{}}
	for _, name := range f.kind.wanted() {
		r.at = append(r.at, slices.Index(r.names, name))
	}
	r.cells = make([]string, len(r.at))
	return r
}

// take reads one row. Its error is what is wrong with it; what of the row can be read is taken all the same.
func (r *rowReader) take(line string) error {
	all := splitRow(line)
	if len(all) < len(r.names) {
		return fmt.Errorf("the row has %d of %d columns", len(all), len(r.names))
	}
	for _, extra := range all[len(r.names):] {
		if extra != "" {
			return fmt.Errorf("the row has more than %d columns", len(r.names))
		}
	}
	for i, at := range r.at {
		r.cells[i] = all[at]
	}
	if err := r.setPerson(r.cells[0]); err != nil {
		return err
	}
	return r.file.kind.take(r, r.cells[1:])
}

func (r *rowReader) setPerson(id string) error {
	if id == r.id && r.person != nil {
		return nil
	}
	if !isUserID(id) {
		return errors.New("the Id is empty or has characters other than letters, digits, _ . and -")
	}
	r.id, r.person = strings.Clone(id), r.export.person(id)
	r.clock = r.clocks[r.id]
	if r.clock == nil {
		r.clock = &imports.Clock{Zone: r.export.zone, Repeats: r.file.kind.prefix == "" && r.file.kind.column.series().periodS == 0}
		r.clocks[r.id] = r.clock
	}
	return nil
}

// takeHour takes a row of a wide file: an hour and the values of its sixty minutes.
func (r *rowReader) takeHour(cells []string) error {
	wall, err := r.wall(cells[0])
	if err != nil {
		return err
	}
	if wall%3600 != 0 {
		return errors.New("the time is not a whole hour")
	}
	var neverWere int
	var bad error
	for minute, cell := range cells[1:] {
		// Empty cells count too: they are part of the order by which the hour that comes twice is known.
		at, err := r.clock.Instant(wall + int64(minute)*60)
		if cell == "" {
			continue
		}
		if err != nil {
			neverWere++
			continue
		}
		value, err := wholeNumber(cell)
		if err != nil {
			bad = fmt.Errorf("minute %02d %w", minute, err)
			continue
		}
		r.add(at, value)
	}
	if neverWere > 0 {
		bad = both(bad, fmt.Errorf("%d minutes of the hour %s never were in %s: the clocks went forward over them",
			neverWere, wallText(wall), r.export.opts.Zone))
	}
	return bad
}

// takeMinute takes a row that tells one minute.
func (r *rowReader) takeMinute(cells []string) error {
	wall, err := r.wall(cells[0])
	if err != nil {
		return err
	}
	if wall%60 != 0 {
		return errors.New("the time is not a whole minute")
	}
	return r.takeSample(wall, cells[1])
}

// takeSpot takes a row that tells one moment.
func (r *rowReader) takeSpot(cells []string) error {
	wall, err := r.wall(cells[0])
	if err != nil {
		return err
	}
	return r.takeSample(wall, cells[1])
}

func (r *rowReader) takeSample(wall int64, cell string) error {
	at, err := r.clock.Instant(wall)
	if cell == "" {
		return nil // the device has no value there
	}
	if err != nil {
		return r.neverWas(wall)
	}
	value, err := wholeNumber(cell)
	if err != nil {
		return fmt.Errorf("the value %w", err)
	}
	r.add(at, value)
	return nil
}

func (r *rowReader) add(at int64, value int32) {
	r.person.columns[r.file.kind.column].add(r.file.name, at, value)
}

// takeSleepDay takes a row that tells the sleep of a date.
func (r *rowReader) takeSleepDay(cells []string) error {
	wall, err := r.wall(cells[0])
	if err != nil {
		return err
	}
	date := int32(floorDiv(wall, secondsPerDay))
	var bad error
	for i, metric := range []string{schemas.SleepRecordCount, schemas.TotalSleepTime, schemas.TimeInBed} {
		cell := cells[1+i]
		if cell == "" {
			continue
		}
		value, err := wholeNumber(cell)
		if err != nil {
			bad = both(bad, fmt.Errorf("%s %w", r.file.kind.columns[2+i], err))
			continue
		}
		r.person.summaries = append(r.person.summaries, summary{date: date, metric: metric, value: value})
	}
	return bad
}

// takeWeight takes a row that tells a weighing.
func (r *rowReader) takeWeight(cells []string) error {
	wall, err := r.wall(cells[0])
	if err != nil {
		return err
	}
	at, err := r.clock.Instant(wall)
	if err != nil {
		return r.neverWas(wall)
	}
	isManual, err := strconv.ParseBool(strings.ToLower(cells[3]))
	if err != nil {
		return errors.New("ismanualreport is neither True nor False")
	}
	var bad error
	for _, q := range []struct {
		name, cell, metric string
		scale              float64
	}{
		{"weightkg", cells[1], schemas.BodyWeight, 1000}, // kilograms to grams
		{"fat", cells[2], schemas.BodyFat, 10},           // percent to permille
	} {
		if q.cell == "" {
			continue
		}
		value, err := scaled(q.cell, q.scale)
		if err != nil {
			bad = both(bad, fmt.Errorf("%s %w", q.name, err))
			continue
		}
		r.person.readings = append(r.person.readings, reading{at: at, metric: q.metric, value: value, isManual: isManual})
	}
	return bad
}

// wall reads a time as it is written in one of the export's ways: seconds since 1970-01-01 00:00 on that wall.
func (r *rowReader) wall(cell string) (int64, error) {
	if r.layout != "" {
		if at, err := time.Parse(r.layout, cell); err == nil {
			return checkedWall(at)
		}
	}
	for _, layout := range []string{
		"1/2/2006 3:04:05 PM", "1/2/2006 3:04 PM", "1/2/2006", "1/2/2006 15:04:05", "1/2/2006 15:04",
		"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02",
	} {
		if at, err := time.Parse(layout, cell); err == nil {
			r.layout = layout
			return checkedWall(at)
		}
	}
	return 0, errors.New("the time is not written as 4/12/2016 1:05:00 PM or 2016-04-12 13:05:00")
}

func checkedWall(at time.Time) (int64, error) {
	if y := at.Year(); y < 1971 || y > 2099 {
		return 0, errors.New("the year is not one in which a watch recorded")
	}
	if at.Nanosecond() != 0 {
		return 0, errors.New("the time has a fraction of a second")
	}
	return at.Unix(), nil
}

func (r *rowReader) neverWas(wall int64) error {
	return fmt.Errorf("%s never was in %s: the clocks went forward over it", wallText(wall), r.export.opts.Zone)
}

func wallText(wall int64) string { return time.Unix(wall, 0).UTC().Format("2006-01-02 15:04") }

// both returns an error that tells the two on one line.
func both(a, b error) error {
	if a == nil {
		return b
	}
	return fmt.Errorf("%w; %w", a, b)
}

// wholeNumber reads a value. Its error does not tell it.
func wholeNumber(cell string) (int32, error) {
	v, err := strconv.ParseInt(cell, 10, 32)
	if err != nil {
		return 0, errors.New("is not a whole number")
	}
	return int32(v), nil
}

// scaled reads a decimal number and returns the nearest whole number of the smaller unit.
func scaled(cell string, scale float64) (int32, error) {
	v, err := strconv.ParseFloat(cell, 64)
	v = math.Round(v * scale)
	if err != nil || math.IsNaN(v) || v < 0 || v > math.MaxInt32 {
		return 0, errors.New("is not a number that can be true")
	}
	return int32(v), nil
}

// isUserID reports whether the wire takes the id.
func isUserID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '_' && c != '.' && c != '-' {
			return false
		}
	}
	return true
}
