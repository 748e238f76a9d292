package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
	"time"
)

const commandStage = "stage"

// The names of the stages: what can be measured in a process of our own.
const (
	stageIngest = "ingest"
	stageDuckDB = "duckdb"
	stageMerge  = "merge"
	stageSilver = "silver"
	stageModels = "models"
	stageLate   = "late"
)

// A job says what a stage has to do.
type job struct {
	Stage    string `json:"stage"`
	Dir      string `json:"dir"`     // an empty folder of its own
	Cores    int    `json:"cores"`   // how many it may use
	Profile  string `json:"profile"` // file for a CPU profile; "" = none
	Messages int    `json:"messages"`
	Samples  int    `json:"samples"`

	// Of stageIngest.
	Broker       string `json:"broker"`
	FlushSamples int    `json:"flush_samples"` // 0 = the product's own settings

	// Of stageDuckDB, and of the merge by DuckDB.
	SQL string `json:"sql"`

	// Of stageMerge, stageSilver, stageModels and stageLate.
	People int    `json:"people"`
	Seed   uint64 `json:"seed"`
	Metric string `json:"metric"` // the only one of which there are series; "" = all

	// Of stageModels.
	Days int `json:"days"` // of gold behind the day

	// Of stageModels, stageLate and the merge by DuckDB.
	Memory string `json:"memory"` // of DuckDB
}

// A result is what a stage took.
type result struct {
	Wall    time.Duration `json:"wall"`
	CPU     time.Duration `json:"cpu"`      // user and system, of the measured part
	PeakRSS int64         `json:"peak_rss"` // bytes, of the whole process
	Bytes   int64         `json:"bytes"`    // of what was written
	Files   []string      `json:"files"`

	// Of stageModels and stageLate.
	Samples int         `json:"samples"`
	Models  []modelTime `json:"models"`

	// Of stageLate.
	Late []result `json:"late,omitempty"`
}

// runStage is the process of a stage: it reads a job from standard input and writes a result to standard output.
func runStage(ctx context.Context) error {
	var j job
	if err := json.NewDecoder(os.Stdin).Decode(&j); err != nil {
		return fmt.Errorf("read job: %w", err)
	}
	var do func(context.Context, job) (result, error)
	switch j.Stage {
	case stageIngest:
		do = ingestStage
	case stageDuckDB:
		do = duckDBStage
	case stageMerge:
		do = mergeStage
	case stageSilver:
		do = silverStage
	case stageModels:
		do = modelsStage
	case stageLate:
		do = lateStage
	default:
		return fmt.Errorf("there is no stage %q", j.Stage)
	}
	r, err := do(ctx, j)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// measured runs do and says what it took. Garbage of the set-up is not its.
func measured(j job, do func() error) (r result, err error) {
	runtime.GC()
	if j.Profile != "" {
		f, err := os.Create(j.Profile)
		if err != nil {
			return result{}, err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return result{}, errors.Join(err, f.Close())
		}
		defer func() {
			pprof.StopCPUProfile()
			err = errors.Join(err, f.Close())
		}()
	}
	cpu, start := cpuTime(), time.Now()
	if err := do(); err != nil {
		return result{}, err
	}
	return result{Wall: time.Since(start), CPU: cpuTime() - cpu}, nil
}

// runJob runs a stage in a process of its own.
func runJob(ctx context.Context, j job) (result, error) {
	exe, err := os.Executable()
	if err != nil {
		return result{}, err
	}
	if err := os.MkdirAll(j.Dir, 0o700); err != nil {
		return result{}, err
	}
	in, err := json.Marshal(j)
	if err != nil {
		return result{}, err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, exe, commandStage)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, os.Stderr
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(j.Cores))
	start := startOnPipelineCore
	if j.Cores > 1 {
		start = (*exec.Cmd).Start
	}
	if err := start(cmd); err != nil {
		return result{}, fmt.Errorf("start stage %s: %w", j.Stage, err)
	}
	if err := cmd.Wait(); err != nil {
		return result{}, fmt.Errorf("stage %s: %w", j.Stage, err)
	}
	var r result
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return result{}, fmt.Errorf("read result of stage %s: %w", j.Stage, err)
	}
	r.PeakRSS = peakRSS(cmd.ProcessState)
	return r, nil
}

func startOnPipelineCore(cmd *exec.Cmd) error { return startOn(cmd, pipelineCore) }
