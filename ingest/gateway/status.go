package gateway

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/token"
	"github.com/diurna-health/diurna/schemas"
)

// How far a batch has come.
const (
	stateReceived = "received" // it is in Kafka
	stateStored   = "stored"   // it is in the lake
	stateCounted  = "counted"  // every figure that depends on it is made
)

// batchStatus is what became of a batch.
type batchStatus struct {
	BatchID    string    `json:"batch_id"`
	State      string    `json:"state"`
	ReceivedAt time.Time `json:"received_at"`
	// Of what is stored; null until it is.
	Items    *int       `json:"items"`  // rows of the batch that are used
	Values   *int       `json:"values"` // samples among them
	SetAside []setAside `json:"set_aside"`
}

// status answers GET /v1/sync/{batch_id}.
func (g *Gateway) status(w http.ResponseWriter, r *http.Request, who *token.Token) error {
	user, err := userOf(r, who)
	if err != nil {
		return err
	}
	batchID := r.PathValue("batch_id")
	if !schemas.ValidName(batchID) {
		return refuse(http.StatusBadRequest, codeInvalid, "a batch_id has 1 to 64 of letters, digits, _ . : and -")
	}
	s, err := g.lookUp(r.Context(), user, batchID)
	if err != nil {
		return err
	}
	writeJSON(w, "application/json", http.StatusOK, s)
	return nil
}

// userOf returns whose batch is asked for.
func userOf(r *http.Request, who *token.Token) (string, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return "", refuse(http.StatusBadRequest, codeInvalid, "the parameters cannot be read: write them as name=value, joined by &")
	}
	for name, all := range values {
		if name != "user" || len(all) > 1 {
			return "", refuse(http.StatusBadRequest, codeInvalid, "there is one parameter, user, and it may stand once")
		}
	}
	user := values.Get("user")
	switch {
	case user == "" && who.UserID != "":
		return who.UserID, nil
	case user == "":
		return "", refuse(http.StatusBadRequest, codeInvalid, "this token is not bound to a person: say whose batch it is with ?user=")
	case !schemas.ValidUserID(user):
		return "", refuse(http.StatusBadRequest, codeInvalid, "a user id has 1 to 64 of letters, digits, _ . and -")
	case !who.Allows(user):
		return "", refuse(http.StatusForbidden, codeForbidden, "this token is bound to another person")
	default:
		return user, nil
	}
}

// lookUp finds out what became of a batch: by its receipt, or, when it came past the gateway, by looking for it.
func (g *Gateway) lookUp(ctx context.Context, user, batchID string) (*batchStatus, error) {
	bronze, err := g.cfg.Lake.Load(ctx, schemas.TableSyncRecords)
	if err != nil {
		return nil, err
	}
	r, known, err := g.receipts.find(ctx, keyOf(user, batchID))
	if err != nil {
		return nil, err
	}
	if !known {
		at, err := g.search(ctx, bronze, user, batchID)
		if err != nil {
			return nil, err
		}
		return g.stored(ctx, bronze, user, batchID, *at)
	}
	received := &batchStatus{BatchID: batchID, State: stateReceived, ReceivedAt: time.UnixMilli(r.receivedMS).UTC()}
	at, stored, err := placeOf(bronze, r)
	if err != nil || !stored {
		return received, err
	}
	return g.stored(ctx, bronze, user, batchID, at)
}

// A place is where the rows of a message lie in bronze.
type place struct {
	partition int32
	offset    int64
}

// placeOf returns where a batch lies in bronze; stored is false while it is not there yet.
func placeOf(bronze *lake.Snapshot, r receipt) (at place, stored bool, err error) {
	partition, ok, err := ingest.LakePartition(bronze, r.source, r.partition)
	if err != nil || !ok {
		return place{}, false, err
	}
	marks, err := bronze.Watermarks(lake.IngestWatermark)
	if err != nil {
		return place{}, false, err
	}
	return place{partition, r.offset}, r.offset < marks[partition], nil
}

// stored describes a batch from its rows.
func (g *Gateway) stored(ctx context.Context, bronze *lake.Snapshot, user, batchID string, at place) (*batchStatus, error) {
	rows, err := g.cfg.Lake.RecordsAt(ctx, bronze, at.partition, at.offset)
	if err != nil {
		return nil, err
	}
	mine := slices.DeleteFunc(rows, func(row schemas.SyncRecord) bool { return row.UserID != user || row.BatchID != batchID })
	if len(mine) == 0 {
		// Bronze is past its place and has not got it: erased since, or deleted from Kafka before it could be read. Then
		// it must not be taken for known when it is sent again.
		if err := g.receipts.drop(ctx, keyOf(user, batchID)); err != nil {
			return nil, err
		}
		return nil, errNotKnown()
	}
	s := &batchStatus{BatchID: batchID, State: stateStored, ReceivedAt: time.UnixMicro(mine[0].BrokerAt).UTC(), SetAside: asideOf(mine)}
	items, values := 0, 0
	for i := range mine {
		switch mine[i].Kind { //nolint:exhaustive // everything else is an item
		case schemas.KindBatch, schemas.KindReject, schemas.KindDeadLetter:
			continue
		}
		items++
		values += len(mine[i].Values)
	}
	s.Items, s.Values = &items, &values
	built, err := g.cfg.Built(ctx)
	if err != nil {
		return nil, err
	}
	if at.offset < built[at.partition] {
		s.State = stateCounted
	}
	return s, nil
}

func errNotKnown() error {
	return refuse(http.StatusNotFound, codeNotFound, "no batch of that id is known of this person: if it was sent, send it again")
}

// searchDays is how far back a batch without a receipt is looked for.
const searchDays = 7

// errFound ends a search.
var errFound = errors.New("found")

// search looks through the newest days of bronze for a batch that came past the gateway. Only one request does that at
// a time.
func (g *Gateway) search(ctx context.Context, bronze *lake.Snapshot, user, batchID string) (*place, error) {
	select {
	case g.searches <- struct{}{}:
		defer func() { <-g.searches }()
	default:
		return nil, later(http.StatusTooManyRequests, codeBusy, time.Second,
			"this batch did not come through this gateway, and another one like that is being looked for: ask again")
	}
	since := int64(schemas.DateOf(g.cfg.Now().UnixMilli(), 0)) - searchDays
	var at *place
	for _, f := range bronze.Files {
		if f.Partition["ingest_date"] < since || !mayHold(f, "user_id", user) || !mayHold(f, "batch_id", batchID) {
			continue
		}
		err := lake.ReadRows(ctx, g.cfg.Lake, f.Path, func(rows []batchName) error {
			for i := range rows {
				if row := &rows[i]; row.BatchID == batchID && row.UserID == user {
					at = &place{row.Partition, row.Offset}
					return errFound
				}
			}
			return ctx.Err()
		})
		if errors.Is(err, errFound) {
			return at, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return nil, errNotKnown()
}

// batchName is the columns of bronze by which a batch is found.
type batchName struct {
	Partition int32  `parquet:"partition"`
	Offset    int64  `parquet:"offset"`
	BatchID   string `parquet:"batch_id,optional,dict"`
	UserID    string `parquet:"user_id,optional,dict"`
}

// mayHold reports whether a file's bounds leave room for a text. Upper bounds may be cut, but then they still bound.
func mayHold(f lake.File, column, text string) bool {
	lower, ok := f.Lower[column]
	upper, okUpper := f.Upper[column]
	return !ok || !okUpper || (lower.Text <= text && text <= upper.Text)
}
