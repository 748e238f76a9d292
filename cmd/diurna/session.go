package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/home"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// ownFlushAge is how long a pipeline of our own holds messages: somebody sits and waits for them.
const ownFlushAge = time.Second

// A session is where import and publish send to and wait for: the pipeline that runs on the home, or one of their own.
type session struct {
	topic    *kafka.Topic
	producer *kafka.Producer
	sent     kafka.Positions

	lake    *lake.Lake // nil when nobody here ingests: then there is nothing to wait for
	project *transform.Project
	db      *sql.DB

	own     *pipeline
	running chan error         // of own
	broken  error              // what own ended with; set by close
	stop    context.CancelFunc // of own
}

// openSession finds the pipeline that runs on the home or starts one. The context it returns ends, with its cause, when
// a pipeline of our own breaks.
func openSession(ctx context.Context, cfg Config, log *slog.Logger) (context.Context, *session, error) {
	s := &session{sent: kafka.Positions{}}
	ctx, err := s.open(ctx, cfg, log)
	if err != nil {
		return ctx, nil, errors.Join(err, s.close())
	}
	s.producer = s.topic.Producer()
	return ctx, s, nil
}

func (s *session) open(ctx context.Context, cfg Config, log *slog.Logger) (context.Context, error) {
	if len(cfg.Kafka.Brokers) > 0 {
		// Somebody else's brokers: whoever ingests them builds the lake. When that runs on this home, wait for it.
		running, ok, err := runningOn(cfg.Home)
		if err != nil {
			return ctx, err
		}
		if ok && running.Topic == cfg.Kafka.Topic {
			err = s.watch(ctx, cfg, log)
		}
		return ctx, errors.Join(err, s.connect(ctx, cfg, cfg.Kafka.Brokers, cfg.Kafka.Topic))
	}
	cfg.Broker.Address = "127.0.0.1:0" // for us alone
	cfg.Ingest.FlushAge = min(cfg.Ingest.FlushAge, ownFlushAge)
	own, err := startPipeline(ctx, cfg, log, role{ingests: true})
	if schemas.ErrorCode(err) == schemas.CodeConflict {
		return ctx, s.join(ctx, cfg, log, err)
	}
	if err != nil {
		return ctx, err
	}
	return s.runOwn(ctx, own)
}

// join uses the pipeline that holds the home.
func (s *session) join(ctx context.Context, cfg Config, log *slog.Logger, inUse error) error {
	running, ok, err := runningOn(cfg.Home)
	if err != nil {
		return err
	}
	if !ok {
		return inUse // it has not said where it listens: it is starting, stopping, or only importing
	}
	return errors.Join(s.watch(ctx, cfg, log), s.connect(ctx, cfg, running.Brokers, running.Topic))
}

func runningOn(dir string) (home.Run, bool, error) {
	h, err := home.Open(dir)
	if schemas.ErrorCode(err) == schemas.CodeNotFound {
		return home.Run{}, false, nil
	}
	if err != nil {
		return home.Run{}, false, err
	}
	return h.ReadRun()
}

// watch opens the lake only to see how far others have built it.
func (s *session) watch(ctx context.Context, cfg Config, log *slog.Logger) error {
	h, err := home.Open(cfg.Home)
	if err != nil {
		return err
	}
	if s.db, s.lake, err = openLake(ctx, cfg, h, log); err != nil {
		return err
	}
	s.project, err = loadProject(ctx)
	return err
}

func (s *session) connect(ctx context.Context, cfg Config, brokers []string, topic string) (err error) {
	s.topic, err = kafka.Open(ctx, kafkaAt(cfg, brokers, topic))
	return err
}

func (s *session) runOwn(ctx context.Context, own *pipeline) (context.Context, error) {
	s.own, s.lake = own, own.lake
	running, stop := context.WithCancel(context.WithoutCancel(ctx)) // it ends after us, having stored what we sent
	ctx, broken := context.WithCancelCause(ctx)
	s.stop, s.running = stop, make(chan error, 1)
	go func() {
		err := own.run(running)
		if err != nil {
			broken(err)
		}
		s.running <- err
	}()
	var err error
	if s.project, err = loadProject(ctx); err != nil {
		return ctx, err
	}
	return ctx, s.connect(ctx, own.cfg, own.brokers(), own.cfg.Kafka.Topic)
}

// publish sends records and remembers how far the topic then reaches.
func (s *session) publish(ctx context.Context, records []kafka.Record) error {
	positions, err := s.producer.Publish(ctx, records)
	s.sent.Add(positions)
	if err != nil && context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	if err != nil && s.own != nil {
		return errors.Join(err, tryDisk(s.own.home.Dir(), records))
	}
	return err
}

// tryDisk returns why a folder cannot take as many bytes as the records have, nil when it can. A broker of our own
// cannot say that its disk is full: Kafka's protocol has no word for it.
func tryDisk(dir string, records []kafka.Record) error {
	f, err := os.CreateTemp(dir, ".trying-")
	if err != nil {
		return err
	}
	for _, r := range records {
		if _, err = f.Write(r.Value); err != nil {
			break
		}
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// wait returns when everything sent is in the lake and built. It reports false when nobody here ingests the topic.
func (s *session) wait(ctx context.Context) (bool, error) {
	if s.lake == nil {
		return false, nil
	}
	if err := waitBuilt(ctx, s.lake, s.project, s.topic.Identity(), s.sent); err != nil {
		return false, fmt.Errorf("wait until what was sent is in the lake: %w", err)
	}
	if s.own != nil {
		// Nobody is left to do it after us.
		if err := s.own.settler.settle(ctx); err != nil {
			return false, err
		}
	}
	return true, nil
}

// end closes the session after err and returns the two errors as one. When a pipeline of our own broke, everything else
// failed because of that, so that is all there is to say.
func (s *session) end(err error) error {
	closing := s.close()
	if s.broken != nil && (errors.Is(err, s.broken) || errors.Is(err, context.Canceled)) {
		return closing
	}
	return errors.Join(err, closing)
}

// close ends what openSession began. A pipeline of our own stores what it holds before it stops.
func (s *session) close() error {
	var errs []error
	if s.producer != nil {
		errs = append(errs, s.producer.Close())
	}
	if s.topic != nil {
		s.topic.Close()
	}
	if s.own != nil {
		s.stop()
		s.broken = <-s.running
		errs = append(errs, s.broken, s.own.close())
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	return errors.Join(errs...)
}
