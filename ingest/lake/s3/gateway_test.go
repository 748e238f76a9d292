package s3_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// gatewayVariable names the program versitygw, which then serves the tests instead of the server in this process: a second
// opinion on what S3 is. `make test-s3` sets it.
const gatewayVariable = "DIURNA_TEST_VERSITYGW"

const (
	gatewayKey    = "diurna"
	gatewaySecret = "diurna-test"
)

// gatewayURL is where versitygw listens; "" when it does not run.
var gatewayURL string

func TestMain(m *testing.M) {
	program := os.Getenv(gatewayVariable)
	if program == "" {
		os.Exit(m.Run())
	}
	stop, err := startGateway(program)
	if err != nil {
		fmt.Fprintln(os.Stderr, "start versitygw:", err)
		os.Exit(1)
	}
	code := m.Run()
	stop()
	os.Exit(code)
}

func startGateway(program string) (stop func(), err error) {
	dir, err := os.MkdirTemp("", "diurna-versitygw-")
	if err != nil {
		return nil, err
	}
	data, meta := filepath.Join(dir, "data"), filepath.Join(dir, "meta")
	for _, folder := range []string{data, meta} {
		if err := os.Mkdir(folder, 0o700); err != nil {
			return nil, err
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	cmd := exec.Command(program, "--port", address, "posix", "--sidecar", meta, data) // it lives as long as the tests
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+gatewayKey, "ROOT_SECRET_KEY="+gatewaySecret)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}
	for range 300 {
		if conn, err := net.Dial("tcp", address); err == nil {
			gatewayURL = "http://" + address
			return stop, conn.Close()
		}
		time.Sleep(100 * time.Millisecond)
	}
	stop()
	return nil, fmt.Errorf("it does not listen on %s", address)
}
