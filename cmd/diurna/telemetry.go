package main

import (
	"io"
	"log/slog"

	"github.com/mattn/go-isatty"
)

// newLogger returns the log of the process. It goes to standard error, so that standard output holds results alone.
func newLogger(cfg LogConfig, stderr io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level}
	if cfg.Format == logText || cfg.Format == logAuto && isTerminal(stderr) {
		return slog.New(slog.NewTextHandler(stderr, options))
	}
	return slog.New(slog.NewJSONHandler(stderr, options))
}

// isTerminal reports whether a person reads along on w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}
