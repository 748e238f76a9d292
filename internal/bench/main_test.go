package main

import (
	"context"
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test's own binary be the broker and the stages, as the command's is when it runs.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == commandBroker || os.Args[1] == commandStage) {
		if err := run(context.Background(), os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
