package kafkatest

import (
	"strings"
	"testing"
)

func TestAClusterIDDoesNotBeginWithADash(t *testing.T) {
	for first := range 256 {
		if id := clusterID([16]byte{byte(first)}); strings.HasPrefix(id, "-") || len(id) != 22 {
			t.Errorf("the first byte %d makes the id %s", first, id)
		}
	}
}
