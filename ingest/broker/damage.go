package broker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/diurna-health/diurna/schemas"
)

// checkLog reads every batch of the log in dir and refuses one that cannot be trusted. An unfinished write at the very
// end of a partition is no damage: a process was killed there, and nobody was told that it is stored.
func checkLog(dir string) error {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return &schemas.Error{Code: schemas.CodeInvalid,
			Message: fmt.Sprintf("%s, where the broker keeps its log, is a file: move it away, or choose another home", dir)}
	}
	partitions, err := os.ReadDir(filepath.Join(dir, "partitions"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list broker log: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "meta.json")); errors.Is(err, fs.ErrNotExist) {
		// Without it the broker would take the log for a new one and begin at offset 0 again.
		return damaged(filepath.Join(dir, "meta.json"), "is missing")
	}
	for _, p := range partitions {
		if !p.IsDir() {
			continue
		}
		if err := checkPartition(filepath.Join(dir, "partitions", p.Name())); err != nil {
			return err
		}
	}
	return nil
}

func checkPartition(dir string) error {
	bases, err := segmentBases(dir)
	if err != nil {
		return err
	}
	next := int64(-1)
	for i, base := range bases {
		path := filepath.Join(dir, strconv.FormatInt(base, 10)+".dat")
		if next >= 0 && base != next {
			return damaged(path, fmt.Sprintf("starts at offset %d, but the file before it ends at %d", base, next))
		}
		if next, err = checkSegment(path, base, i == len(bases)-1); err != nil {
			return err
		}
	}
	return nil
}

func segmentBases(dir string) ([]int64, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list broker log: %w", err)
	}
	var bases []int64
	for _, e := range entries {
		name, isSegment := strings.CutSuffix(e.Name(), ".dat")
		if !isSegment {
			continue
		}
		if base, err := strconv.ParseInt(name, 10, 64); err == nil {
			bases = append(bases, base)
		}
	}
	slices.Sort(bases)
	return bases, nil
}

// checkSegment walks the batches of one file and returns the offset after its last. Offsets within must follow each
// other without a gap, since nothing but Trim deletes, and Trim deletes whole files.
func checkSegment(path string, base int64, isLast bool) (next int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("open broker log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, fmt.Errorf("open broker log: %w", err)
	}

	r := bufio.NewReaderSize(f, 1<<20)
	var batch []byte
	next = base
	for pos, size := int64(0), info.Size(); pos < size; pos += int64(len(batch)) {
		head, err := r.Peek(int(min(batchHeaderBytes, size-pos)))
		if err != nil {
			return 0, fmt.Errorf("read broker log %s: %w", path, err)
		}
		length := int64(batchHeaderBytes)
		if len(head) >= batchLengthAt+4 {
			length = int64(binary.BigEndian.Uint32(head[batchLengthAt:])) + batchLengthAt + 4
		}
		if pos+length > size && isLast {
			return next, nil // the write that the kill interrupted
		}
		if pos+length > size || length < batchHeaderBytes {
			if isLast && onlyZeros(r) {
				return next, nil // room that was taken, and never filled, before the power went
			}
			return 0, damaged(path, fmt.Sprintf("cannot be read from byte %d on", pos))
		}
		batch = slices.Grow(batch[:0], int(length))[:length]
		if _, err := io.ReadFull(r, batch); err != nil {
			return 0, fmt.Errorf("read broker log %s: %w", path, err)
		}
		if !soundBatch(batch) {
			return 0, damaged(path, fmt.Sprintf("has a wrong checksum in the batch at byte %d", pos))
		}
		if first := int64(binary.BigEndian.Uint64(batch)); first != next {
			return 0, damaged(path, fmt.Sprintf("jumps from offset %d to %d at byte %d", next, first, pos))
		}
		next += int64(binary.BigEndian.Uint32(batch[23:])) + 1 // the last offset's distance from the first
	}
	return next, nil
}

func onlyZeros(r io.ByteReader) bool {
	for {
		b, err := r.ReadByte()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if b != 0 {
			return false
		}
	}
}

func damaged(path, what string) error {
	return &schemas.Error{Code: schemas.CodeInternal,
		Message: fmt.Sprintf("the broker's log is damaged: %s %s. What is in the lake is not affected. Put the file back from a copy, or move the broker's folder away to begin a new log; batches that were not yet in the lake must then be published again", path, what)}
}
