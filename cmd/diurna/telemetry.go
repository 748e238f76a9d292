package main

import (
	"io"
	"log/slog"
	"time"

	"github.com/mattn/go-isatty"
)

// newLogger returns the log of the process. It goes to standard error, so that standard output holds results alone.
func newLogger(cfg LogConfig, stderr io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.Format == logText || cfg.Format == logAuto && isTerminal(stderr) {
		return slog.New(slog.NewTextHandler(stderr, options))
	}
	options.ReplaceAttr = durationsInMS
	return slog.New(slog.NewJSONHandler(stderr, options))
}

// durationsInMS names the unit of a duration, which JSON has as a bare number: of nanoseconds, if it were left alone.
func durationsInMS(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() != slog.KindDuration {
		return a
	}
	return slog.Float64(a.Key+"_ms", float64(a.Value.Duration())/float64(time.Millisecond))
}

// isTerminal reports whether a person reads along on w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}
