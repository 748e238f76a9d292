package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// sparkContender downloads Spark with its Kafka connector, by pip and Maven, into the user's cache, and returns the
// contender that streams the same topic of JSON messages.
func sparkContender(ctx context.Context, src string, c *corpus) (*contender, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(cache, "diurna-bench")
	exe := filepath.Join(dir, "spark", "bin", "python")
	jars := filepath.Join(dir, "spark-jars")
	for _, step := range [][]string{
		{"python3", "-m", "venv", filepath.Join(dir, "spark")},
		{exe, "-m", "pip", "install", "--quiet", "-r", filepath.Join(src, "requirements.txt")},
		{"mvn", "--batch-mode", "--quiet", "-f", filepath.Join(src, "pom.xml"), "dependency:copy-dependencies", "-DoutputDirectory=" + jars},
	} {
		cmd := exec.CommandContext(ctx, step[0], step[1:]...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("fetch Spark (%s): %w", step[0], err)
		}
	}
	return &contender{
		name: "Spark row per part", messages: c.Messages, samples: c.Samples, count: countLists,
		run: func(ctx context.Context, dir, _ string) (result, error) {
			return runSpark(ctx, exe, filepath.Join(src, "stream.py"), jars, c.JSON.addr, dir)
		},
	}, nil
}

// runSpark runs a stream until it has read what the topic held when it began. The time is Spark's own, from the start
// of the query to its end: the start of the JVM is not in it.
func runSpark(ctx context.Context, exe, script, jars, broker, dir string) (result, error) {
	out := filepath.Join(dir, "out")
	paths, err := filepath.Glob(filepath.Join(jars, "*.jar"))
	if err != nil {
		return result{}, err
	}
	spec, err := json.Marshal(map[string]any{
		"broker": broker, "topic": topicName, "out": out, "checkpoint": filepath.Join(dir, "checkpoint"), "jars": paths,
		"scratch": dir,
	})
	if err != nil {
		return result{}, err
	}
	cmd := exec.CommandContext(ctx, exe, script, string(spec))
	cmd.Env = append(os.Environ(), "SPARK_LOCAL_IP=127.0.0.1")
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return result{}, err
	}
	if err := startOn(cmd, pipelineCore); err != nil {
		return result{}, fmt.Errorf("start Spark: %w", err)
	}
	var took struct {
		Wall float64 `json:"wall_s"`
		CPU  float64 `json:"cpu_s"`
		RSS  int64   `json:"peak_rss"`
	}
	err = json.NewDecoder(stdout).Decode(&took)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		return result{}, fmt.Errorf("run Spark: %w", err)
	}
	r := result{Wall: seconds(took.Wall), CPU: seconds(took.CPU), PeakRSS: took.RSS}
	return r, r.addFiles(filepath.Join(out, "*.parquet"))
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
