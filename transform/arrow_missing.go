//go:build !duckdb_arrow

package transform

// DuckDB hands out Arrow batches only when it is built with the tag duckdb_arrow. make sets it; by hand it is
// go build -tags duckdb_arrow.
var _ = build_with_tags_duckdb_arrow
