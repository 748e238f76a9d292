package transform

import (
	"context"
	"io/fs"
)

// LoadWith is Load with Go functions of a test.
func LoadWith(ctx context.Context, functions Functions, systems ...fs.FS) (*Project, error) {
	return load(ctx, functions, systems...)
}
