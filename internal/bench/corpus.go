package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/internal/bench/mix"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// mixDate is the local date of everybody's day; any date in the past gives the same figures.
const mixDate = schemas.Date(20_500) // 2026-02-16

// peoplePerFlush is enough people that their day fills one buffer of ingest, and some more.
const peoplePerFlush = 1000

// A corpus is the messages of a run: in Kafka as protobuf, in Kafka as JSON, and in a file as JSON, one a line.
type corpus struct {
	Proto, JSON *brokerProcess
	NDJSON      string
	Messages    int
	Samples     int
	ProtoBytes  int64
	JSONBytes   int64
}

// corpusConfig says how large a corpus is: as many messages as fill the buffer a number of times.
type corpusConfig struct {
	Seed         uint64
	Flushes      int
	FlushSamples int
}

func makeCorpus(ctx context.Context, dir string, cfg corpusConfig) (_ *corpus, err error) {
	c := &corpus{NDJSON: filepath.Join(dir, "messages.ndjson")}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.Proto, err = startBroker(ctx, dir, "protobuf", 1); err != nil {
		return nil, err
	}
	if c.JSON, err = startBroker(ctx, dir, "json", 1); err != nil {
		return nil, err
	}
	file, err := os.Create(c.NDJSON)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	proto, err := newPublisher(ctx, c.Proto, syncv1.ContentTypeProto)
	if err != nil {
		return nil, err
	}
	json, err := newPublisher(ctx, c.JSON, syncv1.ContentTypeJSON)
	if err != nil {
		return nil, err
	}
	if err := c.fill(ctx, cfg, proto, json, w); err != nil {
		return nil, err
	}
	return c, errors.Join(proto.close(ctx), json.close(ctx), w.Flush())
}

// fill encodes batches until the last of the buffers is full.
func (c *corpus) fill(ctx context.Context, cfg corpusConfig, proto, json *publisher, w *bufio.Writer) error {
	full, held := 0, 0
	for b := range (mix.Config{Seed: cfg.Seed, People: cfg.Flushes * peoplePerFlush, Date: mixDate}).Batches() {
		asProto, err := syncv1.EncodeProto(b)
		if err != nil {
			return err
		}
		asJSON, err := syncv1.EncodeJSON(b)
		if err != nil {
			return err
		}
		if err := errors.Join(proto.add(ctx, b.UserID, asProto), json.add(ctx, b.UserID, asJSON)); err != nil {
			return err
		}
		if _, err := w.Write(append(asJSON, '\n')); err != nil {
			return err
		}
		samples := mix.Samples(b)
		c.Messages++
		c.Samples += samples
		c.ProtoBytes += int64(len(asProto))
		c.JSONBytes += int64(len(asJSON))
		if held += samples; held >= cfg.FlushSamples {
			held = 0
			if full++; full == cfg.Flushes {
				return nil
			}
		}
	}
	return fmt.Errorf("%d people do not fill %d buffers of %d samples", cfg.Flushes*peoplePerFlush, cfg.Flushes, cfg.FlushSamples)
}

func (c *corpus) close() error {
	var errs []error
	for _, b := range []*brokerProcess{c.Proto, c.JSON} {
		if b != nil {
			errs = append(errs, b.stop())
		}
	}
	return errors.Join(errs...)
}

// A publisher sends messages in groups.
type publisher struct {
	topic       *kafka.Topic
	producer    *kafka.Producer
	contentType string
	group       []kafka.Record
}

const publishGroup = 256

func newPublisher(ctx context.Context, b *brokerProcess, contentType string) (*publisher, error) {
	topic, err := b.open(ctx)
	if err != nil {
		return nil, err
	}
	return &publisher{topic: topic, producer: topic.Producer(), contentType: contentType}, nil
}

// add takes over value.
func (p *publisher) add(ctx context.Context, key string, value []byte) error {
	p.group = append(p.group, kafka.Record{Key: key, Value: value, ContentType: p.contentType})
	if len(p.group) < publishGroup {
		return nil
	}
	return p.flush(ctx)
}

func (p *publisher) flush(ctx context.Context) error {
	_, err := p.producer.Publish(ctx, p.group)
	p.group = p.group[:0]
	return err
}

func (p *publisher) close(ctx context.Context) error {
	err := errors.Join(p.flush(ctx), p.producer.Close())
	p.topic.Close()
	return err
}
