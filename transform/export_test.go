package transform

import (
	"context"
	"io/fs"
	"maps"
)

// LoadWith is Load with Go functions of a test beside our own.
func LoadWith(ctx context.Context, functions Functions, systems ...fs.FS) (*Project, error) {
	all := goFunctions()
	maps.Copy(all, functions)
	return load(ctx, all, systems...)
}
