package lake

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/parquet-go/parquet-go"
)

// The keys of a bronze file's footer, beside its name: what a lake can be rebuilt from.
const (
	footerSource    = "diurna.source"
	footerPartition = "diurna.partition"
	footerStart     = "diurna.start"
	footerEnd       = "diurna.end"
)

// A footer is what a Parquet file says of itself.
type footer struct {
	rows   int64
	values map[string]string
}

func (l *Lake) footer(ctx context.Context, path string) (footer, error) {
	f, err := l.store.Open(ctx, path)
	if err != nil {
		return footer{}, fmt.Errorf("open data file: %w", err)
	}
	defer f.Close()
	file, err := openParquet(ctx, f)
	if err != nil {
		return footer{}, err
	}
	values := map[string]string{}
	for _, kv := range file.Metadata().KeyValueMetadata {
		values[kv.Key] = kv.Value
	}
	return footer{file.NumRows(), values}, nil
}

// openParquet opens a data file by its footer alone: nobody here looks for single rows by an index of pages.
func openParquet(ctx context.Context, f OpenFile, options ...parquet.FileOption) (*parquet.File, error) {
	if err := checkFooter(ctx, f); err != nil {
		return nil, fmt.Errorf("read footer of data file: %w", err)
	}
	file, err := parquet.OpenFile(f, f.Size(), append(options, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))...)
	if err != nil {
		return nil, fmt.Errorf("read footer of data file: %w", err)
	}
	return file, nil
}

// checkFooter walks through the footer once and fails when it ends before all that it announces. The library makes room
// for a list as long as a damaged footer says, which ends the process when no machine has so much memory.
func checkFooter(ctx context.Context, f OpenFile) error {
	data, err := footerBytes(f, f.Size())
	if err != nil {
		return err
	}
	protocol := thrift.NewTCompactProtocolConf(thrift.NewStreamTransportR(bytes.NewReader(data)), nil)
	return thrift.SkipDefaultDepth(ctx, protocol, thrift.STRUCT)
}

// footerBytes reads the footer of a data file of so many bytes.
func footerBytes(f io.ReaderAt, size int64) ([]byte, error) {
	const length = 4
	end := make([]byte, length+len(magic))
	if size < int64(len(magic)+len(end)) {
		return nil, errors.New("the file is too short to have a footer")
	}
	if _, err := f.ReadAt(end, size-int64(len(end))); err != nil {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(end))
	if n > size-int64(len(magic)+len(end)) {
		return nil, errors.New("the footer is longer than the file")
	}
	data := make([]byte, n)
	if _, err := f.ReadAt(data, size-int64(len(end))-n); err != nil {
		return nil, err
	}
	return data, nil
}

// bronzeFooter returns the values of the footer of a file that takes the place of its job's files. They lie in one
// partition, and so come from one source; the youngest file says most about it.
func bronzeFooter(ctx context.Context, l *Lake, j job) (map[string]string, error) {
	last := j.files[len(j.files)-1].Path
	ft, err := l.footer(ctx, last)
	if err != nil {
		return nil, err
	}
	from, _ := ParseBronzeName(j.files[0].Path)
	to, _ := ParseBronzeName(last)
	values := maps.Clone(ft.values)
	values[footerPartition] = strconv.Itoa(int(from.Partition))
	values[footerStart], values[footerEnd] = strconv.FormatInt(from.Start, 10), strconv.FormatInt(to.End, 10)
	return values, nil
}
