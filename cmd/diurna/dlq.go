package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/internal/home"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

func newDLQCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "Look at what was set aside, and send it again after a fix",
		Long: `Dlq is about what was received and could not be used. A message that could not be read is a dead letter: its bytes are
kept and can be sent again. A value or item that cannot be true is counted by its reason; it has no bytes of its own.`,
	}
	cmd.AddCommand(newDLQListCommand(a), newDLQShowCommand(a), newDLQRequeueCommand(a))
	return cmd
}

// setAsideFlags say which of what was set aside is meant.
type setAsideFlags struct{ reason, since string }

func (f *setAsideFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.reason, "reason", "", "only what was set aside for this `REASON`")
	cmd.Flags().StringVar(&f.since, "since", "", "only what was received since this `TIME`: 24h (ago), 2026-03-01 or 2026-03-01T08:00:00Z")
}

func (f *setAsideFlags) query(now time.Time) (q ingest.SetAsideQuery, err error) {
	if q.Reason = schemas.RejectReason(f.reason); f.reason != "" && !slices.Contains(schemas.RejectReasons(), q.Reason) {
		return q, invalid("--reason is %q: it must be one of %s", f.reason, strings.ReplaceAll(joinWords(schemas.RejectReasons()), ",", ", "))
	}
	if f.since == "" {
		return q, nil
	}
	if age, err := time.ParseDuration(f.since); err == nil && age >= 0 {
		q.Since = now.Add(-age)
		return q, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if q.Since, err = time.Parse(layout, f.since); err == nil {
			return q, nil
		}
	}
	return q, invalid("--since is %q: it must be as 24h, 2026-03-01 or 2026-03-01T08:00:00Z", f.since)
}

// withLake opens the lake and the ledger of the home beside whatever runs on it.
func (a *app) withLake(cmd *cobra.Command, do func(db *sql.DB, l *lake.Lake) error) error {
	cfg, log, err := a.setUp(cmd)
	if err != nil {
		return err
	}
	h, err := home.Open(cfg.Home)
	if err != nil {
		return err
	}
	db, l, err := openLake(cmd.Context(), cfg, h, log)
	if err != nil {
		return err
	}
	if err := ledger.Migrate(cmd.Context(), db); err != nil {
		return errors.Join(err, db.Close())
	}
	return errors.Join(do(db, l), db.Close())
}

const defaultNewest = 20

