package lake

import (
	"context"
	"fmt"
	"maps"
	"strconv"

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
	file, err := parquet.OpenFile(f, f.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return footer{}, fmt.Errorf("read footer: %w", err)
	}
	values := map[string]string{}
	for _, kv := range file.Metadata().KeyValueMetadata {
		values[kv.Key] = kv.Value
	}
	return footer{file.NumRows(), values}, nil
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
