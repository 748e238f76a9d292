package ingest

import (
	"context"
	"errors"
	"strconv"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

func gapOf(err error) *kafka.GapError {
	gap, _ := errors.AsType[*kafka.GapError](err)
	return gap
}

// crossGaps settles the partitions whose next messages were deleted before they were read, once everything before the
// gap is in bronze.
func (c *protocol) crossGaps(ctx context.Context) error {
	for _, p := range c.partitions {
		gap := gapOf(p.lost)
		if gap == nil || p.holds() || c.stopping || c.cfg.Now().Before(p.retryAt) {
			continue
		}
		if err := c.crossGap(ctx, p, gap.To); err != nil {
			if err := c.failed(ctx, "record a gap", err); err != nil {
				return err
			}
			p.retryAt = c.after(c.tries)
			continue
		}
		if p.state == StateHalted && c.allHalted() {
			return p.why
		}
	}
	return nil
}

// crossGap records a gap and goes on behind it, if the operator has said so, or halts. The order matters: the record
// first, then the watermark, so that no message is ever passed over without a record. Both are based on a look at bronze
// that shows the partition to be ours and to stand at the gap: from there nobody else can commit anything but the same
// gap, for the messages are gone. After a crash between the two, the record that is there is used as it is, so that
// gaps and files tile the offsets without overlap, though more may have been deleted meanwhile.
func (c *protocol) crossGap(ctx context.Context, p *partition, to int64) error {
	base, err := c.log.load(ctx)
	if err != nil {
		return err
	}
	at, err := base.of(p.number)
	switch {
	case err != nil:
		return err
	case base.generation != p.generation || at.epoch != p.epoch:
		c.fence(ctx, p, at)
		return nil
	case at.watermark != p.watermark() || to <= at.watermark:
		c.drop(p)
		p.buffer = newBuffer(at.watermark, c.log.pile)
		c.seek(p, at.watermark)
		return nil
	}
	gap, err := c.log.recordGap(ctx, schemas.IngestGap{
		Source: c.topic.String(), Partition: lakePartition(p.number, p.generation), FromOffset: at.watermark, ToOffset: to,
		FoundAt: c.cfg.Now().UnixMicro(), Skipped: c.cfg.OnGap == GapRecord,
	})
	if c.cfg.OnGap != GapRecord {
		if err != nil { // it halts all the same
			c.cfg.Logger.WarnContext(ctx, "gap not recorded", schemas.LogKeyPartition, p.number, schemas.LogKeyError, err)
		}
		c.halt(ctx, p, ReasonGap, gapError(p.number, at.watermark, to))
		return nil
	}
	if err != nil {
		return err
	}
	if err := failpoint.Hit("gap.recorded"); err != nil {
		return err
	}
	if _, err := c.log.commit(ctx, base, change{id: c.newID(), properties: map[string]string{
		propertySource: c.topic.String(),
		lake.IngestWatermark + partitionKey(p.number, p.generation): strconv.FormatInt(gap.ToOffset, 10),
		propertyMovedBy + partitionKey(p.number, p.generation):      p.epoch.String(),
	}}); err != nil {
		return err
	}
	c.written(ctx)
	c.cfg.Logger.ErrorContext(ctx, "messages were deleted before they were read: recorded and passed over",
		schemas.LogKeyPartition, p.number, schemas.LogKeyOffset, gap.FromOffset, schemas.LogKeyMessages, gap.ToOffset-gap.FromOffset)
	if c.cfg.GapCrossed != nil {
		c.cfg.GapCrossed(gap.ToOffset - gap.FromOffset)
	}
	c.drop(p)
	p.buffer = newBuffer(gap.ToOffset, c.log.pile)
	c.seek(p, gap.ToOffset)
	return nil
}
