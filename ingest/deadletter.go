package ingest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// A SetAside is something that bronze holds and nothing uses: a whole message that could not be read, a batch, an item,
// or values of one kind. It does not say whose it is.
type SetAside struct {
	Partition  int32 // of the lake
	Offset     int64
	Whole      bool // a dead letter: the message could not be read, and its bytes are kept
	Kind       schemas.RecordKind
	Metric     string // "" for whole messages
	Reason     schemas.RejectReason
	Count      int // of items or values
	ReceivedAt time.Time
	From, To   time.Time // the times it claims; zero when it has none
}

// Position returns where it came from: PARTITION:OFFSET.
func (s *SetAside) Position() string {
	return strconv.Itoa(int(s.Partition)) + ":" + strconv.FormatInt(s.Offset, 10)
}

// setAsideColumns are the columns of bronze that a SetAside is made from.
type setAsideColumns struct {
	Partition int32              `parquet:"partition"`
	Offset    int64              `parquet:"offset"`
	Kind      schemas.RecordKind `parquet:"kind,dict"`
	BrokerAt  int64              `parquet:"broker_at,timestamp(microsecond)"`
	Metric    string             `parquet:"metric,optional,dict"`
	StartAt   *int64             `parquet:"start_at,optional,timestamp(microsecond)"`
	EndAt     *int64             `parquet:"end_at,optional,timestamp(microsecond)"`
	Name      string             `parquet:"name,optional,dict"`
	Text      string             `parquet:"text,optional,dict"`
	Reason    string             `parquet:"reason,optional,dict"`
}

// A SetAsideQuery says which of what was set aside is meant. The zero query is all of it.
type SetAsideQuery struct {
	Reason    schemas.RejectReason // "" = any
	Since     time.Time            // received then or later
	WholeOnly bool                 // dead letters alone
}

func (q SetAsideQuery) wants(row *setAsideColumns) bool {
	if row.Kind != schemas.KindDeadLetter && (q.WholeOnly || row.Kind != schemas.KindReject) {
		return false
	}
	return (q.Reason == "" || string(q.Reason) == row.Reason) && row.BrokerAt >= q.Since.UnixMicro()
}

// EachSetAside calls each with everything in bronze that was set aside, in no order. It reads only files that may hold
// some, and of those only the columns it needs.
func EachSetAside(ctx context.Context, l *lake.Lake, q SetAsideQuery, each func(SetAside) error) error {
	files, err := setAsideFiles(ctx, l, q)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := lake.ReadRows(ctx, l, f.Path, func(rows []setAsideColumns) error {
			for i := range rows {
				if !q.wants(&rows[i]) {
					continue
				}
				if err := each(rows[i].setAside()); err != nil {
					return err
				}
			}
			return ctx.Err()
		}); err != nil {
			return fmt.Errorf("read what was set aside: %w", err)
		}
	}
	return nil
}

// setAsideFiles returns the files of bronze that may hold what is wanted, in order of partition and offset.
func setAsideFiles(ctx context.Context, l *lake.Lake, q SetAsideQuery) ([]lake.File, error) {
	bronze, err := l.Load(ctx, schemas.TableSyncRecords)
	if errors.Is(err, lake.ErrNoTable) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var files []lake.File
	for _, f := range bronze.Files {
		lower, some := f.Lower["reason"] // a column without any value has no bounds
		upper, timed := f.Upper["broker_at"]
		if !some || q.Reason != "" && (string(q.Reason) < lower.Text || string(q.Reason) > f.Upper["reason"].Text) ||
			timed && upper.Int < q.Since.UnixMicro() {
			continue
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b lake.File) int {
		return cmp.Or(cmp.Compare(a.Lower["partition"].Int, b.Lower["partition"].Int), cmp.Compare(a.Lower["offset"].Int, b.Lower["offset"].Int))
	})
	return files, nil
}

