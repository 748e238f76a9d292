package ingest

import (
	"context"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// Lag returns, by partition, how many offsets of the topic are not yet in bronze.
func Lag(ctx context.Context, l *lake.Lake, topic *kafka.Topic) (map[int32]int64, error) {
	bronze, err := l.Load(ctx, schemas.TableSyncRecords)
	if err != nil {
		return nil, err
	}
	marks, err := bronze.Watermarks(lake.IngestWatermark)
	if err != nil {
		return nil, err
	}
	lag := map[int32]int64{}
	for _, p := range topic.Partitions() {
		source, err := topic.Source(ctx, p, marks[p])
		if err != nil {
			return nil, err
		}
		latest, err := source.Latest(ctx)
		if err != nil {
			return nil, err
		}
		lag[p] = latest - marks[p]
	}
	return lag, nil
}
