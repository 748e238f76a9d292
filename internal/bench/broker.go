package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/diurna-health/diurna/ingest/broker"
	"github.com/diurna-health/diurna/ingest/kafka"
)

const (
	commandBroker = "broker"
	topicName     = "diurna.sync"
	brokerCore    = 0
	pipelineCore  = 1
)

// runBroker is the broker's process: bench broker DIR PARTITIONS. It says where it listens, and ends when its standard
// input does, so that it does not outlive who started it.
func runBroker(ctx context.Context, args []string) error {
	const argCount = 2
	if len(args) != argCount {
		return errors.New("usage: bench broker DIR PARTITIONS")
	}
	partitions, err := strconv.Atoi(args[1])
	if err != nil {
		return fmt.Errorf("number of partitions: %w", err)
	}
	b, err := broker.Start(ctx, broker.Config{
		Dir: args[0], Addr: "127.0.0.1:0", Topic: topicName, Partitions: partitions, Now: time.Now,
	})
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(os.Stdout, b.Addr()); err != nil {
		return errors.Join(err, b.Close())
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, b.Close())
}

// A brokerProcess is a broker in a process of its own.
type brokerProcess struct {
	addr  string
	cmd   *exec.Cmd
	stdin io.Closer
}

// startBroker starts one whose log lies in a new folder below dir.
func startBroker(ctx context.Context, dir, name string, partitions int) (*brokerProcess, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	log := filepath.Join(dir, "broker-"+name)
	if err := os.Mkdir(log, 0o700); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, exe, commandBroker, log, strconv.Itoa(partitions))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := startOn(cmd, brokerCore); err != nil {
		return nil, fmt.Errorf("start broker: %w", err)
	}
	b := &brokerProcess{cmd: cmd, stdin: stdin}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("wait for the broker's address: %w", err), b.stop())
	}
	b.addr = strings.TrimSpace(line)
	return b, nil
}

func (b *brokerProcess) stop() error {
	return errors.Join(b.stdin.Close(), b.cmd.Wait())
}

func (b *brokerProcess) open(ctx context.Context) (*kafka.Topic, error) {
	return kafka.Open(ctx, kafka.Config{Brokers: []string{b.addr}, Topic: topicName})
}
