package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/schemas"
)

func TestExitCodesTellFailureFromMisuse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		args   []string
		code   int
		stderr string
	}{
		{"no command shows the help", nil, exitDone, ""},
		{"a command", []string{"version"}, exitDone, ""},
		{"unknown command", []string{"rum"}, exitUsage, "diurna: unknown command \"rum\" for \"diurna\": did you mean run?\n"},
		{"unknown flag", []string{"config", "--no-such"}, exitUsage, "diurna: unknown flag: --no-such\n"},
		{"too many arguments", []string{"version", "x"}, exitUsage, "diurna: unknown command \"x\" for \"diurna version\"\n"},
		{"wrong setting", []string{"config", "--log-format", "xml"}, exitUsage,
			"diurna: setting log.format is \"xml\": it must be auto, text or json\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			code := run(t.Context(), tt.args, strings.NewReader(""), &stdout, &stderr)
			if code != tt.code || stderr.String() != tt.stderr {
				t.Errorf("got exit code %d and %q, want %d and %q", code, stderr.String(), tt.code, tt.stderr)
			}
			if (code == exitDone) != (stdout.Len() > 0) {
				t.Errorf("exit code %d with %q on standard output", code, stdout.String())
			}
		})
	}
}

func TestErrorsOfACommandsOwnWork(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		name string
		ctx  context.Context
		err  error
		code int
		says string
	}{
		{"a wrong request is misuse", t.Context(), &schemas.Error{Code: schemas.CodeInvalid, Message: "no"}, exitUsage, "no"},
		{"a conflict is a failure", t.Context(), &schemas.Error{Code: schemas.CodeConflict, Message: "no"}, exitFailed, "no"},
		{"any other error is a failure", t.Context(), errors.New("read disk"), exitFailed, "read disk"},
		{"a full disk is a failure, and one sentence", t.Context(), errors.Join(fmt.Errorf("write x: %w", syscall.ENOSPC), errors.New("write y")),
			exitFailed, "the disk is full: make room and do the same again, what was stored before is still there: write x: no space left on device"},
		{"an interruption is a failure", cancelled, context.Canceled, exitFailed, "interrupted"},
		{"a cancellation of something else keeps its words", t.Context(), context.Canceled, exitFailed, "context canceled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := sentence(tt.ctx, tt.err); got != tt.says {
				t.Errorf("says %q, want %q", got, tt.says)
			}
			if got := exitCode(tt.err, true); got != tt.code {
				t.Errorf("exit code %d, want %d", got, tt.code)
			}
			if got := exitCode(tt.err, false); got != exitUsage {
				t.Errorf("before the work began: exit code %d, want %d", got, exitUsage)
			}
		})
	}
}

func TestTheLogIsJSONUnlessAPersonReadsIt(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := newLogger(LogConfig{Level: slog.LevelWarn, Format: logAuto}, &out)
	log.InfoContext(t.Context(), "not logged")
	log.WarnContext(t.Context(), "logged", schemas.LogKeyRows, 3)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil || line["msg"] != "logged" || line["rows"] != 3.0 {
		t.Errorf("got %q, %v", out.String(), err)
	}
	out.Reset()
	newLogger(LogConfig{Format: logText}, &out).InfoContext(t.Context(), "logged")
	if !strings.Contains(out.String(), "msg=logged") {
		t.Errorf("got %q", out.String())
	}
}

func TestTheVersionSaysWhatIsKnown(t *testing.T) {
	t.Parallel()
	target := []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "arm64"}}
	release := &debug.BuildInfo{GoVersion: "go1.26.0", Settings: target}
	release.Main.Version = "v0.1.0"
	checkout := &debug.BuildInfo{GoVersion: "go1.26.0", Settings: append(target,
		debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef"}, debug.BuildSetting{Key: "vcs.modified", Value: "true"})}
	got := []string{versionLine(release), versionLine(checkout), versionLine(&debug.BuildInfo{})}
	want := []string{
		"diurna v0.1.0 go1.26.0 linux/arm64",
		"diurna (devel) 0123456789ab with local changes go1.26.0 linux/arm64",
		"diurna (devel)",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}
