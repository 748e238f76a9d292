package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
)

// machine says on what, how busy with other things, and with which versions the figures were made. before is the load
// when the run began.
func machine(ctx context.Context, before string) (string, error) {
	duckDB, err := duckDBVersion(ctx)
	if err != nil {
		return "", err
	}
	versions := []string{"Go " + strings.TrimPrefix(runtime.Version(), "go"), "DuckDB " + duckDB}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			switch dep.Path {
			case "github.com/parquet-go/parquet-go", "github.com/segmentio/kafka-go", "github.com/twmb/franz-go/pkg/kfake":
				versions = append(versions, dep.Path[strings.LastIndexByte(dep.Path, '/')+1:]+" "+dep.Version)
			}
		}
	}
	return fmt.Sprintf("Machine: %s, %d cores, %s/%s; load average %s before the run, %s at its end, of which the run is about 1. "+
		"Versions: %s.\n\n", processor(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, before, load(),
		strings.Join(versions, ", ")), nil
}

// load returns how many processes wanted a processor in the last minute, where the system tells it.
func load() string {
	averages, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	minute, _, _ := strings.Cut(string(averages), " ")
	return minute
}

func duckDBVersion(ctx context.Context) (string, error) {
	db, err := openDuckDB(ctx, os.TempDir(), defaultMemory)
	if err != nil {
		return "", err
	}
	defer db.Close()
	var version string
	err = db.QueryRowContext(ctx, "select version()").Scan(&version)
	return version, err
}

// processor returns the name of the processor where the system tells it.
func processor() string {
	info, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return "processor unknown"
	}
	for line := range strings.Lines(string(info)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "processor unknown"
}
