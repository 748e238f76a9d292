package ingest

import (
	"context"
	"errors"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// A PartitionLag says how far bronze is behind a partition.
type PartitionLag struct {
	Messages int64 // that are not yet in bronze
	// Margin is how near the watermark is to what Kafka deletes next: 1 at the end of the partition, 0 at the first message
	// that is left, below 0 when some are gone unread. It is 1 as long as Kafka has deleted nothing.
	Margin float64
}

// Lag returns how far bronze is behind each partition of the topic. A partition whose topic is not the one that bronze
// counts in is left out.
func Lag(ctx context.Context, l *lake.Lake, topic *kafka.Topic) (map[int32]PartitionLag, error) {
	bronze, err := l.Load(ctx, schemas.TableSyncRecords)
	if err != nil {
		return nil, err
	}
	m, err := readMarks(bronze.Properties)
	if err != nil {
		return nil, err
	}
	lags := map[int32]PartitionLag{}
	if m.source != "" && !topic.Identity().Matches(m.source) {
		return lags, nil
	}
	for _, p := range topic.Partitions() {
		at, err := m.of(p)
		if err != nil {
			return nil, err
		}
		lag, err := lagOf(ctx, topic, p, at.watermark)
		if errors.Is(err, kafka.ErrRewound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		lags[p] = lag
	}
	return lags, nil
}

func lagOf(ctx context.Context, topic *kafka.Topic, partition int32, watermark int64) (PartitionLag, error) {
	source, err := topic.Source(ctx, partition, watermark)
	if gap := gapOf(err); gap != nil {
		source, err = topic.Source(ctx, partition, gap.To)
	}
	if err != nil {
		return PartitionLag{}, err
	}
	latest, err := source.Latest(ctx)
	if err != nil {
		return PartitionLag{}, err
	}
	earliest, err := source.Earliest(ctx)
	if err != nil {
		return PartitionLag{}, err
	}
	lag := PartitionLag{Messages: latest - watermark, Margin: 1}
	if earliest > 0 && latest > earliest {
		lag.Margin = float64(watermark-earliest) / float64(latest-earliest)
	}
	return lag, nil
}
