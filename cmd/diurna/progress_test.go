package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNothingIsWrittenIntoTheMiddleOfTheBar(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := &progress{out: &out, now: func() time.Time { return now }, terminal: true}
	p.show("reading", 1, 2)
	p.show("reading", 3, 4) // too soon to be shown
	log := newLogger(LogConfig{Format: logText}, p)
	log.WarnContext(t.Context(), "something")
	now = now.Add(barEvery)
	p.show("reading", 4, 4)
	p.print("file.csv:3: broken")
	p.stage("building")
	p.end()

	// What a terminal shows: of a line that was begun again, only the last.
	var lines []string
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(line, "\n")
		line = line[strings.LastIndex(line, "\r")+1:]
		if _, rest, ok := strings.Cut(line, " level="); ok {
			line = "level=" + rest
		}
		lines = append(lines, line)
	}
	if diff := cmp.Diff([]string{"level=WARN msg=something", "file.csv:3: broken", "building ..."}, lines); diff != "" {
		t.Errorf("lines on the terminal (-want +got):\n%s", diff)
	}
	bar := "\rreading   [===============               ]  50 %"
	if !strings.HasPrefix(out.String(), bar) || !strings.Contains(out.String(), "100 %") || strings.Contains(out.String(), "75 %") {
		t.Errorf("the bar is not as it should be: %q", out.String())
	}
}

func TestElsewhereThanOnATerminalProgressIsPlainLines(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := newProgress(&out, func() time.Time { return now })
	p.show("reading", 0, 10)
	p.show("reading", 5, 10) // too soon
	now = now.Add(lineEvery)
	p.show("reading", 6, 10)
	p.show("reading", 10, 10)
	p.end()
	if diff := cmp.Diff("reading: 0 %\nreading: 60 %\nreading: 100 %\n", out.String()); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

func TestABarIsTakenAwayWholeHoweverLongItsName(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	p := &progress{out: &out, now: time.Now, terminal: true}
	p.show("compact bronze.sync_records", 1, 2)
	p.show("verify", 1, 2)
	lines := strings.Split(out.String(), "\r")
	if first, second := lines[1], lines[2]; len(second) != len(first) {
		t.Errorf("a bar of %d characters is written over by %d", len(first), len(second))
	}
	out.Reset()
	p.show("compact bronze.sync_records", 2, 2)
	bar := strings.TrimPrefix(out.String(), "\r")
	out.Reset()
	p.end()
	if want := "\r" + strings.Repeat(" ", len(bar)) + "\r"; out.String() != want {
		t.Errorf("%q is taken away by %q", bar, out.String())
	}
}