func newDLQListCommand(a *app) *cobra.Command {
	var f setAsideFlags
	var format string
	var newest int
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Count what was set aside by reason, and list the newest dead letters",
		Example: `  diurna dlq list --since 24h
  diurna dlq list --reason decode --format json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkFormat(format); err != nil {
				return err
			}
			q, err := f.query(a.now())
			if err != nil {
				return err
			}
			return a.withLake(cmd, func(db *sql.DB, l *lake.Lake) error {
				list, err := listSetAside(cmd.Context(), db, l, q, newest)
				if err != nil {
					return err
				}
				if format == "json" {
					return writeIndented(a.stdout, list)
				}
				return list.write(a.stdout)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "`FORMAT`: text or json")
	cmd.Flags().IntVar(&newest, "newest", defaultNewest, "how `MANY` of the newest dead letters are listed")
	return cmd
}

func checkFormat(format string) error {
	if format != "text" && format != "json" {
		return invalid("--format is %q: it must be text or json", format)
	}
	return nil
}

func writeIndented(w io.Writer, v any) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(v)
}

// A setAsideList is what `diurna dlq list` says.
type setAsideList struct {
	Reasons []reasonCount `json:"reasons"`
	Letters []letterLine  `json:"newest_dead_letters"`
}

type reasonCount struct {
	Reason   schemas.RejectReason `json:"reason"`
	Messages int                  `json:"messages"` // dead letters
	Entries  int                  `json:"entries"`  // batches, items and runs of values
	Values   int                  `json:"values"`   // in them
	Newest   time.Time            `json:"newest_received_at"`
	Remedy   string               `json:"remedy"`
}

type letterLine struct {
	Position   string               `json:"position"`
	Reason     schemas.RejectReason `json:"reason"`
	ReceivedAt time.Time            `json:"received_at"`
	Bytes      int                  `json:"bytes"`
	Requeued   bool                 `json:"requeued"`
}

func listSetAside(ctx context.Context, db *sql.DB, l *lake.Lake, q ingest.SetAsideQuery, newest int) (*setAsideList, error) {
	counts := map[schemas.RejectReason]*reasonCount{}
	var letters []ingest.SetAside
	err := ingest.EachSetAside(ctx, l, q, func(s ingest.SetAside) error {
		c := counts[s.Reason]
		if c == nil {
			c = &reasonCount{Reason: s.Reason, Remedy: s.Reason.Remedy(0)}
			counts[s.Reason] = c
		}
		if s.Whole {
			c.Messages++
			letters = append(letters, s)
		} else {
			c.Entries++
			c.Values += s.Count
		}
		if s.ReceivedAt.After(c.Newest) {
			c.Newest = s.ReceivedAt
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	list := &setAsideList{Reasons: []reasonCount{}, Letters: []letterLine{}}
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		list.Reasons = append(list.Reasons, *counts[reason])
	}
	slices.SortFunc(letters, func(a, b ingest.SetAside) int {
		return cmp.Or(b.ReceivedAt.Compare(a.ReceivedAt), cmp.Compare(b.Partition, a.Partition), cmp.Compare(b.Offset, a.Offset))
	})
	for _, s := range letters[:min(max(newest, 0), len(letters))] {
		rows, err := rowsAt(ctx, l, s.Partition, s.Offset)
		if err != nil {
			return nil, err
		}
		line := letterLine{Position: s.Position(), Reason: s.Reason, ReceivedAt: s.ReceivedAt}
		for i := range rows {
			if line.Bytes += len(rows[i].Payload); rows[i].Kind != schemas.KindDeadLetter {
				continue
			}
			if line.Requeued, err = ingest.NewRequeues(db).Done(ctx, rows[i].Payload); err != nil {
				return nil, err
			}
		}
		list.Letters = append(list.Letters, line)
	}
	return list, nil
}

func rowsAt(ctx context.Context, l *lake.Lake, partition int32, offset int64) ([]schemas.SyncRecord, error) {
	bronze, err := l.Load(ctx, schemas.TableSyncRecords)
	if errors.Is(err, lake.ErrNoTable) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return l.RecordsAt(ctx, bronze, partition, offset)
}

func (l *setAsideList) write(w io.Writer) error {
	if len(l.Reasons) == 0 {
		_, err := fmt.Fprintln(w, "nothing was set aside")
		return err
	}
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "reason\tdead letters\tentries\tvalues in them\tnewest received at\t")
	for _, c := range l.Reasons {
		fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%s\t\n", c.Reason, c.Messages, c.Entries, c.Values, c.Newest.Format(time.RFC3339))
	}
	if err := out.Flush(); err != nil || len(l.Letters) == 0 {
		return err
	}
	fmt.Fprintln(w)
	out = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "dead letter\treason\treceived at\tsize\tsent again\t")
	for _, line := range l.Letters {
		again := "no"
		if line.Requeued {
			again = "yes"
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t\n", line.Position, line.Reason, line.ReceivedAt.Format(time.RFC3339), humanSize(int64(line.Bytes)), again)
	}
	return out.Flush()
}

func newDLQShowCommand(a *app) *cobra.Command {
	var raw bool
	cmd := &cobra.Command{
		Use:   "show PARTITION:OFFSET",
		Short: "Show what was set aside of one message",
		Long: `Show tells of one message what was set aside and why. Of a dead letter it draws the outline: names of fields and how
much is in them, never what. With --raw it writes the bytes of a dead letter as they came, and nothing else; they may
hold what a person recorded.`,
		Example: "  diurna dlq show 2:1742\n  diurna dlq show 2:1742 --raw > message",
		Args:    oneArgument("give one position, as PARTITION:OFFSET"),
		RunE: func(cmd *cobra.Command, args []string) error {
			partition, offset, err := parsePosition(args[0])
			if err != nil {
				return err
			}
			return a.withLake(cmd, func(_ *sql.DB, l *lake.Lake) error {
				rows, err := rowsAt(cmd.Context(), l, partition, offset)
				if err != nil {
					return err
				}
				rows = slices.DeleteFunc(rows, func(r schemas.SyncRecord) bool { return r.Reason == "" })
				if len(rows) == 0 {
					return &schemas.Error{Code: schemas.CodeNotFound, Message: "nothing was set aside of the message at " + args[0] +
						", or there is none: `diurna dlq list` shows positions"}
				}
				if raw {
					return writeRaw(a.stdout, rows)
				}
				return showSetAside(a.stdout, rows)
			})
		},
	}
	cmd.Flags().BoolVar(&raw, "raw", false, "write the bytes of the dead letter instead")
	return cmd
}

func parsePosition(s string) (partition int32, offset int64, err error) {
	left, right, ok := strings.Cut(s, ":")
	p, errP := strconv.ParseInt(left, 10, 32)
	offset, errO := strconv.ParseInt(right, 10, 64)
	if !ok || errP != nil || errO != nil || p < 0 || offset < 0 {
		return 0, 0, invalid("%q is no position: it must be PARTITION:OFFSET, as 2:1742", s)
	}
	return int32(p), offset, nil
}

func writeRaw(w io.Writer, rows []schemas.SyncRecord) error {
	for i := range rows {
		if rows[i].Kind == schemas.KindDeadLetter {
			_, err := w.Write(rows[i].Payload)
			return err
		}
	}
	return invalid("this message could be read: only a dead letter has its bytes kept")
}

func showSetAside(w io.Writer, rows []schemas.SyncRecord) error {
	var out bytes.Buffer
	for i := range rows {
		r := &rows[i]
		received := time.UnixMicro(r.BrokerAt).UTC().Format(time.RFC3339)
		if r.Kind != schemas.KindDeadLetter {
			what := r.Name
			if r.Metric != "" {
				what += " " + r.Metric
			}
			fmt.Fprintf(&out, "%s: %s of %s, received %s", r.Reason, r.Text, printable(what), received)
			year := 0
			if r.StartAt != nil {
				at := time.UnixMicro(*r.StartAt).UTC()
				year = at.Year()
				fmt.Fprintf(&out, ", said to be of %s", at.Format(time.RFC3339))
			}
			fmt.Fprintf(&out, "\n  %s\n", schemas.RejectReason(r.Reason).Remedy(year))
			continue
		}
		fmt.Fprintf(&out, "dead letter %d:%d\nreason: %s\nreceived: %s\nsize: %d bytes\n", r.Partition, r.Offset, r.Reason, received, len(r.Payload))
		if _, err := syncv1.Decode("", r.Payload); err != nil {
			fmt.Fprintf(&out, "read now: %s\n", err) // names a field, never what is in it
		} else {
			out.WriteString("read now: it is a sync batch, `diurna dlq requeue` sends it again\n")
		}
		out.WriteString("outline:\n")
		outline(&out, r.Payload)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// outlineLines bounds how much of a message is drawn.
const outlineLines = 40

// outline draws what a message is made of: names and sizes, no values.
func outline(out *bytes.Buffer, data []byte) {
	if text := bytes.TrimLeft(data, jsonSpace); len(text) > 0 && (text[0] == '{' || text[0] == '[') {
		outlineJSON(out, text)
		return
	}
	outlineProto(out, data)
}

func outlineJSON(out *bytes.Buffer, text []byte) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	lines, depth := 0, 0
	var inArray []int // of each open value: elements so far in an array, -1 of an object
	var isKey bool
	line := func(format string, args ...any) {
		if lines++; lines <= outlineLines {
			fmt.Fprintf(out, "%s%s\n", strings.Repeat("  ", depth+1), fmt.Sprintf(format, args...))
		}
	}
	for {
		t, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line("after %d bytes it is not JSON any more", decoder.InputOffset())
			break
		}
		top := len(inArray) - 1
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{', '[':
				depth++
				inArray = append(inArray, map[json.Delim]int{'{': -1, '[': 0}[t])
				isKey = t == '{'
				continue
			default:
				if n := inArray[top]; n > 0 {
					line("%d elements", n)
				}
				depth--
				inArray = inArray[:top]
			}
		case string:
			if isKey {
				line("%s", printable(t))
				isKey = false
				continue
			}
		}
		if top = len(inArray) - 1; top >= 0 && inArray[top] >= 0 {
			inArray[top]++
		}
		isKey = top >= 0 && inArray[top] < 0
	}
	if lines > outlineLines {
		fmt.Fprintf(out, "  ... and %d more\n", lines-outlineLines)
	}
}

func outlineProto(out *bytes.Buffer, data []byte) {
	lines := 0
	for at := 0; at < len(data); {
		number, kind, n := protowire.ConsumeField(data[at:])
		_ = kind
		if n < 0 {
			fmt.Fprintf(out, "  after %d bytes it is not protobuf any more\n", at)
			return
		}
		if lines++; lines <= outlineLines {
			fmt.Fprintf(out, "  field %d: %d bytes\n", number, n)
		}
		at += n
	}
	if lines > outlineLines {
		fmt.Fprintf(out, "  ... and %d more\n", lines-outlineLines)
	}
}

// requeueFlags say what is sent again.
type requeueFlags struct {
	setAsideFlags
	dryRun, unreadable, again, noWait bool
}

func newDLQRequeueCommand(a *app) *cobra.Command {
	var f requeueFlags
	cmd := &cobra.Command{
		Use:   "requeue --reason REASON",
		Short: "Send dead letters again, each once, after what was wrong is mended",
		Long: `Requeue puts the bytes of dead letters into Kafka again. A dead letter that this diurna cannot read either stays where
it is, unless --unreadable says to send it all the same. Each is sent once: its bytes are remembered, also if it is set
aside again, and asking again sends nothing, unless --again says so. A process that died in between may send some twice,
which changes nothing.

It waits until what it sent is in the lake and built.`,
		Example: `  diurna dlq requeue --reason decode --since 2026-03-01 --dry-run
  diurna dlq requeue --reason decode --since 2026-03-01`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.requeue(cmd, f) },
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "only say what would be sent")
	cmd.Flags().BoolVar(&f.unreadable, "unreadable", false, "also send what this diurna cannot read")
	cmd.Flags().BoolVar(&f.again, "again", false, "also send what was sent before")
	cmd.Flags().BoolVar(&f.noWait, "no-wait", false, "do not wait until what was sent is built")
	if err := cmd.MarkFlagRequired("reason"); err != nil {
		panic(err) // a slip in this function, found by the first test that runs
	}
	addPipelineFlags(cmd.Flags())
	return cmd
}

// requeued counts what became of the dead letters that were asked for.
type requeued struct{ sent, before, unreadable, missing int }

func (a *app) requeue(cmd *cobra.Command, f requeueFlags) error {
	cfg, log, bar, err := a.setUpProgress(cmd)
	if err != nil {
		return err
	}
	q, err := f.query(a.now())
	if err != nil {
		return err
	}
	var n requeued
	err = a.withLake(cmd, func(db *sql.DB, l *lake.Lake) error {
		done := ingest.NewRequeues(db)
		r := requeue{lake: l, done: done, unreadable: f.unreadable, again: f.again}
		if f.dryRun {
			n, err = r.run(cmd.Context(), q)
			return err
		}
		ctx, s, err := openSession(cmd.Context(), cfg, log)
		if err != nil {
			return err
		}
		r.send = func(records []kafka.Record, payloads [][]byte) error {
			// Remembered after it is stored: the other way round a crash would lose it.
			if err := s.publish(ctx, records); err != nil {
				return err
			}
			if err := failpoint.Hit("requeue.before_record"); err != nil {
				return err
			}
			bar.print("sent " + counted(len(records), "dead letter", "dead letters"))
			return done.Record(ctx, payloads, a.now())
		}
		n, err = r.run(ctx, q)
		if err == nil && !f.noWait {
			_, err = s.wait(ctx)
		}
		return s.end(err)
	})
	if err != nil {
		return err
	}
	verb := "sent again"
	if f.dryRun {
		verb = "would be sent again"
	}
	fmt.Fprintf(a.stdout, "%s %s; %d were before; %d cannot be read yet; %d have no bytes\n",
		counted(n.sent, "dead letter", "dead letters"), verb, n.before, n.unreadable, n.missing)
	return nil
}

// A requeue sends dead letters again.
type requeue struct {
	lake       *lake.Lake
	done       *ingest.Requeues
	unreadable bool
	again      bool
	send       func(records []kafka.Record, payloads [][]byte) error // nil = they are only counted

	records  []kafka.Record
	payloads [][]byte
	bytes    int
	gathered map[[sha256.Size]byte]bool // every message this run sends
}

// requeueBytes is about how much is sent at a time.
const requeueBytes = 4 << 20

func (r *requeue) run(ctx context.Context, q ingest.SetAsideQuery) (n requeued, err error) {
	r.gathered = map[[sha256.Size]byte]bool{}
	err = ingest.EachLetter(ctx, r.lake, q, func(l ingest.Letter) error {
		hash := sha256.Sum256(l.Payload)
		done, err := r.done.Done(ctx, l.Payload)
		if err != nil {
			return err
		}
		batch, unread := syncv1.Decode("", l.Payload)
		switch {
		case len(l.Payload) == 0:
			n.missing++
			return nil
		case done && !r.again || r.gathered[hash]:
			n.before++
			return nil
		case unread != nil && !r.unreadable:
			n.unreadable++
			return nil
		}
		key := ""
		if batch != nil {
			key = batch.UserID
		}
		n.sent++
		r.gathered[hash] = true
		return r.add(kafka.Record{Key: key, Value: bytes.Clone(l.Payload),
			Headers: []kafka.Header{{Key: ingest.HeaderRequeued, Value: l.Position()}}})
	})
	if err != nil {
		return n, err
	}
	return n, r.flush()
}

func (r *requeue) add(record kafka.Record) error {
	if r.send == nil {
		return nil
	}
	r.records, r.payloads = append(r.records, record), append(r.payloads, record.Value)
	if r.bytes += len(record.Value); r.bytes < requeueBytes && len(r.records) < publishGroup {
		return nil
	}
	return r.flush()
}

// flush sends what is gathered.
func (r *requeue) flush() error {
	if len(r.records) == 0 {
		return nil
	}
	if err := r.send(r.records, r.payloads); err != nil {
		return err
	}
	r.records, r.payloads, r.bytes = nil, nil, 0
	return nil
}
