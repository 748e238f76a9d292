package lake_test

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	_ "github.com/duckdb/duckdb-go/v2"

	"github.com/diurna-health/diurna/ingest/lake"
)

// TestASplicedFileHasTheRowsOfBoth has DuckDB write files and read what is made of them: rows, what is known of the
// groups, and whether it skips those that a Bloom filter rules out.
func TestASplicedFileHasTheRowsOfBoth(t *testing.T) {
	t.Parallel()
	db := openDuckDB(t)
	for seed := range uint64(25) {
		rng := rand.New(rand.NewPCG(seed, 12))
		dir := t.TempDir()
		path, patch, dst := filepath.Join(dir, "old"), filepath.Join(dir, "patch"), filepath.Join(dir, "dst")
		writeRandomRows(t, db, path, int(seed), 1+rng.IntN(30_000))
		writeRandomRows(t, db, patch, 100+int(seed), rng.IntN(9000))

		file := readGroups(t, path)
		groups := file.Groups
		checkBounds(t, db, path, groups)
		from := rng.IntN(len(groups) + 1)
		to := from + rng.IntN(len(groups)-from+1)
		if err := file.Splice(dst, patch, from, to); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}

		old, fresh := duckDBRows(t, db, path), duckDBRows(t, db, patch)
		want := slices.Concat(old[:rowsIn(groups[:from])], fresh, old[rowsIn(groups[:to]):])
		if got := duckDBRows(t, db, dst); !slices.Equal(got, want) {
			t.Errorf("seed %d: groups %d to %d of %d: %d rows are not the %d that are wanted", seed, from, to, len(groups), len(got), len(want))
		}
		checkFooter(t, db, path, patch, dst, from, to)
	}
}

func TestFilesThatAreUnlikeAreNotSpliced(t *testing.T) {
	t.Parallel()
	db := openDuckDB(t)
	dir := t.TempDir()
	path, other, dst := filepath.Join(dir, "old"), filepath.Join(dir, "other"), filepath.Join(dir, "dst")
	writeRandomRows(t, db, path, 1, 5000)
	exec(t, db, fmt.Sprintf("copy (select user_id, 1 as x from read_parquet('%s')) to '%s' (format parquet)", path, other))
	file := readGroups(t, path)
	if err := file.Splice(dst, other, 0, 1); !errors.Is(err, lake.ErrUnlike) {
		t.Errorf("other columns: %v", err)
	}
	l := emptyLake(t)
	indexed := writeRecords(t, rand.New(rand.NewPCG(1, 1)), l, "indexed", nil, randomRecords(rand.New(rand.NewPCG(2, 2)), 100))
	if _, err := lake.ReadGroups(indexed, "user_id"); !errors.Is(err, lake.ErrUnlike) {
		t.Errorf("a file with indexes of its pages: %v", err)
	}
	if err := file.Splice(dst, path, 1, 9); err == nil {
		t.Error("groups that are not there were replaced")
	}
	if _, err := os.Stat(dst); err == nil {
		t.Error("a file was written")
	}
}

func FuzzRowGroups(f *testing.F) {
	db := openDuckDB(f)
	path := filepath.Join(f.TempDir(), "rows")
	writeRandomRows(f, db, path, 1, 5000)
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	length := int(binary.LittleEndian.Uint32(whole[len(whole)-8:]))
	body, foot := whole[:len(whole)-8-length], whole[len(whole)-8-length:len(whole)-8]
	f.Add(foot)
	f.Add(foot[:len(foot)/2])
	f.Add(bytes.Repeat([]byte{0x1c}, 500)) // structures in structures
	f.Add([]byte{0x49, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, foot []byte) {
		dir := t.TempDir()
		path, dst := filepath.Join(dir, "damaged"), filepath.Join(dir, "dst")
		data := slices.Concat(body, foot, binary.LittleEndian.AppendUint32(nil, uint32(len(foot))), []byte("PAR1"))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		file, err := lake.ReadGroups(path, "user_id")
		if err != nil {
			return
		}
		if err := file.Splice(dst, path, 0, len(file.Groups)); err != nil {
			t.Fatalf("the file is read and cannot be spliced: %v", err)
		}
		again, err := lake.ReadGroups(dst, "user_id")
		if err != nil || !slices.Equal(again.Groups, file.Groups) {
			t.Errorf("the groups %v became %v, %v", file.Groups, again, err)
		}
	})
}

