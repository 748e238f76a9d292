package lake

import (
	"cmp"
	"slices"

	"github.com/diurna-health/diurna/schemas"
)

// dirtySet collects the days that changed.
type dirtySet struct {
	seen map[dirtyKey]struct{}
	last dirtyKey // what is added again most often
}

// Why a day is dirty.
const (
	dirtyByData     = "data"
	dirtyByDeletion = "deletion"
)

type dirtyKey struct {
	partition int32
	dirtyPlace
	reason string
}

type dirtyPlace struct {
	user   string
	bucket int32
	date   int32
}

func (d *dirtySet) add(partition int32, place dirtyPlace, reason string) {
	key := dirtyKey{partition, place, reason}
	if key == d.last {
		return
	}
	if d.seen == nil {
		d.seen = map[dirtyKey]struct{}{}
	}
	d.seen[key], d.last = struct{}{}, key
}

func (d *dirtySet) days(table string, upto map[int32]int64) []schemas.DirtyDay {
	days := make([]schemas.DirtyDay, 0, len(d.seen))
	for k := range d.seen {
		days = append(days, schemas.DirtyDay{
			Partition: k.partition, Offset: upto[k.partition], UserID: k.user, UserBucket: k.bucket,
			LocalDate: k.date, Domain: table, Reason: k.reason,
		})
	}
	slices.SortFunc(days, func(a, b schemas.DirtyDay) int {
		return cmp.Or(cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.UserID, b.UserID),
			cmp.Compare(a.LocalDate, b.LocalDate), cmp.Compare(a.Reason, b.Reason))
	})
	return days
}
