package kafka

import (
	"context"
	"fmt"

	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// PublishBatches encodes the batches as protobuf and publishes them, each under its user's id.
func (p *Producer) PublishBatches(ctx context.Context, batches []*syncv1.Batch) (Positions, error) {
	records := make([]Record, len(batches))
	for i, b := range batches {
		value, err := syncv1.EncodeProto(b)
		if err != nil {
			return nil, fmt.Errorf("encode batch %d of %d: %w", i+1, len(batches), err)
		}
		records[i] = Record{Key: b.UserID, Value: value, ContentType: syncv1.ContentTypeProto}
	}
	return p.Publish(ctx, records)
}
