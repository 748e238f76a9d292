package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// publishGroup is how many records are sent at a time.
const publishGroup = 500

func newPublishCommand(a *app) *cobra.Command {
	var noWait bool
	cmd := &cobra.Command{
		Use:   "publish FILE...",
		Short: "Send sync batches to Kafka",
		Long: `Publish sends sync batches from files: one protobuf message a file, or JSON documents, one or many a file, each
on a line of its own or not. "-" reads standard input.

It waits until what it sent is in the lake and built. When nothing runs on the home it starts a pipeline of its own,
finishes and stops. A document that is no sync batch is reported with its place; the others are sent.`,
		Example: `  diurna publish batch.json
  diurna publish night.ndjson morning.pb`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New(`give the files to send, or "-" for standard input`)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.publish(cmd, args, noWait)
		},
	}
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "do not wait until what was sent is built")
	addPipelineFlags(cmd.Flags())
	return cmd
}

func (a *app) publish(cmd *cobra.Command, files []string, noWait bool) error {
	cfg, log, lines, err := a.setUpProgress(cmd)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := checkFile(file); err != nil {
			return err
		}
	}
	ctx, s, err := openSession(cmd.Context(), cfg, log)
	if err != nil {
		return err
	}
	sent, refused, err := a.publishFiles(ctx, s, files, lines)
	if err == nil && !noWait {
		lines.stage("building")
		_, err = s.wait(ctx)
	}
	lines.end()
	if err := s.end(err); err != nil {
		return err
	}
	lines.print(counted(sent, "sync batch", "sync batches") + " sent")
	if refused > 0 {
		return fmt.Errorf("%d of %s not sent: see above", refused, counted(sent+refused, "document", "documents"))
	}
	return nil
}

// checkFile finds out before any work whether a file can be read.
func checkFile(file string) error {
	if file == "-" {
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return &schemas.Error{Code: schemas.CodeInvalid, Message: "cannot read " + file, Err: errors.Unwrap(err)}
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return invalid("cannot read %s: it is a folder", file)
	}
	return nil
}

// checkIdentity refuses what ingest would set aside whole: here somebody is there to be told.
func checkIdentity(b *syncv1.Batch) error {
	switch {
	case !schemas.ValidUserID(b.UserID):
		return errors.New("user_id must be 1 to 64 of letters, digits, _ . and -")
	case !schemas.ValidName(b.Device.ID):
		return errors.New("device.id must be 1 to 64 of letters, digits, _ . : and -")
	case !schemas.ValidName(b.BatchID):
		return errors.New("batch_id must be 1 to 64 of letters, digits, _ . : and -")
	default:
		return nil
	}
}

// publishFiles sends the sync batches of the files and says of every other document what is wrong with it.
func (a *app) publishFiles(ctx context.Context, s *session, files []string, lines *progress) (sent, refused int, err error) {
	var group []kafka.Record
	done, total := int64(0), sizeOf(files)
	flush := func() error {
		err := s.publish(ctx, group)
		if err == nil {
			sent += len(group)
			lines.show("sending", min(done, total), total)
		}
		group = group[:0]
		return err
	}
	for _, file := range files {
		data, err := a.readFile(file)
		if err != nil {
			return sent, refused, fmt.Errorf("read %s: %w", file, err)
		}
		if file == "-" {
			total += int64(len(data)) // it is known only now
		}
		before := done
		for doc, err := range documents(data) {
			var batch *syncv1.Batch
			if err == nil {
				batch, err = doc.decode()
			}
			if err == nil {
				err = checkIdentity(batch)
			}
			if err != nil {
				refused++
				lines.print(fmt.Sprintf("%s:%d: %v", file, doc.line, err))
				continue
			}
			done += int64(len(doc.data))
			group = append(group, kafka.Record{Key: batch.UserID, Value: doc.data, ContentType: doc.contentType})
			if len(group) == publishGroup {
				if err := flush(); err != nil {
					return sent, refused, err
				}
			}
		}
		done = before + int64(len(data)) // what lies between documents too
	}
	return sent, refused, flush()
}

// sizeOf returns the size of all files together, as far as it can be known.
func sizeOf(files []string) (total int64) {
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && file != "-" {
			total += info.Size()
		}
	}
	return total
}

func (a *app) readFile(file string) ([]byte, error) {
	if file == "-" {
		return io.ReadAll(a.stdin)
	}
	return os.ReadFile(file)
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
