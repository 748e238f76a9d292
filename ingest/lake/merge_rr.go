package lake

import (
	"cmp"

	"github.com/diurna-health/diurna/schemas"
)

const deletesRRRuns = "rr_runs"

// rrRuns keeps runs whole: another run of the device that overlaps one is another run.
func rrRuns() merging[schemas.RRRunRow] {
	type row = schemas.RRRunRow
	revision := func(s *row) *schemas.Revision { return &s.Revision }
	place := func(s *row) about {
		return about{user: s.UserID, bucket: s.UserBucket, device: s.DeviceID, metric: deletesRRRuns,
			from: s.StartAt, to: s.StartAt, date: s.LocalDate}
	}
	return merging[row]{
		table: schemas.TableRRRuns,
		fresh: eachOf(schemas.KindRRRun, func(rec *schemas.SyncRecord) row {
			return row{UserID: rec.UserID, UserBucket: rec.UserBucket, DeviceID: rec.DeviceID,
				StartAt: *rec.StartAt, EndAt: *rec.EndAt, LocalMonth: monthOf(*rec.LocalDate), LocalDate: *rec.LocalDate,
				UTCOffsetMin: rec.UTCOffsetMin, Source: rec.Source, IntervalsMS: rec.Values, Revision: revisionOf(rec)}
		}),
		partition:   func(s *row) filePartition { return filePartition{s.LocalMonth, s.UserBucket, true} },
		values:      rrValues,
		timeColumns: []string{"start_at"},
		compare:     compareRRRuns,
		resolve:     newest(revision, place),
		same:        sameItems(revision),
		about:       place,
	}
}

func compareRRRuns(a, b *schemas.RRRunRow) int {
	return cmp.Or(cmp.Compare(a.UserID, b.UserID), cmp.Compare(a.DeviceID, b.DeviceID), cmp.Compare(a.StartAt, b.StartAt))
}

func rrValues(s *schemas.RRRunRow) int { return len(s.IntervalsMS) }
