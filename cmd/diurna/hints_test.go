//go:build !race

package main_test

import (
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// kafkaHints moves and deletes what Kafka remembers of how far ingest is. Nothing may depend on it.
type kafkaHints struct{ client *kgo.Client }

// hintGroup is the consumer group in which ingest tells Kafka how far it is.
const hintGroup = "diurna-ingest"

func newKafkaHints(t *testing.T, brokers []string) *kafkaHints {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &kafkaHints{client}
}

// disturb rewinds, advances or deletes the committed offsets. A group that is in use refuses; then nothing is disturbed.
func (k *kafkaHints) disturb(t *testing.T, dice *rand.Rand) {
	t.Helper()
	switch dice.IntN(3) {
	case 0:
		k.commit(t, 0)
	case 1:
		k.commit(t, 1<<40)
	default:
		req := kmsg.NewPtrDeleteGroupsRequest()
		req.Groups = []string{hintGroup}
		if _, err := req.RequestWith(t.Context(), k.client); err != nil {
			t.Fatal(err)
		}
	}
}

func (k *kafkaHints) commit(t *testing.T, offset int64) {
	t.Helper()
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = hintGroup, -1
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic = trafficTopic
	for p := range trafficPartitions {
		part := kmsg.NewOffsetCommitRequestTopicPartition()
		part.Partition, part.Offset = int32(p), offset
		topic.Partitions = append(topic.Partitions, part)
	}
	req.Topics = append(req.Topics, topic)
	if _, err := req.RequestWith(t.Context(), k.client); err != nil {
		t.Fatal(err)
	}
}

// deleteBefore has the broker delete what lies before an offset.
func (k *kafkaHints) deleteBefore(t *testing.T, partition int32, offset int64) {
	t.Helper()
	req := kmsg.NewPtrDeleteRecordsRequest()
	topic := kmsg.NewDeleteRecordsRequestTopic()
	topic.Topic = trafficTopic
	part := kmsg.NewDeleteRecordsRequestTopicPartition()
	part.Partition, part.Offset = partition, offset
	topic.Partitions = append(topic.Partitions, part)
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(t.Context(), k.client)
	if err != nil {
		t.Fatal(err)
	}
	for _, topic := range resp.Topics {
		for _, p := range topic.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				t.Fatal(err)
			}
		}
	}
}
