package lake

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

// epochPrefix is the prefix of the properties that hold who may commit a partition: a number that only rises, a colon
// and a name.
const epochPrefix = "ingest.ep."

// markOf reads a property that must never fall: a watermark or the number of an epoch.
func markOf(key, value string) (int64, bool) {
	for _, prefix := range []string{IngestWatermark, MergeWatermark, BuildWatermark, epochPrefix} {
		if strings.HasPrefix(key, prefix) {
			number, _, _ := strings.Cut(value, ":")
			n, err := strconv.ParseInt(number, 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// skippedGaps returns the ranges of offsets that were deleted from Kafka before they were read and that ingest went on
// behind.
func (l *Lake) skippedGaps(ctx context.Context) ([]BronzeName, error) {
	s, err := l.Load(ctx, schemas.TableIngestGaps)
	if errors.Is(err, ErrNoTable) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := l.Check(ctx, s.Files...); err != nil {
		return nil, err
	}
	return l.readGaps(ctx, s.Files)
}

func (l *Lake) readGaps(ctx context.Context, files []File) ([]BronzeName, error) {
	seen := map[BronzeName]bool{}
	for _, f := range files {
		if err := ReadRows(ctx, l, f.Path, func(rows []schemas.IngestGap) error {
			for _, g := range rows {
				if g.Skipped {
					seen[BronzeName{g.Partition, g.FromOffset, g.ToOffset}] = true
				}
			}
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return slices.Collect(maps.Keys(seen)), nil
}
