package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/internal/home"
	"github.com/diurna-health/diurna/schemas"
)

const (
	ballastDisk  = 10 << 30 // a smaller disk has no room to carry ballast
	reserveShare = 20       // of a small disk, at most its 20th part is kept free
	fullPause    = 2 * time.Second
)

// A disk is where the home lies: how much room there is, and the ballast that makes some when there is none.
type disk struct {
	dir     string
	reserve int64  // to be kept free
	ballast string // the file
	bytes   int64  // of the ballast
	log     *slog.Logger

	mu sync.Mutex
}

func newDisk(cfg Config, h *home.Home, log *slog.Logger) *disk {
	return &disk{dir: h.Dir(), reserve: int64(cfg.Ingest.DiskReserve), ballast: h.BallastPath(), bytes: int64(cfg.Ingest.Ballast), log: log}
}

// isDiskFull reports whether an error comes from a disk that has no room, DuckDB's included, which says so in words.
func isDiskFull(err error) bool {
	return ingest.IsDiskFull(err) || err != nil && strings.Contains(err.Error(), "No space left on device")
}

func diskSpace(dir string) (free, total int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	return int64(s.Bavail) * s.Bsize, int64(s.Blocks) * s.Bsize, nil
}

// room returns how much is free and how much of that is to stay free.
func (d *disk) room() (free, reserve int64, ok bool) {
	free, total, err := diskSpace(d.dir)
	return free, min(d.reserve, total/reserveShare), err == nil
}

// full gives the ballast up when the disk is full, so that what makes room (expiry, sweeping) has some to work in, and
// takes it aboard again later.
func (d *disk) full(full bool) {
	if full {
		d.release()
	} else {
		d.load()
	}
}

// load takes the ballast aboard where there is plenty of room for it. Without it everything works as well, as long as
// the disk is not full.
func (d *disk) load() {
	d.mu.Lock()
	defer d.mu.Unlock()
	free, total, err := diskSpace(d.dir)
	if err != nil || d.bytes == 0 || total < ballastDisk || free < 4*d.bytes+d.reserve {
		return
	}
	if err := fill(d.ballast, d.bytes); err != nil {
		d.log.Warn("no ballast", schemas.LogKeyError, errors.Join(err, os.Remove(d.ballast)))
	}
}

// release gives the ballast up.
func (d *disk) release() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := os.Remove(d.ballast); err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.log.Warn("ballast stays", schemas.LogKeyError, err)
	}
}

// fill makes a file that takes so much of the disk. Zeros would do, but not where files may have holes.
func fill(path string, bytes int64) error {
	if info, err := os.Stat(path); err == nil && info.Size() == bytes {
		return nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	block := make([]byte, 1<<20)
	for i := range block {
		block[i] = byte(i * 31)
	}
	for written := int64(0); written < bytes && err == nil; written += int64(len(block)) {
		_, err = f.Write(block[:min(int64(len(block)), bytes-written)])
	}
	return errors.Join(err, f.Close())
}

// outlast does something again as long as it fails because the disk is full.
func (d *disk) outlast(ctx context.Context, do func() error) error {
	for {
		err := do()
		if !isDiskFull(err) || ctx.Err() != nil {
			return err
		}
		d.log.ErrorContext(ctx, "the disk is full: waiting for room", schemas.LogKeyError, err)
		d.release()
		timer := time.NewTimer(fullPause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}
