package kafkatest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// EnvVar names the file with the class path of Apache Kafka. When it is set, tests run against it.
const EnvVar = "DIURNA_TEST_KAFKA"

// The users every server has.
const (
	User     = "tester"
	Password = "correct-horse-battery-staple"
)

// startTimeout is generous: a Java virtual machine starts on a machine that is busy with tests.
const startTimeout = 2 * time.Minute

// A Server is one node of Apache Kafka.
type Server struct {
	Plain  string // host:port without any security
	Secure string // host:port with TLS, where User logs in by PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	Mutual string // host:port with TLS, where clients show a certificate
	Certificates

	dir       string
	classPath string
	process   *exec.Cmd
	exited    chan struct{} // closed when process is gone
}

// Wanted reports whether tests are to run against Apache Kafka.
func Wanted() bool { return os.Getenv(EnvVar) != "" }

// Start starts a server with an empty log, for as long as the test runs.
func Start(tb testing.TB) *Server {
	tb.Helper()
	s := &Server{dir: tb.TempDir()}
	classPath, err := os.ReadFile(os.Getenv(EnvVar)) //nolint:gosec // whoever runs the tests says so
	if err != nil {
		tb.Fatalf("%s must name the file that make test-kafka writes: %v", EnvVar, err)
	}
	s.classPath = strings.TrimSpace(string(classPath))
	s.Certificates = MakeCertificates(tb, s.dir)
	s.configure(tb)
	s.format(tb)
	tb.Cleanup(func() { s.end(syscall.SIGKILL) })
	s.Resume(tb)
	return s
}

// Stop asks the server to end and waits until it has.
func (s *Server) Stop(tb testing.TB) {
	tb.Helper()
	s.end(syscall.SIGTERM)
}

// Kill ends the server without asking.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	s.end(syscall.SIGKILL)
}

// Resume starts the server on the log it left, at the addresses it had, and waits until it answers.
func (s *Server) Resume(tb testing.TB) {
	tb.Helper()
	log, err := os.OpenFile(s.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	// Not bound to the test's context: it ends before the cleanups that still want to speak to the server.
	s.process = s.java(context.WithoutCancel(tb.Context()), "kafka.Kafka", s.configPath())
	s.process.Stdout, s.process.Stderr = log, log
	if err := s.process.Start(); err != nil {
		tb.Fatalf("start Apache Kafka: %v", err)
	}
	s.exited = make(chan struct{})
	go func(p *exec.Cmd, exited chan struct{}) {
		_ = p.Wait()
		close(exited)
	}(s.process, s.exited)
	if err := s.waitUntilUp(tb.Context()); err != nil {
		tb.Fatalf("Apache Kafka did not start: %v\n%s", err, s.logTail())
	}
}

func (s *Server) waitUntilUp(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Plain))
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		if err = client.Ping(ctx); err == nil {
			return nil
		}
		select {
		case <-s.exited:
			return errors.New("it ended")
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *Server) end(signal syscall.Signal) {
	if s.process == nil || s.exited == nil {
		return
	}
	_ = s.process.Process.Signal(signal)
	select {
	case <-s.exited:
	case <-time.After(30 * time.Second): // of asking in vain
		_ = s.process.Process.Kill()
		<-s.exited
	}
}

