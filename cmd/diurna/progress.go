package main

import (
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"
)

const (
	barWidth  = 30
	barEvery  = 100 * time.Millisecond
	lineEvery = 10 * time.Second
)

// A progress shows how far a long piece of work is: a bar on a terminal, a plain line now and then elsewhere. Whatever
// else is written meanwhile goes through it too, the log included, so that no line begins in the middle of the bar. It
// is safe for use from any goroutine.
type progress struct {
	now      func() time.Time
	terminal bool

	mu    sync.Mutex
	out   io.Writer
	name  string    // of the stage shown last
	shown time.Time // when
	width int       // of the bar that stands on the current line; 0 = none does
}

func newProgress(out io.Writer, now func() time.Time) *progress {
	return &progress{out: out, now: now, terminal: isTerminal(out)}
}

// show tells that done of total is done in a stage.
func (p *progress) show(stage string, done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	every := lineEvery
	if p.terminal {
		every = barEvery
	}
	if p.name == stage && p.now().Sub(p.shown) < every && done < total {
		return
	}
	p.name, p.shown = stage, p.now()
	share := int64(100)
	if total > 0 {
		share = done * 100 / total
	}
	if !p.terminal {
		fmt.Fprintf(p.out, "%s: %d %%\n", stage, share)
		return
	}
	filled := int(share) * barWidth / 100
	bar := fmt.Sprintf("%-9s [%s%s] %3d %%", stage, strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), share)
	fmt.Fprintf(p.out, "\r%-*s", p.width, bar) // over one with a longer name, too
	p.width = len(bar)
}

// stage tells of work whose end cannot be foreseen.
func (p *progress) stage(name string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	fmt.Fprintf(p.out, "%s ...\n", name)
	p.name = name
}

// print writes a line without breaking the bar.
func (p *progress) print(line string) {
	fmt.Fprintln(p, line)
}

// Write writes whole lines without breaking the bar.
func (p *progress) Write(lines []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	return p.out.Write(lines)
}

// Fd returns the descriptor behind the progress, one that is never open when there is none. By it a log learns whether
// a person reads along.
func (p *progress) Fd() uintptr {
	if f, ok := p.out.(interface{ Fd() uintptr }); ok {
		return f.Fd()
	}
	return math.MaxInt32
}

// end leaves the terminal as a person expects it.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

// clear takes the bar off the current line. The caller holds mu.
func (p *progress) clear() {
	if p.width > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.width))
		p.width = 0
	}
}
