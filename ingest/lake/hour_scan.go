package lake

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/parquet-go/parquet-go"

	"github.com/diurna-health/diurna/schemas"
)

// PersonDates are some dates of a person, as days since 1970, in order.
type PersonDates struct {
	UserID string
	Dates  []int32
}

// An HourScan walks through the hours of some people's dates, person by person, in files of series_hours. It reads the
// columns that tell of samples and no other, and of groups of rows those that may hold one of the people.
type HourScan struct {
	people  []PersonDates // still to come
	metrics []string
	files   []localFile // still to be opened, by the first person in them
	runs    []*scanRun  // open ones
	hours   []schemas.SeriesHour
	held    struct{ offsets, values []int32 } // by the hours
	err     error
}

// A localFile is a data file and where its bytes are.
type localFile struct {
	path         string
	lower, upper string // the people in it are between these, both included
	isKnown      bool   // they are
}

// ScanHours begins a scan of files of series_hours, whose bytes are at the given paths. The people are in order of their
// ids, each once. Close ends it.
func ScanHours(files []File, paths []string, metrics []string, people []PersonDates) *HourScan {
	s := &HourScan{people: people, metrics: metrics}
	for i, f := range files {
		lower, hasLower := f.Lower["user_id"]
		upper, hasUpper := f.Upper["user_id"]
		s.files = append(s.files, localFile{paths[i], lower.Text, upper.Text, hasLower && hasUpper})
	}
	slices.SortStableFunc(s.files, func(a, b localFile) int { return cmp.Compare(a.lower, b.lower) })
	return s
}

// Next goes on to the next of the people who has such hours, and reports whether there is one.
func (s *HourScan) Next(ctx context.Context) bool {
	for s.err == nil && len(s.people) > 0 {
		next := s.people[0]
		s.people = s.people[1:]
		if s.err = context.Cause(ctx); s.err == nil {
			s.err = s.gather(ctx, next)
		}
		if s.err == nil && len(s.hours) > 0 {
			return true
		}
	}
	return false
}

// Hours returns the person's hours, date by date; those of a date are as they lie in the files. They have no revisions.
// Their lists go when the next person comes, and may be changed until then.
func (s *HourScan) Hours() []schemas.SeriesHour { return s.hours }

// Err returns what ended the scan before its end.
func (s *HourScan) Err() error { return s.err }

// Close lets go of the files.
func (s *HourScan) Close() {
	for _, run := range s.runs {
		run.file.close()
	}
	s.runs = nil
}

// gather finds the hours of a person.
func (s *HourScan) gather(ctx context.Context, person PersonDates) error {
	s.hours, s.held.offsets, s.held.values = s.hours[:0], s.held.offsets[:0], s.held.values[:0]
	if err := s.open(ctx, person.UserID); err != nil {
		return err
	}
	for _, run := range s.runs {
		if err := run.seek(person.UserID); err != nil {
			return err
		}
		for !run.isDone && run.user == person.UserID {
			if err := s.take(run, person.Dates); err != nil {
				return err
			}
		}
	}
	s.runs = slices.DeleteFunc(s.runs, func(run *scanRun) bool {
		if run.isDone {
			run.file.close()
		}
		return run.isDone
	})
	slices.SortStableFunc(s.hours, func(a, b schemas.SeriesHour) int { return cmp.Compare(a.LocalDate, b.LocalDate) })
	return nil
}

// open opens the files that begin with the person or before, and may have the person's rows.
func (s *HourScan) open(ctx context.Context, user string) error {
	for len(s.files) > 0 && (!s.files[0].isKnown || s.files[0].lower <= user) {
		f := s.files[0]
		s.files = s.files[1:]
		if f.isKnown && f.upper < user {
			continue
		}
		run, err := openScanRun(ctx, f.path, s.metrics)
		if err != nil {
			return err
		}
		s.runs = append(s.runs, run)
	}
	return nil
}

// take takes the row at which a run stands, when it is of one of the dates, and goes on to the next.
func (s *HourScan) take(run *scanRun, dates []int32) error {
	f, row := run.file, run.row
	if _, ok := slices.BinarySearch(dates, f.date.rows[row]); ok && run.isOfMetrics(row) {
		offsets, values := f.offsets.of(row), f.values.of(row)
		atOffset, atValue := len(s.held.offsets), len(s.held.values)
		s.held.offsets, s.held.values = append(s.held.offsets, offsets...), append(s.held.values, values...)
		s.hours = append(s.hours, schemas.SeriesHour{
			UserID: run.user, Metric: f.metric.text(row), DeviceID: f.device.text(row), Source: f.source.text(row),
			HourAt: f.hourAt.rows[row], LocalDate: f.date.rows[row], UTCOffsetMin: f.offset.rows[row], PeriodMS: f.period.rows[row],
			OffsetsMS: s.held.offsets[atOffset:len(s.held.offsets):len(s.held.offsets)],
			Values:    s.held.values[atValue:len(s.held.values):len(s.held.values)],
		})
	}
	return run.next()
}

// A scanRun walks through the rows of a file, which are in order of person.
type scanRun struct {
	file     *hourFile
	row      int // of the chunk that was read
	rows     int // of the chunk
	user     string
	number   uint32 // the user's
	isDone   bool
	metrics  []string
	isWanted []bool // by number of the metric
}

func openScanRun(ctx context.Context, path string, metrics []string) (*scanRun, error) {
	f, err := NewLocalStore("", osFS{}).Open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open data file: %w", err)
	}
	r := &scanRun{file: &hourFile{}, metrics: metrics}
	known := newSymbols()
	r.file.columnFile, err = columnsIn(ctx, f, path, func(s *parquet.Schema) []column { return r.file.sampleColumns(s, known) })
	return r, err
}

// seek goes on to the first row of a person, or of one who comes after.
func (r *scanRun) seek(user string) error {
	for !r.isDone && r.user < user {
		if r.row >= r.rows {
			if err := r.read(user); err != nil {
				return err
			}
		} else if err := r.step(); err != nil {
			return err
		}
	}
	return nil
}

// next goes on to the next row.
func (r *scanRun) next() error {
	if err := r.step(); err != nil || r.row < r.rows {
		return err
	}
	return r.read(r.user)
}

// step goes on to the next row of the chunk, if there is one.
func (r *scanRun) step() error {
	r.row++
	if r.row < r.rows {
		return r.meet()
	}
	return nil
}

// read reads the next chunk of rows that may hold the person or who comes after.
func (r *scanRun) read(user string) error {
	for r.file.left == 0 && len(r.file.groups) > 0 {
		if _, upper, known := r.file.people(r.file.groups[0]); !known || upper >= user {
			break
		}
		r.file.groups = r.file.groups[1:]
	}
	n, err := r.file.read()
	r.row, r.rows, r.isDone = 0, n, n == 0
	if err != nil || r.isDone {
		return err
	}
	return r.meet()
}

// meet notes whose row it is. Rows that are not in order of person would be left out without anybody noticing.
func (r *scanRun) meet() error {
	if n := r.file.user.rows[r.row]; n != r.number {
		user := r.file.user.text(r.row)
		if user < r.user {
			return fmt.Errorf("rows of the file %s are not in the order of its table", r.file.path)
		}
		r.user, r.number = user, n
	}
	return nil
}

func (r *scanRun) isOfMetrics(row int) bool {
	n := int(r.file.metric.rows[row])
	for i := len(r.isWanted); i <= n; i++ {
		r.isWanted = append(r.isWanted, slices.Contains(r.metrics, r.file.metric.symbols.text(uint32(i))))
	}
	return r.isWanted[n]
}
