package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/diurna-health/diurna/internal/bench/mix"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// memoryFlags are what a person can choose.
type memoryFlags struct {
	gib        float64
	form       string
	partitions int
	people     int
	dir, out   string
}

func parseMemory(args []string) (memoryFlags, error) {
	var f memoryFlags
	set := flag.NewFlagSet("bench memory", flag.ContinueOnError)
	set.Float64Var(&f.gib, "gib", 10, "backlog in Kafka, GiB")
	set.StringVar(&f.form, "form", "protobuf", "form of the messages: protobuf or json")
	set.IntVar(&f.partitions, "partitions", 4, "partitions of the topic")
	set.IntVar(&f.people, "people", 2000, "people whose day is sent again and again")
	set.StringVar(&f.dir, "dir", "", "folder for everything that is written; \"\" = the system's for temporary files")
	set.StringVar(&f.out, "out", "", "file for the table; \"\" = standard output alone")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if f.form != "protobuf" && f.form != "json" {
		return f, fmt.Errorf("-form is %q: it must be protobuf or json", f.form)
	}
	if f.gib <= 0 || f.partitions < 1 || f.people < 1 {
		return f, errors.New("-gib, -partitions and -people must be more than 0")
	}
	return f, nil
}

// diskFactor is how much free disk a backlog needs: its log, what it becomes in bronze, and as much again.
const diskFactor = 2.5

// runMemory lets ingest, as it is set by default, work off a backlog, and says how much memory its process took.
func runMemory(ctx context.Context, args []string) error {
	f, err := parseMemory(args)
	if err != nil {
		return err
	}
	return inScratch(f.dir, func(dir string) error {
		rep := &memoryReport{Command: makeLine("memory", args), Load: load(), Flags: f}
		if err := rep.measure(ctx, dir); err != nil {
			return err
		}
		return rep.write(ctx, f.out)
	})
}

func (r *memoryReport) measure(ctx context.Context, dir string) (err error) {
	f := r.Flags
	if err := checkDisk(dir, int64(f.gib*diskFactor*(1<<30))); err != nil {
		return err
	}
	b, err := startBroker(ctx, dir, f.form, f.partitions)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.stop()) }()
	say("making the backlog")
	if r.Messages, r.Samples, err = fillBacklog(ctx, b, f); err != nil {
		return fmt.Errorf("make the backlog: %w", err)
	}
	say(fmt.Sprintf("ingesting %d messages, %.0f M samples", r.Messages, float64(r.Samples)/1e6))
	r.Result, err = runJob(ctx, job{
		Stage: stageIngest, Dir: filepath.Join(dir, "home"), Cores: 1, Messages: r.Messages, Samples: r.Samples, Broker: b.addr,
	})
	if err != nil {
		return err
	}
	if n, err := count(ctx, countLists, r.Result.Files); err != nil || n != r.Samples {
		return errors.Join(err, fmt.Errorf("bronze holds %d samples of %d", n, r.Samples))
	}
	return nil
}

func checkDisk(dir string, need int64) error {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return fmt.Errorf("look how much room is left: %w", err)
	}
	//nolint:unconvert // a block's size has 32 bits on macOS
	if free := int64(s.Bavail) * int64(s.Bsize); free < need {
		return fmt.Errorf("%s has %.1f GiB free and this needs %.1f: choose another folder with -dir, or less with -gib",
			dir, gib(free), gib(need))
	}
	return nil
}

// fillBacklog publishes the messages of a day until Kafka holds enough.
func fillBacklog(ctx context.Context, b *brokerProcess, f memoryFlags) (messages, samples int, err error) {
	contentType, encode := syncv1.ContentTypeProto, syncv1.EncodeProto
	if f.form == "json" {
		contentType, encode = syncv1.ContentTypeJSON, syncv1.EncodeJSON
	}
	p, err := newPublisher(ctx, b, contentType)
	if err != nil {
		return 0, 0, err
	}
	want := int64(f.gib * (1 << 30))
	bytes := int64(0)
	for bytes < want {
		for batch := range (mix.Config{Seed: 1, People: f.people, Date: mixDate}).Batches() {
			value, err := encode(batch)
			if err != nil {
				return 0, 0, err
			}
			if err := p.add(ctx, batch.UserID, value); err != nil {
				return 0, 0, err
			}
			messages++
			samples += mix.Samples(batch)
			if bytes += int64(len(value)); bytes >= want {
				break
			}
		}
		say(fmt.Sprintf("%.1f GiB", gib(bytes)))
	}
	return messages, samples, p.close(ctx)
}

func gib(bytes int64) float64 { return float64(bytes) / (1 << 30) }
