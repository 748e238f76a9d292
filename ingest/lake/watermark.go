package lake

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The prefixes of the properties that hold watermarks, one per Kafka partition: the offset wanted next. A watermark is
// set in the same commit as the rows below it, and only ever rises.
const (
	IngestWatermark = "ingest.wm." // of bronze: what is received
	MergeWatermark  = "merge.wm."  // of a silver table: what is merged
	BuildWatermark  = "build.wm."  // of a gold table: what is built
)

// Watermarks reads the watermarks with the given prefix, by partition.
func (s *Snapshot) Watermarks(prefix string) (map[int32]int64, error) {
	marks := map[int32]int64{}
	for key, value := range s.Properties {
		suffix, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		partition, err := strconv.ParseInt(suffix, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("watermark %s of %s: %w", key, s.Table, err)
		}
		offset, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("watermark %s of %s: %w", key, s.Table, err)
		}
		marks[int32(partition)] = offset
	}
	return marks, nil
}

// WatermarkProperties writes watermarks as properties of a commit.
func WatermarkProperties(prefix string, marks map[int32]int64) map[string]string {
	properties := make(map[string]string, len(marks))
	for partition, offset := range marks {
		properties[prefix+strconv.Itoa(int(partition))] = strconv.FormatInt(offset, 10)
	}
	return properties
}

// Has reports whether the commit with this ID is the last one of the table, or made one of the snapshots that the table
// still keeps. It settles an unknown outcome, also when others have committed since.
func (s *Snapshot) Has(commitID string) bool {
	return s.Properties[propertyCommit] == commitID || slices.Contains(s.commits, commitID)
}
