package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/diurna-health/diurna/internal/kafkatest"
	"github.com/diurna-health/diurna/schemas"
)

// refusedWithRemedy has everybody come who should not, and looks for what the sentence must name.
func (c *cluster) refusedWithRemedy(t *testing.T) {
	t.Parallel()
	name := c.NewTopic(t, 1)
	plain := c.plainAddr(t)
	for _, test := range []struct {
		name   string
		change func(*Config)
		remedy string
	}{
		{"an authority we do not know", func(c2 *Config) { c2.Security.CAFile = c.Certs.OtherCAFile }, "kafka.tls_ca"},
		{"the system's authorities", func(c2 *Config) { c2.Security.CAFile = "" }, "kafka.tls_ca"},
		{"another's name", func(c2 *Config) {
			c2.Brokers = []string{strings.Replace(c.Addr, "127.0.0.1", "127.0.0.2", 1)}
			c2.Dial = toward(c.Addr)
		}, "a name that it lists"},
		{"a wrong password", func(c2 *Config) { c2.Security.Password = "guessed" }, "kafka.sasl_password"},
		{"a wrong password, plain", func(c2 *Config) { c2.Security.Password, c2.Security.Mechanism = "guessed", MechanismPlain }, "kafka.sasl_password"},
		{"a user nobody knows", func(c2 *Config) { c2.Security.User = "nobody" }, "kafka.sasl_user"},
		{"no login", func(c2 *Config) { c2.Security.Mechanism, c2.Security.User, c2.Security.Password = "", "", "" }, "it wants a login"},
		{"no TLS where there is", func(c2 *Config) { c2.Security.TLS, c2.Security.CAFile = false, "" }, "set kafka.tls to true"},
		{"TLS where there is none", func(c2 *Config) { c2.Brokers = []string{plain} }, "set kafka.tls to false"},
		{"a login where there is none", func(c2 *Config) { c2.Brokers = []string{plain}; c2.Security.TLS, c2.Security.CAFile = false, "" }, "kafka.sasl_mechanism"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg := c.config(name)
			test.change(&cfg)
			start := time.Now()
			topic, err := Open(t.Context(), cfg)
			if err == nil {
				topic.Close()
				t.Fatal("it was let in")
			}
			if schemas.ErrorCode(err) != schemas.CodeUnauthorized || !strings.Contains(err.Error(), test.remedy) {
				t.Errorf("%v\ndoes not name %q", err, test.remedy)
			}
			if strings.Contains(err.Error(), cfg.Security.Password) && cfg.Security.Password != "" {
				t.Errorf("the password is shown: %v", err)
			}
			if took := time.Since(start); took > 8*time.Second {
				t.Errorf("to say so took %v: it was tried again and again", took)
			}
		})
	}
	for _, mechanism := range []string{MechanismPlain, MechanismScramSHA256, MechanismScramSHA512} {
		t.Run("let in by "+mechanism, func(t *testing.T) {
			cfg := c.config(name)
			cfg.Security.Mechanism = mechanism
			publish(t, openWith(t, cfg), "x")
		})
	}
	if c.Apache == nil {
		return // kfake asks nobody for a certificate
	}
	cfg := Config{Brokers: []string{c.Apache.Mutual}, Topic: name, Security: Security{TLS: true, CAFile: c.Certs.CAFile}}
	if _, err := Open(t.Context(), cfg); schemas.ErrorCode(err) != schemas.CodeUnauthorized || !strings.Contains(err.Error(), "kafka.tls_cert") {
		t.Errorf("without the certificate that is asked for: %v", err)
	}
	cfg.Security.CertFile, cfg.Security.KeyFile = c.Certs.ClientCert, c.Certs.ClientKey
	publish(t, openWith(t, cfg), "shown")
}

// plainAddr returns the address of a broker without TLS and login.
func (c *cluster) plainAddr(t *testing.T) string {
	t.Helper()
	if c.Apache != nil {
		return c.Apache.Plain
	}
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	return fake.ListenAddrs()[0]
}

// toward returns a Dial that leads to one address, whatever the name.
func toward(addr string) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, addr)
	}
}

func TestABrokerOnAnotherMachineIsRefusedWithoutTLS(t *testing.T) {
	fake, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "diurna.sync"))
	if err != nil {
		t.Fatal(err)
	}
	defer fake.Close()
	addr := fake.ListenAddrs()[0]
	cfg := Config{Brokers: []string{"kafka.example:9092"}, Topic: "diurna.sync", Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		return farConn{conn}, err
	}}
	_, err = Open(t.Context(), cfg)
	if schemas.ErrorCode(err) != schemas.CodeUnauthorized || !strings.Contains(err.Error(), "kafka.tls") || !strings.Contains(err.Error(), "kafka.insecure") {
		t.Errorf("error = %v", err)
	}
	cfg.Security.Insecure = true
	openWith(t, cfg)
}

// farConn is a connection to another machine.
type farConn struct{ net.Conn }

func (farConn) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 9092} }

func TestSettingsThatCannotBeAreRefused(t *testing.T) {
	certs := kafkatest.MakeCertificates(t, t.TempDir())
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		security Security
		remedy   string
	}{
		{"certificates without TLS", Security{CAFile: certs.CAFile}, "kafka.tls to true"},
		{"no such file", Security{TLS: true, CAFile: certs.CAFile + ".gone"}, "kafka.tls_ca"},
		{"no certificate in the file", Security{TLS: true, CAFile: empty}, "kafka.tls_ca"},
		{"a certificate without its key", Security{TLS: true, CertFile: certs.ClientCert}, "kafka.tls_key"},
		{"a key of another certificate", Security{TLS: true, CertFile: certs.ClientCert, KeyFile: certs.ServerFile}, "kafka.tls_key"},
		{"a password and no mechanism", Security{User: "u", Password: "p"}, "kafka.sasl_mechanism"},
		{"a mechanism and no password", Security{Mechanism: MechanismPlain, User: "u"}, "kafka.sasl_password"},
		{"a mechanism that is none", Security{Mechanism: "GSSAPI", User: "u", Password: "p"}, "SCRAM-SHA-512"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(t.Context(), Config{Brokers: []string{"127.0.0.1:1"}, Topic: "t", Security: test.security})
			if schemas.ErrorCode(err) != schemas.CodeInvalid || !strings.Contains(err.Error(), test.remedy) {
				t.Errorf("%v\ndoes not name %q", err, test.remedy)
			}
		})
	}
}

func TestThePasswordIsNotPrinted(t *testing.T) {
	cfg := Config{Security: Security{Mechanism: MechanismPlain, User: "u", Password: "secret-word"}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).InfoContext(t.Context(), "x", "security", cfg.Security, "config", cfg)
	for _, printed := range []string{fmt.Sprint(cfg), fmt.Sprintf("%+v %#v", cfg, cfg.Security), log.String()} {
		if strings.Contains(printed, "secret-word") {
			t.Errorf("the password is in %q", printed)
		}
	}
}