func readGroups(t *testing.T, path string) *lake.GroupedFile {
	t.Helper()
	file, err := lake.ReadGroups(path, "user_id")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func openDuckDB(tb testing.TB) *sql.DB {
	tb.Helper()
	db, err := sql.Open("duckdb", "?threads=1")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

func exec(tb testing.TB, db *sql.DB, query string) {
	tb.Helper()
	if _, err := db.ExecContext(tb.Context(), query); err != nil {
		tb.Fatal(err)
	}
}

// writeRandomRows writes rows in order of person, of all kinds of columns that tables have.
func writeRandomRows(tb testing.TB, db *sql.DB, path string, seed, n int) {
	tb.Helper()
	exec(tb, db, fmt.Sprintf(`copy (
			select
				format('u{:05d}', i // 3) as user_id,
				date '2026-01-01' + cast(i %% 3 as integer) as local_date,
				if(hash(i, %[1]d) %% 3 = 0, null, hash(i, %[1]d, 1) / 1e9) as amount,
				if(hash(i, %[1]d) %% 5 = 0, '', 'word ' || hash(i, %[1]d, 2) %% 50) as word,
				'text ' || hash(i, %[1]d, 3) as text,
				if(i %% 7 = 0, null, [cast(hash(i, j) %% 100 as smallint) for j in range(i %% 4)]) as list,
				{'a': i %% 2 = 0, 'b': if(i %% 11 = 0, null, hash(i, %[1]d, 4) %% 9)} as pair,
				if(%[1]d %% 2 = 0, null, timestamp '2026-01-01' + to_seconds(i)) as at,
				cast(null as double) as nothing
			from range(%[2]d) as t(i)
		) to '%[3]s' (format parquet, compression zstd, row_group_size 2048)`, seed, n, path))
}

func duckDBRows(tb testing.TB, db *sql.DB, path string) []string {
	tb.Helper()
	return texts(tb, db, fmt.Sprintf("select cast(t as varchar) from read_parquet('%s') as t", path)) // in their order
}

func texts(tb testing.TB, db *sql.DB, query string) []string {
	tb.Helper()
	rows, err := db.QueryContext(tb.Context(), query)
	if err != nil {
		tb.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			tb.Fatal(err)
		}
		all = append(all, s)
	}
	if err := rows.Err(); err != nil {
		tb.Fatal(err)
	}
	return all
}

func rowsIn(groups []lake.RowGroup) (n int64) {
	for _, g := range groups {
		n += g.Rows
	}
	return n
}

func checkBounds(t *testing.T, db *sql.DB, path string, groups []lake.RowGroup) {
	t.Helper()
	var got []string
	for _, g := range groups {
		got = append(got, fmt.Sprint(g.Rows, " ", g.Lower, " ", g.Upper, " ", g.IsBounded))
	}
	want := texts(t, db, fmt.Sprintf(`select format('{} {} {} true', row_group_num_rows, stats_min_value, stats_max_value)
		from parquet_metadata('%s') where path_in_schema = 'user_id' order by row_group_id`, path))
	if !slices.Equal(got, want) {
		t.Errorf("the groups are %q, want %q", got, want)
	}
}

// checkFooter compares what the three files say of their groups, but for where they lie.
func checkFooter(t *testing.T, db *sql.DB, path, patch, dst string, from, to int) {
	t.Helper()
	of := func(path, where string) []string {
		return texts(t, db, fmt.Sprintf(`select cast(t as varchar)
			from (
				select * exclude (file_name, row_group_id, file_offset, data_page_offset, dictionary_page_offset, index_page_offset,
						bloom_filter_offset),
					data_page_offset - min(data_page_offset) over (partition by row_group_id) as within
				from parquet_metadata('%s')
				where %s
				order by row_group_id, column_id
			) as t`, path, where))
	}
	want := slices.Concat(of(path, fmt.Sprint("row_group_id < ", from)), of(patch, "true"), of(path, fmt.Sprint("row_group_id >= ", to)))
	if got := of(dst, "true"); !slices.Equal(got, want) {
		t.Errorf("the footer is other than those it is made of")
	}
	excluded := func(path, where, word string) []string {
		return texts(t, db, fmt.Sprintf(`select bloom_filter_excludes from parquet_bloom_probe('%s', 'word', '%s') where %s
			order by row_group_id`, path, word, where))
	}
	for _, word := range []string{"word 7", "nobody"} {
		want := slices.Concat(excluded(path, fmt.Sprint("row_group_id < ", from), word), excluded(patch, "true", word),
			excluded(path, fmt.Sprint("row_group_id >= ", to), word))
		if got := excluded(dst, "true", word); !slices.Equal(got, want) || word == "nobody" && len(got) > 3 && !slices.Contains(got, "true") {
			t.Errorf("Bloom filters exclude %q from %v, want %v", word, got, want)
		}
	}
}
