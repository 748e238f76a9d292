package broker

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Trim deletes the records of a partition below an offset: the caller has them safely in the lake. The last record of a
// partition always stays, because after a crash the next offset is known from it alone; disk space is freed by whole
// segment files. Offsets beyond the end are an error and delete nothing.
func (b *Broker) Trim(ctx context.Context, partition int32, below int64) error {
	first, end, err := b.bounds(ctx, partition)
	if err != nil {
		return err
	}
	if below > end {
		return fmt.Errorf("trim partition %d below offset %d: it ends at %d", partition, below, end)
	}
	if below = min(below, end-1); below <= first {
		return nil
	}

	req := kmsg.NewPtrDeleteRecordsRequest()
	req.Version = 1
	topic := kmsg.NewDeleteRecordsRequestTopic()
	topic.Topic = b.topic
	part := kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Partition, part.Offset = partition, below
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)

	resp := kmsg.NewPtrDeleteRecordsResponse()
	resp.Version = req.Version
	if err := b.request(ctx, req, resp); err != nil {
		return fmt.Errorf("trim partition %d: %w", partition, err)
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return fmt.Errorf("trim partition %d: the broker's answer does not speak of it", partition)
	}
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != 0 {
		return fmt.Errorf("trim partition %d: %w", partition, kafka.Error(code))
	}
	return nil
}

// bounds returns the first offset of a partition and the one after its last.
func (b *Broker) bounds(ctx context.Context, partition int32) (first, end int64, err error) {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(b.addr), Transport: transport}
	resp, err := client.ListOffsets(ctx, &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{
		b.topic: {kafka.FirstOffsetOf(int(partition)), kafka.LastOffsetOf(int(partition))},
	}})
	if err != nil {
		return 0, 0, fmt.Errorf("list offsets of partition %d: %w", partition, err)
	}
	for _, p := range resp.Topics[b.topic] {
		if p.Partition == int(partition) {
			if p.Error != nil {
				return 0, 0, fmt.Errorf("list offsets of partition %d: %w", partition, p.Error)
			}
			return p.FirstOffset, p.LastOffset, nil
		}
	}
	return 0, 0, fmt.Errorf("list offsets of partition %d: the broker's answer does not speak of it", partition)
}

// request sends one request over a connection of its own. kafka-go knows no DeleteRecords; this is all that it takes.
func (b *Broker) request(ctx context.Context, req kmsg.Request, resp kmsg.Response) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", b.addr)
	if err != nil {
		return err
	}
	defer conn.Close()                                      //nolint:errcheck // the answer is read, or the error is another one
	stop := context.AfterFunc(ctx, func() { conn.Close() }) //nolint:errcheck // only to end the waiting
	defer stop()

	if _, err := conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)); err != nil {
		return err
	}
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return err
	}
	answer := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if len(answer) < 4 {
		return io.ErrUnexpectedEOF
	}
	return resp.ReadFrom(answer[4:]) // after the correlation id
}
