package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/locales"
	"github.com/diurna-health/diurna/reports/render"
	"github.com/diurna-health/diurna/schemas"
)

// A Delivery is one report on its way through one channel. Everything in it was rendered from one frozen snapshot.
type Delivery struct {
	Revision
	HTML, Text, JSON []byte
	// Notice is the text of a push, without any health value; empty when the reader is not to be told.
	Notice string
	// IdempotencyKey is the same whenever this delivery is handed over again, and of no other.
	IdempotencyKey string
}

// Totals count what became of the queued deliveries.
type Totals struct{ Delivered, Withdrawn, Failed int }

// The pause after a failed hand-over doubles from the first to the last of these.
const (
	firstPause = time.Minute
	lastPause  = 6 * time.Hour
)

// batchSize bounds how many deliveries are in memory at once.
const batchSize = 100

// Options are what Deliver needs besides the ledger.
type Options struct {
	// IsThere reports whether somebody is still to get reports; it is asked for every delivery.
	IsThere func(ctx context.Context, userID string) (bool, error)
	// HandedOver, when set, is called after a channel took a report and before that is marked: an error there leaves
	// the report queued, as the end of the process would.
	HandedOver func(ctx context.Context) error
	Log        *slog.Logger
}

// Deliver hands over everything that is queued and due at now. A channel that fails is tried again later; the others go
// on. An error is one of the ledger, or of the context.
func (o *Outbox) Deliver(ctx context.Context, now time.Time, opts Options) (Totals, error) {
	var totals Totals
	renderers := map[string]*renderer{}
	for {
		queued, err := o.queued(ctx, now)
		if err != nil || len(queued) == 0 {
			return totals, err
		}
		for _, q := range queued {
			if err := o.deliverOne(ctx, now, q, renderers, opts, &totals); err != nil {
				return totals, err
			}
		}
	}
}

// A queuedRow is a row of the outbox with its frozen snapshot.
type queuedRow struct {
	Revision
	channel     string
	isAnnounced bool
	attempts    int
}

func (o *Outbox) queued(ctx context.Context, now time.Time) ([]queuedRow, error) {
	rows, err := o.ledger.QueryContext(ctx, `select q.user_id, q.period, q.revision, q.channel, q.is_announced, q.attempts,
		s.language, s.made_at, s.content_hash, s.snapshot
		from report_outbox as q inner join report_snapshots as s
			on q.user_id = s.user_id and q.kind = s.kind and q.period = s.period and q.revision = s.revision
		where q.state = 'queued' and q.try_at <= ?
		order by q.try_at, q.user_id, q.kind, q.period, q.revision, q.channel limit ?`, now.Unix(), batchSize)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	defer rows.Close()
	var queued []queuedRow
	for rows.Next() {
		var q queuedRow
		var period string
		var madeAt int64
		var data []byte
		if err := rows.Scan(&q.UserID, &period, &q.Number, &q.channel, &q.isAnnounced, &q.attempts,
			&q.Language, &madeAt, &q.ContentHash, &data); err != nil {
			return nil, fmt.Errorf("read outbox: %w", err)
		}
		if q.Period, err = schemas.ParsePeriod(period); err != nil {
			return nil, fmt.Errorf("read outbox: %w", err)
		}
		q.MadeAt, q.Snapshot = time.Unix(madeAt, 0).UTC(), new(reports.Snapshot)
		if err := json.Unmarshal(data, q.Snapshot); err != nil {
			return nil, fmt.Errorf("thaw snapshot: %w", err)
		}
		queued = append(queued, q)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	return queued, nil
}

func (o *Outbox) deliverOne(ctx context.Context, now time.Time, q queuedRow, renderers map[string]*renderer, opts Options,
	totals *Totals,
) error {
	isThere, err := opts.IsThere(ctx, q.UserID)
	if err != nil {
		return fmt.Errorf("ask for the reader: %w", err)
	}
	if !isThere {
		totals.Withdrawn++
		return o.mark(ctx, q, "withdrawn", now)
	}
	err = o.handOver(ctx, q, renderers)
	if ctxErr := ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	if err != nil {
		totals.Failed++
		// The error is not logged as it is: a path or an address in it may name a person.
		opts.Log.WarnContext(ctx, "report not handed over", slog.String(schemas.LogKeyReason, q.channel))
		pause := min(firstPause<<min(q.attempts, 20), lastPause)
		_, err := o.ledger.ExecContext(ctx, `update report_outbox set attempts = attempts + 1, try_at = ?
			where user_id = ? and kind = ? and period = ? and revision = ? and channel = ?`,
			now.Add(pause).Unix(), q.UserID, q.kind(), q.period(), q.Number, q.channel)
		if err != nil {
			return fmt.Errorf("put delivery off: %w", err)
		}
		return nil
	}
	if opts.HandedOver != nil {
		if err := opts.HandedOver(ctx); err != nil {
			return err
		}
	}
	totals.Delivered++
	return o.mark(ctx, q, "delivered", now)
}

func (o *Outbox) handOver(ctx context.Context, q queuedRow, renderers map[string]*renderer) error {
	i := slices.IndexFunc(o.channels, func(c Channel) bool { return c.Name() == q.channel })
	if i < 0 {
		return errors.New("find channel: there is none of that name")
	}
	r := renderers[q.Language]
	if r == nil {
		var err error
		if r, err = newRenderer(q.Language); err != nil {
			return err
		}
		renderers[q.Language] = r
	}
	d, err := r.delivery(q)
	if err != nil {
		return err
	}
	return o.channels[i].Deliver(ctx, d)
}

func (o *Outbox) mark(ctx context.Context, q queuedRow, state string, now time.Time) error {
	_, err := o.ledger.ExecContext(ctx, `update report_outbox set state = ?, done_at = ?
		where user_id = ? and kind = ? and period = ? and revision = ? and channel = ? and state = 'queued'`,
		state, now.Unix(), q.UserID, q.kind(), q.period(), q.Number, q.channel)
	if err != nil {
		return fmt.Errorf("mark delivery: %w", err)
	}
	return nil
}

// A renderer renders in one language and words its notices.
type renderer struct {
	*render.Renderer
	locale *locales.Locale
}

// newRenderer speaks the language, or the fallback when there are no words in it.
func newRenderer(language string) (*renderer, error) {
	languages, err := locales.Languages()
	if err != nil {
		return nil, fmt.Errorf("list languages: %w", err)
	}
	if !slices.Contains(languages, language) {
		language = locales.Fallback
	}
	locale, err := locales.Load(language)
	if err != nil {
		return nil, fmt.Errorf("load language: %w", err)
	}
	r, err := render.New(language)
	if err != nil {
		return nil, fmt.Errorf("load language: %w", err)
	}
	return &renderer{Renderer: r, locale: locale}, nil
}

func (r *renderer) delivery(q queuedRow) (Delivery, error) {
	d := Delivery{Revision: q.Revision, IdempotencyKey: idempotencyKey(q)}
	var err error
	if d.HTML, err = r.HTML(q.Snapshot); err != nil {
		return d, err
	}
	if d.Text, err = r.Text(q.Snapshot); err != nil {
		return d, err
	}
	if d.JSON, err = r.JSON(q.Snapshot); err != nil {
		return d, err
	}
	if q.isAnnounced {
		id := "push." + q.kind()
		if q.Number > 1 {
			id = "push.corrected." + q.kind()
		}
		if d.Notice, err = r.locale.Say(id, nil); err != nil {
			return d, err
		}
	}
	return d, nil
}
