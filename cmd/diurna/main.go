// Command diurna turns what smartwatches sync into nights, hearts, days and reports. Every part of the pipeline and
// every tool for looking into it is a subcommand; `diurna help` lists them.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/diurna-health/diurna/internal/failpoint"
)

// The exit codes scripts can rely on.
const (
	exitDone   = 0 // what was asked for is done
	exitFailed = 1 // it was asked for rightly and did not work
	exitUsage  = 2 // it was asked for wrongly; asking the same again will not help
)

func main() {
	if err := failpoint.Arm(os.Getenv(failpoint.EnvVar)); err != nil {
		fmt.Fprintf(os.Stderr, "diurna: environment variable %s: %v\n", failpoint.EnvVar, err)
		os.Exit(exitUsage)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal asks us to finish; a second one ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program behind the doorbell: tests enter by the same door.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := newApp(stdin, stdout, stderr)
	root := newRootCommand(a)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(stderr, "diurna: %s\n", sentence(ctx, err))
	return exitCode(err, a.started)
}