func (c *setAsideColumns) setAside() SetAside {
	s := SetAside{Partition: c.Partition, Offset: c.Offset, Whole: c.Kind == schemas.KindDeadLetter, Kind: schemas.RecordKind(c.Name),
		Metric: c.Metric, Reason: schemas.RejectReason(c.Reason), Count: countOf(c.Text), ReceivedAt: time.UnixMicro(c.BrokerAt).UTC()}
	if s.Whole {
		s.Kind = schemas.KindBatch
	}
	if c.StartAt != nil && c.EndAt != nil {
		s.From, s.To = time.UnixMicro(*c.StartAt).UTC(), time.UnixMicro(*c.EndAt).UTC()
	}
	return s
}

// countOf reads how many values or items a row of what was set aside stands for.
func countOf(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 1
	}
	return n
}

// A Letter is a dead letter with its bytes.
type Letter struct {
	SetAside
	Payload []byte
}

// letterColumns are the columns of bronze that a Letter is made from.
type letterColumns struct {
	Partition int32              `parquet:"partition"`
	Offset    int64              `parquet:"offset"`
	Kind      schemas.RecordKind `parquet:"kind,dict"`
	BrokerAt  int64              `parquet:"broker_at,timestamp(microsecond)"`
	Reason    string             `parquet:"reason,optional,dict"`
	Payload   []byte             `parquet:"payload,optional"`
}

// lettersAtOnce is how many rows are read at a time where each may hold a message.
const lettersAtOnce = 8

// EachLetter calls each with the dead letters that are wanted, in order of partition and offset. The bytes are good until
// each returns.
func EachLetter(ctx context.Context, l *lake.Lake, q SetAsideQuery, each func(Letter) error) error {
	q.WholeOnly = true
	files, err := setAsideFiles(ctx, l, q)
	if err != nil {
		return err
	}
	for _, f := range files {
		if err := lake.ScanRows(ctx, l, f.Path, lettersAtOnce, func(rows []letterColumns) error {
			for i := range rows {
				row := &rows[i]
				columns := setAsideColumns{Partition: row.Partition, Offset: row.Offset, Kind: row.Kind, BrokerAt: row.BrokerAt, Reason: row.Reason}
				if !q.wants(&columns) {
					continue
				}
				if err := each(Letter{columns.setAside(), row.Payload}); err != nil {
					return err
				}
			}
			return ctx.Err()
		}); err != nil {
			return fmt.Errorf("read dead letters: %w", err)
		}
	}
	return nil
}

// Requeues remembers which messages were sent again, by their bytes: a message that is set aside again after that comes
// to lie at another position and is still the same.
type Requeues struct{ ledger *sql.DB }

// NewRequeues returns what a ledger, which must be migrated, remembers.
func NewRequeues(ledger *sql.DB) *Requeues { return &Requeues{ledger} }

// Done reports whether a message of these bytes was sent again.
func (r *Requeues) Done(ctx context.Context, payload []byte) (bool, error) {
	hash := sha256.Sum256(payload)
	var n int
	err := r.ledger.QueryRowContext(ctx, "select count(*) from dead_letter_requeues where payload_sha256 = ?", hash[:]).Scan(&n)
	if err != nil {
		return false, fmt.Errorf("look up requeued dead letters: %w", err)
	}
	return n > 0, nil
}

// Record remembers that messages of these bytes were sent again.
func (r *Requeues) Record(ctx context.Context, payloads [][]byte, now time.Time) (err error) {
	tx, err := r.ledger.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("record requeued dead letters: %w", err)
	}
	for _, payload := range payloads {
		hash := sha256.Sum256(payload)
		if _, err := tx.ExecContext(ctx, `insert into dead_letter_requeues (payload_sha256, requeued_at_ms) values (?, ?)
			on conflict do nothing`, hash[:], now.UnixMilli()); err != nil {
			return errors.Join(fmt.Errorf("record requeued dead letters: %w", err), tx.Rollback())
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("record requeued dead letters: %w", err)
	}
	return nil
}

// HeaderRequeued is the header of a message that was sent again: the position of the dead letter it was, in the lake.
const HeaderRequeued = "diurna-requeued"
