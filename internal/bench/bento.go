package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The shapes in which Bento writes the samples of the messages.
var (
	//go:embed bentoconfig/pieces.yaml
	bentoPieces string
	//go:embed bentoconfig/samples.yaml
	bentoSamples string
)

// buildBento builds it into dir from the module in src, with its own versions of everything.
func buildBento(ctx context.Context, src, dir string) (string, error) {
	exe := filepath.Join(dir, "bento")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", exe, ".")
	cmd.Dir = src
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build Bento in %s: %w", src, err)
	}
	return exe, nil
}

func bentoContender(name, exe, config, countQuery string, c *corpus) *contender {
	return &contender{
		name: name, messages: c.Messages, samples: c.Samples, count: countQuery,
		run: func(ctx context.Context, dir, _ string) (result, error) {
			return runBento(ctx, exe, config, c.NDJSON, dir)
		},
	}
}

// runBento runs it from start to end of its process: it has no other edges to measure from.
func runBento(ctx context.Context, exe, config, messages, dir string) (result, error) {
	configFile, out := filepath.Join(dir, "config.yaml"), filepath.Join(dir, "out")
	if err := errors.Join(os.WriteFile(configFile, []byte(config), 0o600), os.Mkdir(out, 0o700)); err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(ctx, exe, "-c", configFile)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1", "BENCH_MESSAGES="+messages, "BENCH_OUT="+out)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	start := time.Now()
	if err := startOn(cmd, pipelineCore); err != nil {
		return result{}, fmt.Errorf("start Bento: %w", err)
	}
	if err := cmd.Wait(); err != nil {
		return result{}, fmt.Errorf("run Bento: %w", err)
	}
	r := result{
		Wall:    time.Since(start),
		CPU:     cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		PeakRSS: peakRSS(cmd.ProcessState),
	}
	return r, r.addFiles(filepath.Join(out, "*.parquet"))
}

// addFiles takes note of the files a peer wrote.
func (r *result) addFiles(pattern string) error {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return err
	}
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return err
		}
		r.Files, r.Bytes = append(r.Files, f), r.Bytes+info.Size()
	}
	return nil
}