// configure chooses ports and writes the server's properties.
func (s *Server) configure(tb testing.TB) {
	tb.Helper()
	var controller string
	for _, addr := range []*string{&s.Plain, &s.Secure, &s.Mutual, &controller} {
		*addr = freeAddr(tb)
	}
	listeners := fmt.Sprintf("PLAIN://%s,SECURE://%s,MUTUAL://%s", s.Plain, s.Secure, s.Mutual)
	scram := "org.apache.kafka.common.security.scram.ScramLoginModule required;"
	properties := [][2]string{
		{"process.roles", "broker,controller"},
		{"node.id", "1"},
		{"controller.quorum.voters", "1@" + controller},
		{"controller.listener.names", "CONTROLLER"},
		{"listeners", listeners + ",CONTROLLER://" + controller},
		{"advertised.listeners", listeners},
		{"listener.security.protocol.map", "PLAIN:PLAINTEXT,SECURE:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT"},
		{"inter.broker.listener.name", "PLAIN"},
		{"log.dirs", filepath.Join(s.dir, "log")},

		{"ssl.keystore.type", "PEM"},
		{"ssl.keystore.location", s.ServerFile},
		{"ssl.truststore.type", "PEM"},
		{"ssl.truststore.location", s.CAFile},
		{"listener.name.mutual.ssl.client.auth", "required"},
		{"sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"},
		{"listener.name.secure.scram-sha-256.sasl.jaas.config", scram},
		{"listener.name.secure.scram-sha-512.sasl.jaas.config", scram},
		{"listener.name.secure.plain.sasl.jaas.config", fmt.Sprintf(
			`org.apache.kafka.common.security.plain.PlainLoginModule required user_%s="%s";`, User, Password)},

		{"auto.create.topics.enable", "false"},
		{"group.initial.rebalance.delay.ms", "0"},
		{"group.min.session.timeout.ms", "1000"},
		{"offsets.topic.replication.factor", "1"},
		{"offsets.topic.num.partitions", "1"},
		{"transaction.state.log.replication.factor", "1"},
		{"transaction.state.log.min.isr", "1"},
		{"transaction.state.log.num.partitions", "1"},
		{"log.cleaner.backoff.ms", "100"},
		{"log.cleaner.dedupe.buffer.size", "2097152"},
		{"log.initial.task.delay.ms", "100"},
		{"log.retention.check.interval.ms", "500"},
		{"broker.heartbeat.interval.ms", "200"},
		{"broker.session.timeout.ms", "2000"},
		{"num.network.threads", "2"},
		{"num.io.threads", "2"},
		{"background.threads", "2"},
	}
	var text strings.Builder
	for _, p := range properties {
		fmt.Fprintf(&text, "%s=%s\n", p[0], p[1])
	}
	if err := os.WriteFile(s.configPath(), []byte(text.String()), 0o600); err != nil {
		tb.Fatal(err)
	}
}

// format makes the empty log, which knows the users of SCRAM.
func (s *Server) format(tb testing.TB) {
	tb.Helper()
	var random [16]byte
	if _, err := rand.Read(random[:]); err != nil {
		tb.Fatal(err)
	}
	args := []string{"kafka.tools.StorageTool", "format", "--config", s.configPath(), "--cluster-id", clusterID(random)}
	for _, mechanism := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
		args = append(args, "--add-scram", fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, User, Password))
	}
	if out, err := s.java(tb.Context(), args...).CombinedOutput(); err != nil {
		tb.Fatalf("format the log of Apache Kafka: %v\n%s", err, out)
	}
}

// clusterID returns an id that does not begin with a dash, which the command would take for an option.
func clusterID(random [16]byte) string {
	random[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(random[:])
}

func (s *Server) java(ctx context.Context, args ...string) *exec.Cmd {
	args = append([]string{"-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", s.classPath}, args...)
	cmd := exec.CommandContext(ctx, "java", args...) //nolint:gosec // the class path is that of whoever runs the tests
	cmd.Dir = s.dir
	dieWithParent(cmd)
	return cmd
}

func (s *Server) configPath() string { return filepath.Join(s.dir, "server.properties") }
func (s *Server) logPath() string    { return filepath.Join(s.dir, "server.log") }

// logTail returns the last of what the server said.
func (s *Server) logTail() []byte {
	const tailBytes = 8 << 10
	log, err := os.ReadFile(s.logPath())
	if err != nil {
		return []byte(err.Error())
	}
	return bytes.TrimSpace(log[max(0, len(log)-tailBytes):])
}

// freeAddr returns an address nobody listens on. Somebody could take it before the server does; then it does not start,
// and says so.
func freeAddr(tb testing.TB) string {
	tb.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
