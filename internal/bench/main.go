package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

const usage = `usage: bench <command> [flags]

  ingest   protobuf and JSON from Kafka to committed bronze, beside the peers; merge; bytes per sample
  memory   what ingest takes of memory with a large backlog
  models   a day of many people through all models, and a late batch of one of them

bench <command> -h lists the flags.
`

// makeLine is what a reader types, at the root of the repository, to have a command run again.
func makeLine(command string, args []string) string {
	line := "make bench/" + command
	if len(args) == 0 {
		return line
	}
	quoted := make([]string, len(args))
	for i, arg := range args {
		if quoted[i] = arg; arg == "" || strings.Contains(arg, " ") {
			quoted[i] = strconv.Quote(arg)
		}
	}
	return line + " BENCHFLAGS='" + strings.Join(quoted, " ") + "'"
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return errors.New("no command")
	}
	switch command, args := args[0], args[1:]; command {
	case "ingest":
		return runIngest(ctx, args)
	case "memory":
		return runMemory(ctx, args)
	case "models":
		return runModels(ctx, args)
	case commandBroker: // started by those above
		return runBroker(ctx, args)
	case commandStage:
		return runStage(ctx)
	default:
		fmt.Fprint(os.Stderr, usage)
		return fmt.Errorf("there is no command %q", command)
	}
}
