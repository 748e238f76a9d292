package kafka

import (
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
)

// BenchmarkRead reads the same messages through a Source and, to compare, through kafka-go's own Reader.
func BenchmarkRead(b *testing.B) {
	const messages, bytes = 20_000, 1500
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "diurna.sync"))
	if err != nil {
		b.Fatal(err)
	}
	defer fake.Close()
	topic, err := Open(b.Context(), Config{Brokers: fake.ListenAddrs(), Topic: "diurna.sync"})
	if err != nil {
		b.Fatal(err)
	}
	defer topic.Close()
	p := topic.Producer()
	records := make([]Record, messages)
	for i := range records {
		records[i] = Record{Key: "user", Value: make([]byte, bytes)}
	}
	if _, err := p.Publish(b.Context(), records); err != nil {
		b.Fatal(err)
	}
	if err := p.Close(); err != nil {
		b.Fatal(err)
	}

	b.Run("by=source", func(b *testing.B) {
		b.SetBytes(messages * bytes)
		b.ReportAllocs()
		for b.Loop() {
			s, err := topic.Source(b.Context(), 0, 0)
			if err != nil {
				b.Fatal(err)
			}
			for range messages {
				if _, err := s.Fetch(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("by=kafka-go", func(b *testing.B) {
		b.SetBytes(messages * bytes)
		b.ReportAllocs()
		for b.Loop() {
			r := kafkago.NewReader(kafkago.ReaderConfig{Brokers: fake.ListenAddrs(), Topic: "diurna.sync", Partition: 0, MaxBytes: 1 << 20, MaxWait: 500 * time.Millisecond})
			for range messages {
				if _, err := r.FetchMessage(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer() // it waits for a fetch at the end that nobody asked for
			if err := r.Close(); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
}
