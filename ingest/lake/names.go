package lake

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// A BronzeName is what the name of a file of received rows says: the rows of which partition's offsets [Start, End) it
// holds. sync-<partition>-<start>-<end>-<hash>.parquet.
type BronzeName struct {
	Partition  int32
	Start, End int64
}

// String returns the name without hash: the stem to publish under.
func (n BronzeName) String() string {
	return fmt.Sprintf("sync-%05d-%020d-%020d", n.Partition, n.Start, n.End)
}

// ParseBronzeName reads the name of a file, given with or without its folders. It reports false for any other.
func ParseBronzeName(file string) (BronzeName, bool) {
	name, isParquet := strings.CutSuffix(path.Base(file), ".parquet")
	parts := strings.Split(name, "-")
	if !isParquet || len(parts) != 5 || parts[0] != "sync" || hashOf(file) == "" {
		return BronzeName{}, false
	}
	partition, err := strconv.ParseInt(parts[1], 10, 32)
	if err != nil {
		return BronzeName{}, false
	}
	start, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return BronzeName{}, false
	}
	end, err := strconv.ParseInt(parts[3], 10, 64)
	if err != nil {
		return BronzeName{}, false
	}
	n := BronzeName{int32(partition), start, end}
	// Only the form we write: a name that two readers could read differently is nobody's.
	return n, n.Start >= 0 && n.Start < n.End && n.Partition >= 0 && n.String()+"-"+parts[4] == name
}
