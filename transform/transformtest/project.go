package transformtest

import (
	"io/fs"
	"testing"

	"github.com/diurna-health/diurna/transform"
)

// Load returns the project of transform's own models and those of the file systems, for packages that hand over models
// and do not import transform.
func Load(tb testing.TB, systems ...fs.FS) *transform.Project {
	tb.Helper()
	project, err := transform.Load(tb.Context(), append([]fs.FS{transform.Models}, systems...)...)
	if err != nil {
		tb.Fatal(err)
	}
	return project
}
