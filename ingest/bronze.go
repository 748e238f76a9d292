package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// bronze is the tableLog of a lake.
type bronze struct {
	lake  *lake.Lake
	topic string // its name alone, for the footers of files
}

func (b bronze) load(ctx context.Context) (*head, error) {
	s, err := b.lake.Load(ctx, schemas.TableSyncRecords)
	if err != nil {
		return nil, err
	}
	m, err := readMarks(s.Properties)
	if err != nil {
		return nil, err
	}
	return &head{marks: m, has: s.Has, base: s}, nil
}

func (b bronze) commit(ctx context.Context, base *head, c change) (int64, error) {
	after, err := b.lake.Commit(ctx, lake.Commit{Base: base.base, ID: c.id, Add: c.files, Properties: c.properties})
	if err != nil {
		return 0, err
	}
	var bytes int64
	for _, f := range after.Files {
		if slices.Contains(c.files, f.Path) {
			bytes += f.Bytes
		}
	}
	return bytes, nil
}

func (b bronze) pile() pile { return lake.NewRecords() }

// seal writes the buffer's rows as files, one for each run of messages that the broker received on the same date, named
// for the offsets they hold: the same messages make the same files, and a lake can be rebuilt from names and footers.
func (b bronze) seal(ctx context.Context, lakePartition int32, source string, buf *buffer) ([]string, error) {
	var paths []string
	for i, r := range buf.runs {
		if i > 0 {
			if err := failpoint.Hit("seal.mid"); err != nil {
				return nil, err
			}
		}
		path, err := lake.WriteRecords(ctx, b.lake,
			lake.BronzeName{Partition: lakePartition, Start: r.start, End: r.end}.String(),
			map[string]int64{"ingest_date": int64(r.date)},
			map[string]string{
				"diurna.source":    source,
				"diurna.topic":     b.topic,
				"diurna.partition": strconv.Itoa(int(lakePartition)),
				"diurna.start":     strconv.FormatInt(r.start, 10),
				"diurna.end":       strconv.FormatInt(r.end, 10),
			}, r.rows.(*lake.Records))
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func (b bronze) recordGap(ctx context.Context, gap schemas.IngestGap) (schemas.IngestGap, error) {
	id := rand.Text()
	for {
		base, err := b.lake.Load(ctx, schemas.TableIngestGaps)
		if err != nil {
			return gap, err
		}
		known, ok, err := b.findGap(ctx, base, gap)
		if err != nil || ok {
			return known, err
		}
		path, err := lake.WriteRows(ctx, b.lake, schemas.TableIngestGaps,
			fmt.Sprintf("gap-%05d-%020d-%020d", gap.Partition, gap.FromOffset, gap.ToOffset), nil, nil, []schemas.IngestGap{gap})
		if err != nil {
			return gap, err
		}
		_, err = b.lake.Commit(ctx, lake.Commit{Base: base, ID: id, Add: []string{path}})
		if !errors.Is(err, lake.ErrConflict) {
			return gap, err // when its outcome is unknown, the next call finds it or not
		}
	}
}

func (b bronze) findGap(ctx context.Context, s *lake.Snapshot, gap schemas.IngestGap) (found schemas.IngestGap, ok bool, err error) {
	for _, f := range s.Files {
		if err := lake.ReadRows(ctx, b.lake, f.Path, func(rows []schemas.IngestGap) error {
			for _, r := range rows {
				if r.Partition == gap.Partition && r.FromOffset == gap.FromOffset && r.Skipped == gap.Skipped {
					found, ok = r, true
				}
			}
			return nil
		}); err != nil {
			return gap, false, err
		}
	}
	return found, ok, nil
}
