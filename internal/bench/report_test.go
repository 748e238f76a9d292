package main

import (
	"testing"
	"time"
)

func TestTheMedianOfTheRatiosIsTakenRoundByRound(t *testing.T) {
	took := func(ms ...int) *contender {
		c := &contender{samples: 1_000_000}
		for _, n := range ms {
			c.results = append(c.results, result{Wall: time.Duration(n) * time.Millisecond})
		}
		return c
	}
	// The machine was slow in the third round, for both.
	ours, peer := took(100, 110, 900, 90), took(400, 450, 3500, 380)
	if got := medianRatio(ours, peer, wallRate); got < 3.9 || got > 4.2 {
		t.Errorf("ratio %.2f", got)
	}
	if got := ours.median(wallRate); got < 9.5 || got > 9.6 {
		t.Errorf("median %.2f M samples/s", got)
	}
	if got := took(100, 200, 400).median(wallRate); got != 5 {
		t.Errorf("median of three %.2f M samples/s", got)
	}
}

func TestAReportSaysWhatToTypeToMakeItAgain(t *testing.T) {
	for want, args := range map[string][]string{
		"make bench/models": nil,
		"make bench/models BENCHFLAGS='-people 1000 -out MODELS.md'": {"-people", "1000", "-out", "MODELS.md"},
		`make bench/models BENCHFLAGS='-dir "a folder"'`:             {"-dir", "a folder"},
	} {
		if got := makeLine("models", args); got != want {
			t.Errorf("of %v the line is %s, want %s", args, got, want)
		}
	}
}

func TestFlagsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, args := range [][]string{{"-runs", "0"}, {"-peers", "excel"}, {"-people", "-1"}} {
		if _, err := parseIngest(args); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
	for _, args := range [][]string{{"-gib", "0"}, {"-form", "xml"}, {"-partitions", "0"}} {
		if _, err := parseMemory(args); err == nil {
			t.Errorf("%v was taken", args)
		}
	}
	f, err := parseIngest([]string{"-peers", ""})
	if err != nil || len(f.peers) != 0 {
		t.Errorf("no peers: %v, %v", f.peers, err)
	}
}
