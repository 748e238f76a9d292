package kafka

import (
	"net"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestAPartitionWithoutALeaderIsWaitedFor(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "diurna.sync"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	var asked atomic.Int64
	var leads atomic.Bool
	addr, port := splitAddr(t, fake.ListenAddrs()[0])
	fake.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		asked.Add(1)
		resp, ok := req.ResponseKind().(*kmsg.MetadataResponse)
		if !ok || leads.Load() {
			return nil, nil, false
		}
		broker := kmsg.NewMetadataResponseBroker()
		broker.Host, broker.Port = addr, port
		partition := kmsg.NewMetadataResponseTopicPartition()
		partition.Leader = -1
		topic := kmsg.NewMetadataResponseTopic()
		topic.Topic, topic.Partitions = new("diurna.sync"), append(topic.Partitions, partition)
		resp.Brokers, resp.Topics = append(resp.Brokers, broker), append(resp.Topics, topic)
		return resp, nil, true
	})
	topic := openWith(t, Config{Brokers: fake.ListenAddrs(), Topic: "diurna.sync"})
	go func() {
		<-time.After(300 * time.Millisecond)
		leads.Store(true)
	}()
	publish(t, topic, "a")
	if got := fetchN(t, &source{topic: topic}, 1); got[0] != "0:a" || asked.Load() < 2 {
		t.Errorf("came %s, after %d looks for a leader", got[0], asked.Load())
	}
}

func splitAddr(t *testing.T, addr string) (host string, port int32) {
	t.Helper()
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return host, int32(number)
}
