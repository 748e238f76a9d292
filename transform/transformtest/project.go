package transformtest

import (
	"io/fs"
	"testing"

	"github.com/diurna-health/diurna/transform"
)

// Load returns the project of transform's own models and those of the file systems, for packages that hand over models
// and do not import transform.
func Load(t testing.TB, systems ...fs.FS) *transform.Project {
	t.Helper()
	project, err := transform.Load(t.Context(), append([]fs.FS{transform.Models}, systems...)...)
	if err != nil {
		t.Fatal(err)
	}
	return project
}
