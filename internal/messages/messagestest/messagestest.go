// Package messagestest holds files of messages against the code that says them. Tests alone import it.
package messagestest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Sources returns the text of the files of some patterns, without tests.
func Sources(t *testing.T, patterns ...string) string {
	t.Helper()
	var all strings.Builder
	for _, pattern := range patterns {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if strings.HasSuffix(path, "_test.go") {
				continue
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			all.Write(data)
		}
	}
	return all.String()
}

// IsSaid reports whether a message's id stands in the source. Of one that is built from a closed list its stem does, up
// to one of its dots.
func IsSaid(source, id string) bool {
	if strings.Contains(source, `"`+id+`"`) {
		return true
	}
	for stem := id; strings.Contains(stem, "."); {
		stem = stem[:strings.LastIndex(stem, ".")]
		if strings.Contains(source, `"`+stem+`."`) {
			return true
		}
	}
	return false
}
