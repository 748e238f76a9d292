package ingest

import (
	"strconv"

	"github.com/diurna-health/diurna/ingest/lake"
)

// LakePartition returns the partition of the lake under which the messages of a partition of a source, which is the
// string of a kafka.Identity, lie. ok is false when the lake, whose bronze is at the snapshot, was never filled from it.
func LakePartition(bronze *lake.Snapshot, source string, partition int32) (p int32, ok bool, err error) {
	m, err := readMarks(bronze.Properties)
	if err != nil {
		return 0, false, err
	}
	if m.source == source {
		return lakePartition(partition, m.generation), true, nil
	}
	for generation := m.generation - 1; generation >= 0; generation-- {
		if m.properties[propertyPastSource+strconv.Itoa(generation)] == source {
			return lakePartition(partition, generation), true, nil
		}
	}
	return 0, false, nil
}
