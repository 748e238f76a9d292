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

// The days that a lookback lets a model read, as spans and one by one.
func SpansBack(days string, lookback Span) string { return spansBack(days, lookback) }
func WidenBack(days string, lookback Span) string { return widenBack(days, lookback) }
