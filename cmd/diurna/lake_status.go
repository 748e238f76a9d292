package main

import (
	"context"
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

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

const (
	topicPatience   = 3 * time.Second // how long status waits for Kafka's word
	manySmallFiles  = 8               // of a table, when they are more than half of its files
	manySnapshots   = 200
	longLease       = time.Hour // a report takes minutes
	muchTrash       = 1 << 30
	trashWorthALine = 1 << 20
)

func newLakeStatusCommand(a *app) *cobra.Command {
	var files bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the lake's tables, how far each is, and what to do next",
		Long: `Status shows every table of the lake: its rows, live files, how many of them are small, size, bytes per sample, kept
snapshots, and how far received data has come: the offsets below which messages are in bronze (received), settled in
silver (merged) and in gold (built). Below stand who reads, what the trash holds, how far Kafka is ahead where it can be
asked, and what to do about whatever is not as it should be.

With --files it lists the absolute path of every live data file, one a line, and nothing else.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.keepLake(cmd, func(ctx context.Context, k *lakeKeeper) error {
				if files {
					return listFiles(ctx, k.lake, a.stdout)
				}
				return k.showStatus(ctx, a.stdout, a.now())
			})
		},
	}
	cmd.Flags().BoolVar(&files, "files", false, "list the live data files instead")
	return cmd
}

func listFiles(ctx context.Context, l *lake.Lake, w io.Writer) error {
	return eachTable(ctx, l, func(s *lake.Snapshot) error {
		for _, f := range s.Files {
			if _, err := fmt.Fprintln(w, f.Path); err != nil {
				return err
			}
		}
		return nil
	})
}

// A lakeStatus is what status shows.
type lakeStatus struct {
	tables []*lake.Condition
	leases []lake.LeaseInfo
	trash  lake.Trash
	lag    map[int32]ingest.PartitionLag // nil when Kafka cannot be asked
}

func (k *lakeKeeper) showStatus(ctx context.Context, w io.Writer, now time.Time) error {
	s, err := k.status(ctx)
	if err != nil {
		return err
	}
	if err := s.writeTables(w); err != nil {
		return err
	}
	for _, line := range s.sentences(now) {
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	for _, line := range s.advice(now) {
		if _, err := fmt.Fprintln(w, "→", line); err != nil {
			return err
		}
	}
	return nil
}

func (k *lakeKeeper) status(ctx context.Context) (*lakeStatus, error) {
	tables, err := k.lake.Tables(ctx)
	if err != nil {
		return nil, err
	}
	s := &lakeStatus{}
	for _, table := range tables {
		c, err := k.lake.Condition(ctx, table)
		if errors.Is(err, lake.ErrNoTable) {
			continue // dropped meanwhile
		}
		if err != nil {
			return nil, err
		}
		s.tables = append(s.tables, c)
	}
	if s.leases, err = k.lake.Leases(ctx); err != nil {
		return nil, err
	}
	if s.trash, err = k.lake.Trash(ctx); err != nil {
		return nil, err
	}
	s.lag = k.askKafka(ctx)
	return s, nil
}

// askKafka returns how far the topic is ahead; nil when nobody can be asked. Status is not about Kafka, so that is no
// failure.
func (k *lakeKeeper) askKafka(ctx context.Context) map[int32]ingest.PartitionLag {
	ctx, cancel := context.WithTimeout(ctx, topicPatience)
	defer cancel()
	cfg := kafkaAt(k.cfg, k.cfg.Kafka.Brokers, k.cfg.Kafka.Topic)
	if len(cfg.Brokers) == 0 {
		running, ok, err := k.home.ReadRun()
		if err != nil || !ok {
			return nil
		}
		cfg = kafkaAt(k.cfg, running.Brokers, running.Topic)
	}
	topic, err := kafka.Open(ctx, cfg)
	if err != nil {
		return nil
	}
	defer topic.Close()
	lag, err := ingest.Lag(ctx, k.lake, topic)
	if err != nil {
		return nil
	}
	return lag
}

func (s *lakeStatus) writeTables(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(out, "table\trows\tfiles\tsmall\tsize\tbytes/sample\tsnapshots\tup to\t")
	for _, c := range s.tables {
		reached, err := reached(c.Snapshot)
		if err != nil {
			return err
		}
		small, perSample := "", ""
		if len(c.Files) > 0 {
			small = fmt.Sprintf("%d %%", 100*c.SmallFiles/len(c.Files))
		}
		if c.Samples > 0 {
			perSample = fmt.Sprintf("%.2f", float64(c.Bytes)/float64(c.Samples))
		}
		fmt.Fprintf(out, "%s\t%d\t%d\t%s\t%s\t%s\t%d\t%s\t\n", c.Table, c.Rows, len(c.Files), small, humanSize(c.Bytes),
			perSample, c.Snapshots, reached)
	}
	return out.Flush()
}

// reached says how far a table is, by partition: received 0:12 1:9.
func reached(s *lake.Snapshot) (string, error) {
	for _, mark := range []struct{ prefix, word string }{
		{lake.IngestWatermark, "received"}, {lake.MergeWatermark, "merged"}, {lake.BuildWatermark, "built"},
	} {
		marks, err := s.Watermarks(mark.prefix)
		if err != nil {
			return "", err
		}
		if len(marks) > 0 {
			return mark.word + " " + positions(marks), nil
		}
	}
	return "", nil
}

func positions(marks map[int32]int64) string {
	parts := make([]string, 0, len(marks))
	for _, p := range slices.Sorted(maps.Keys(marks)) {
		parts = append(parts, strconv.Itoa(int(p))+":"+strconv.FormatInt(marks[p], 10))
	}
	return strings.Join(parts, " ")
}

// sentences says what is not about one table.
func (s *lakeStatus) sentences(now time.Time) []string {
	var lines []string
	switch {
	case s.lag == nil:
		lines = append(lines, "Kafka: cannot be asked, so nobody knows whether more has come")
	case s.waiting() == 0:
		lines = append(lines, "Kafka: everything sent so far is in bronze")
	default:
		lines = append(lines, fmt.Sprintf("Kafka: %d messages are not yet in bronze", s.waiting()))
	}
	if len(s.leases) > 0 {
		oldest := s.leases[0]
		lines = append(lines, fmt.Sprintf("Readers: %d, the oldest (%s) since %s", len(s.leases), oldest.Owner,
			now.Sub(oldest.TakenAt).Round(time.Second)))
	}
	if s.trash.Bytes >= trashWorthALine {
		lines = append(lines, fmt.Sprintf("Trash: %d files, %s, to be put back by hand until it is emptied", s.trash.Files,
			humanSize(s.trash.Bytes)))
	}
	return lines
}

func (s *lakeStatus) waiting() (messages int64) {
	for _, l := range s.lag {
		messages += l.Messages
	}
	return messages
}

// advice says what to do about what is not as it should be; nothing when all is well.
func (s *lakeStatus) advice(now time.Time) []string {
	var lines []string
	var fragmented, long []string
	for _, c := range s.tables {
		if c.SmallFiles > manySmallFiles && 2*c.SmallFiles > len(c.Files) {
			fragmented = append(fragmented, c.Table)
		}
		if c.Snapshots > manySnapshots {
			long = append(long, c.Table)
		}
	}
	if len(fragmented) > 0 {
		lines = append(lines, fmt.Sprintf("many small files in %s: `diurna lake compact` folds them together; `diurna run` does it on its way",
			strings.Join(fragmented, ", ")))
	}
	if len(long) > 0 {
		lines = append(lines, fmt.Sprintf("more than %d snapshots of %s: `diurna lake expire` lets old ones go", manySnapshots, strings.Join(long, ", ")))
	}
	if behind := s.notMerged(); behind > 0 {
		lines = append(lines, fmt.Sprintf("%d received messages are not yet in silver: start `diurna run` on this home, or wait for it", behind))
	}
	if len(s.leases) > 0 && now.Sub(s.leases[0].TakenAt) > longLease {
		lines = append(lines, fmt.Sprintf("a reader (%s) has held on to what was current %s ago: end its process if it hangs",
			s.leases[0].Owner, now.Sub(s.leases[0].TakenAt).Round(time.Minute)))
	}
	if s.trash.Bytes > muchTrash {
		lines = append(lines, "much lies in the trash: `diurna lake expire --empty-trash` removes it for good")
	}
	return lines
}

// notMerged returns how many received messages the slowest silver table has not seen.
func (s *lakeStatus) notMerged() (messages int64) {
	received := map[int32]int64{}
	for _, c := range s.tables {
		if c.Table == schemas.TableSyncRecords {
			if marks, err := c.Watermarks(lake.IngestWatermark); err == nil {
				received = marks
			}
		}
	}
	for _, c := range s.tables {
		if !slices.Contains(lake.SilverTables(), c.Table) {
			continue
		}
		merged, err := c.Watermarks(lake.MergeWatermark)
		if err != nil {
			continue
		}
		var behind int64
		for p, offset := range received {
			behind += offset - merged[p]
		}
		messages = max(messages, behind)
	}
	return messages
}

// humanSize writes a size for people: 1.4 MiB.
func humanSize(bytes int64) string {
	size, unit := float64(bytes), "B"
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if size < 1024 {
			break
		}
		size, unit = size/1024, larger
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}
