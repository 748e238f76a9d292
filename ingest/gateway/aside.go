package gateway

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// A setAside says what of a batch is not used: everything of one kind, metric and reason together.
type setAside struct {
	Kind   string     `json:"kind"`   // series, reading, sleep_segment ...
	Metric *string    `json:"metric"` // null where the kind says it, or none was given
	Reason string     `json:"reason"`
	Count  int        `json:"count"` // of values, or of items
	From   *time.Time `json:"from"`  // the time the first of them claims; null when they have none
	To     *time.Time `json:"to"`
	Remedy string     `json:"remedy"`
}

// maxAside bounds the list: a sender may make up as many names of metrics as it likes.
const maxAside = 100

// look returns what ingest will set aside of a batch that the broker takes at a time. The error is the refusal of a
// batch that it would set aside whole.
func look(b *syncv1.Batch, brokerMS int64) ([]setAside, error) {
	rows := ingest.Rows(b, ingest.Position{BrokerAtMS: brokerMS}, 1)
	for i := range rows {
		if whole := &rows[i]; whole.Kind == schemas.KindReject && whole.Name == string(schemas.KindBatch) {
			detail := "user_id, device.id and batch_id must each be 1 to 64 of letters, digits, _ . : and -, the user_id without a colon"
			if whole.Reason == string(schemas.RejectTooManySamples) {
				detail = "the batch becomes more rows than one batch may"
			}
			return nil, rejected(schemas.RejectReason(whole.Reason), detail)
		}
	}
	return asideOf(rows), nil
}

// asideOf gathers the rejects among rows of bronze.
func asideOf(rows []schemas.SyncRecord) []setAside {
	type group struct{ kind, metric, reason string }
	found := map[group]*setAside{}
	for i := range rows {
		row := &rows[i]
		if row.Kind != schemas.KindReject && row.Kind != schemas.KindDeadLetter {
			continue
		}
		kind := row.Name
		if row.Kind == schemas.KindDeadLetter {
			kind = string(schemas.KindBatch)
		}
		at := group{kind, row.Metric, row.Reason}
		a := found[at]
		if a == nil {
			if len(found) == maxAside {
				continue
			}
			a = &setAside{Kind: kind, Reason: row.Reason}
			if metric := row.Metric; metric != "" { // a copy, that the rows may go
				a.Metric = &metric
			}
			found[at] = a
		}
		count, err := strconv.Atoi(row.Text)
		if err != nil {
			count = 1
		}
		a.Count += count
		a.widen(row.StartAt, row.EndAt)
	}
	list := make([]setAside, 0, len(found))
	for _, a := range found {
		a.Remedy = schemas.RejectReason(a.Reason).Remedy(a.year())
		list = append(list, *a)
	}
	slices.SortFunc(list, func(a, b setAside) int {
		return cmp.Or(cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Kind, b.Kind), cmp.Compare(text(a.Metric), text(b.Metric)))
	})
	return list
}

func (a *setAside) widen(startUS, endUS *int64) {
	if startUS == nil || endUS == nil {
		return
	}
	from, to := writable(*startUS), writable(*endUS)
	if a.From == nil || from.Before(*a.From) {
		a.From = &from
	}
	if a.To == nil || to.After(*a.To) {
		a.To = &to
	}
}

// writable returns a time that RFC 3339 can write: what a broken clock adds up to may lie beyond the year 9999.
func writable(us int64) time.Time {
	return time.UnixMicro(min(us, time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).UnixMicro())).UTC()
}

// year returns the year that the data claims, 0 when it has no time.
func (a *setAside) year() int {
	if a.From == nil {
		return 0
	}
	return a.From.Year()
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
