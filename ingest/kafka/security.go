package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/diurna-health/diurna/schemas"
)

// The ways to log in.
const (
	MechanismPlain       = "PLAIN"
	MechanismScramSHA256 = "SCRAM-SHA-256"
	MechanismScramSHA512 = "SCRAM-SHA-512"
)

// Security says how brokers and we come to trust each other. The zero value is for brokers on this machine: anything
// further away is refused without TLS. Printed or logged, it does not show the password.
type Security struct {
	TLS      bool
	CAFile   string // PEM, the authorities that may sign a broker's certificate; "" = those of the system
	CertFile string // PEM, the certificate we show; "" = none
	KeyFile  string // PEM, its key

	Mechanism string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; "" = no login
	User      string
	Password  string

	// Insecure allows brokers on other machines without TLS: whoever is between can read and change everything.
	Insecure bool
}

// String says what is set, the password excepted.
func (s Security) String() string {
	return fmt.Sprintf("tls=%t mechanism=%s insecure=%t", s.TLS, s.Mechanism, s.Insecure)
}

// GoString keeps the password out of %#v.
func (s Security) GoString() string { return s.String() }

// LogValue keeps the password out of the log.
func (s Security) LogValue() slog.Value { return slog.StringValue(s.String()) }

// load reads the files that s names. The error is a *schemas.Error.
func (s Security) load() (*tls.Config, sasl.Mechanism, error) {
	login, err := s.mechanism()
	if err != nil {
		return nil, nil, err
	}
	if !s.TLS {
		if s.CAFile != "" || s.CertFile != "" || s.KeyFile != "" {
			return nil, nil, invalid("certificates for Kafka are given, and kafka.tls is off: set kafka.tls to true, or leave the certificates out")
		}
		return nil, login, nil
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		if cfg.RootCAs, err = readCA(s.CAFile); err != nil {
			return nil, nil, err
		}
	}
	if (s.CertFile == "") != (s.KeyFile == "") {
		return nil, nil, invalid("kafka.tls_cert and kafka.tls_key belong together: set both, or neither")
	}
	if s.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return nil, nil, &schemas.Error{Code: schemas.CodeInvalid, Err: err, Message: fmt.Sprintf(
				"the certificate %s and key %s (kafka.tls_cert, kafka.tls_key) cannot be used: both must be PEM files that belong together",
				s.CertFile, s.KeyFile)}
		}
		cfg.Certificates = []tls.Certificate{cert}
	}
	return cfg, login, nil
}

func readCA(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, &schemas.Error{Code: schemas.CodeInvalid, Err: err,
			Message: "cannot read the authorities' certificates from " + path + ": let kafka.tls_ca name a PEM file"}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, invalid("there is no certificate in " + path + ": let kafka.tls_ca name a PEM file with the certificate of the authority that signed the brokers'")
	}
	return pool, nil
}

func (s Security) mechanism() (sasl.Mechanism, error) {
	if s.Mechanism == "" {
		if s.User != "" || s.Password != "" {
			return nil, invalid("a user or password for Kafka is given, and no way to log in: set kafka.sasl_mechanism to what the brokers offer, such as SCRAM-SHA-512")
		}
		return nil, nil //nolint:nilnil // no login
	}
	if s.User == "" || s.Password == "" {
		return nil, invalid("logging in to Kafka needs both kafka.sasl_user and kafka.sasl_password")
	}
	switch s.Mechanism {
	case MechanismPlain:
		return plain.Mechanism{Username: s.User, Password: s.Password}, nil
	case MechanismScramSHA256:
		return scramMechanism(scram.SHA256, s)
	case MechanismScramSHA512:
		return scramMechanism(scram.SHA512, s)
	default:
		return nil, invalid(fmt.Sprintf("kafka.sasl_mechanism is %q: it must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", s.Mechanism))
	}
}

func scramMechanism(algorithm scram.Algorithm, s Security) (sasl.Mechanism, error) {
	m, err := scram.Mechanism(algorithm, s.User, s.Password)
	if err != nil {
		return nil, &schemas.Error{Code: schemas.CodeInvalid, Err: err,
			Message: "the user or password for Kafka has letters that SCRAM does not allow"}
	}
	return m, nil
}

// dial opens every connection there is to brokers. Whom the bootstrap addresses lead to is known only here: also a
// broker on this machine can name others that are not.
func (t *Topic) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dial := t.cfg.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if t.cfg.Security.TLS || t.cfg.Security.Insecure || isLoopback(conn.RemoteAddr()) {
		return conn, nil
	}
	return nil, errors.Join(&schemas.Error{Code: schemas.CodeUnauthorized, Message: fmt.Sprintf(
		"the Kafka broker %s is on another machine and would be spoken to without encryption: set kafka.tls to true, "+
			"or kafka.insecure to true when whoever is between may read and change health data", address)}, conn.Close())
}

func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

func invalid(message string) error {
	return &schemas.Error{Code: schemas.CodeInvalid, Message: message}
}
