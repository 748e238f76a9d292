package stager

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/diurna-health/diurna/schemas"
)

// A Recording is one person's night with the stages somebody scored from polysomnography.
type Recording struct {
	Person   string // as the file names the person
	Features Features
	labels   []int // a stage, or noStage where nothing was scored
}

// The columns of a file of recordings. Others may be there and are not read; cosine_clock and circadian_clock, which some
// files have, are known to a laboratory only.
var recordingColumns = [...]string{
	"subject_id", "t_seconds_from_first_epoch", "stage_code", "activity_count_feature", "hr_std_feature",
}

const (
	columnPerson = iota
	columnSeconds
	columnStage
	columnActivity
	columnVariability
)

// maxRecordingEpochs is a day: a longer recording is no night.
const maxRecordingEpochs = 86400 / epochS

// ReadRecordings reads a CSV file (plain or gzip) of scored 30 s epochs: subject_id, t_seconds_from_first_epoch,
// stage_code (0 W, 1 N1, 2 N2, 3 and 4 N3, 5 R), activity_count_feature and hr_std_feature. Persons come in the order of
// their ids, numbers by size. An error of code invalid names line and column, and holds no value.
func ReadRecordings(r io.Reader) ([]Recording, error) {
	buffered := bufio.NewReader(r)
	r = buffered
	if magic, err := buffered.Peek(2); err == nil && bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return nil, fmt.Errorf("read gzip: %w", err)
		}
		r = z
	}
	rows, err := readEpochRows(csv.NewReader(r))
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, invalid("the file has no epochs")
	}
	slices.SortStableFunc(rows, func(a, b epochRow) int { return comparePersons(a.person, b.person) })
	var recordings []Recording
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].person == rows[0].person {
			n++
		}
		rec, err := newRecording(rows[:n])
		if err != nil {
			return nil, err
		}
		recordings, rows = append(recordings, rec), rows[n:]
	}
	return recordings, nil
}

func invalid(format string, args ...any) error {
	return &schemas.Error{Code: schemas.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// comparePersons orders ids that are numbers by size and before others.
func comparePersons(a, b string) int {
	x, errA := strconv.ParseUint(a, 10, 64)
	y, errB := strconv.ParseUint(b, 10, 64)
	switch {
	case errA == nil && errB == nil:
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
	case errA == nil:
		return -1
	case errB == nil:
		return 1
	}
	return cmp.Compare(a, b)
}

// An epochRow is a line of the file.
type epochRow struct {
	line                  int
	person                string
	epoch, label          int
	activity, variability float64
}

// labelOfCode is the stage of each stage_code: N1 and N2 are light, N3 and what was once N4 deep.
var labelOfCode = [...]int{wake, light, light, deep, deep, rem}

func readEpochRows(in *csv.Reader) ([]epochRow, error) {
	in.ReuseRecord = true
	header, err := in.Read()
	if err != nil {
		return nil, csvError(err)
	}
	var at [len(recordingColumns)]int
	for i, name := range recordingColumns {
		if at[i] = slices.Index(header, name); at[i] < 0 {
			return nil, invalid("line 1: column %s is missing", name)
		}
	}
	var rows []epochRow
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, csvError(err)
		}
		line, _ := in.FieldPos(0)
		row, column, want := parseEpochRow(record, &at)
		if want != "" {
			return nil, invalid("line %d, column %s: must be %s", line, recordingColumns[column], want)
		}
		row.line = line
		rows = append(rows, row)
	}
}

// csvError says where a file is no CSV, without its text.
func csvError(err error) error {
	if errors.Is(err, io.EOF) {
		return invalid("the file is empty")
	}
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return invalid("line %d, character %d: %s", e.Line, e.Column, e.Err)
	}
	return fmt.Errorf("read: %w", err)
}

// parseEpochRow returns the row or, with want, what its column must be.
func parseEpochRow(record []string, at *[len(recordingColumns)]int) (row epochRow, column int, want string) {
	row.person = string([]byte(record[at[columnPerson]])) // the reader's record is used again
	if row.person == "" {
		return row, columnPerson, "a name"
	}
	seconds, err := strconv.ParseFloat(record[at[columnSeconds]], 64)
	if err != nil || seconds < 0 || seconds != math.Trunc(seconds) || math.Mod(seconds, epochS) != 0 || seconds >= maxRecordingEpochs*epochS {
		return row, columnSeconds, "a multiple of 30, from 0 to a day"
	}
	row.epoch = int(seconds) / epochS
	code, err := strconv.Atoi(record[at[columnStage]])
	if err != nil || code < 0 || code >= len(labelOfCode) {
		return row, columnStage, "a stage from 0 to 5"
	}
	row.label = labelOfCode[code]
	for _, f := range []struct {
		column int
		value  *float64
	}{{columnActivity, &row.activity}, {columnVariability, &row.variability}} {
		v, err := strconv.ParseFloat(record[at[f.column]], 64)
		if err != nil || !(v >= 0) || math.IsInf(v, 0) {
			return row, f.column, "a number, 0 or more"
		}
		*f.value = v
	}
	return row, 0, ""
}

// newRecording puts a person's rows on the grid of epochs.
func newRecording(rows []epochRow) (Recording, error) {
	rec := Recording{Person: rows[0].person}
	n := 0
	for _, r := range rows {
		n = max(n, r.epoch+1)
	}
	activity, variability := slices.Repeat([]float64{math.NaN()}, n), slices.Repeat([]float64{math.NaN()}, n)
	rec.labels = slices.Repeat([]int{noStage}, n)
	rec.Features = Features{Activity: make([]float64, n), HRVariability: make([]float64, n), Observed: make([]bool, n)}
	for _, r := range rows {
		if rec.Features.Observed[r.epoch] {
			return rec, invalid("line %d, column %s: the person has this epoch already", r.line, recordingColumns[columnSeconds])
		}
		rec.Features.Observed[r.epoch] = true
		rec.labels[r.epoch], activity[r.epoch], variability[r.epoch] = r.label, r.activity, r.variability
	}
	bridge(rec.Features.Activity, activity)
	bridge(rec.Features.HRVariability, variability)
	return rec, nil
}
