package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/schemas"
)

// exitCode tells failure from misuse; started says whether a command's own work had begun.
func exitCode(err error, started bool) int {
	if !started || schemas.ErrorCode(err) == schemas.CodeInvalid {
		return exitUsage
	}
	return exitFailed
}

// sentence returns what a person reads of an error.
func sentence(ctx context.Context, err error) string {
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	if isDiskFull(err) {
		cause, _, _ := strings.Cut(err.Error(), "\n") // the rest is what else could not be written then
		return "the disk is full: make room and do the same again, what was stored before is still there: " + cause
	}
	return oneSentence(err.Error())
}

// oneArgument refuses any other number of arguments than one, with a sentence that says what to give.
func oneArgument(advice string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return errors.New(advice)
		}
		return nil
	}
}

// oneSentence folds the suggestions that cobra adds to an unknown command, in lines of their own, into its sentence.
func oneSentence(text string) string {
	what, suggestions, ok := strings.Cut(text, "\n\nDid you mean this?\n\t")
	if !ok {
		return text
	}
	return what + ": did you mean " + strings.ReplaceAll(strings.TrimSpace(suggestions), "\n\t", " or ") + "?"
}
