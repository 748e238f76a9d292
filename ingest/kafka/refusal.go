package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/diurna-health/diurna/schemas"
)

// explain turns an error of connecting for which there is a remedy into one that names it.
func (t *Topic) explain(ctx context.Context, err error) error {
	refused := func(format string, args ...any) error {
		return &schemas.Error{Code: schemas.CodeUnauthorized, Message: fmt.Sprintf(format, args...), Err: err}
	}
	if err == nil {
		return nil
	}
	if _, told := errors.AsType[*schemas.Error](err); told {
		return err
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return refused("nobody we trust has signed the certificate of the Kafka brokers at %s: let kafka.tls_ca name the certificate of the authority that did", t.where())
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return refused("the Kafka brokers at %s show a certificate for other names: connect by a name that it lists", t.where())
	}
	if _, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		return refused("the certificate of the Kafka brokers at %s cannot be accepted: have it renewed, and check the clock of this machine", t.where())
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return refused("the Kafka brokers at %s do not speak TLS there: name their TLS port, or set kafka.tls to false", t.where())
	}
	if isAlert(err) {
		return refused("the Kafka brokers at %s ended the TLS handshake: when they want to see a certificate, set kafka.tls_cert and kafka.tls_key", t.where())
	}
	switch {
	case errors.Is(err, kafkago.SASLAuthenticationFailed):
		return refused("the Kafka broker at %s %s", t.where(), wrongPassword)
	case errors.Is(err, kafkago.UnsupportedSASLMechanism), errors.Is(err, kafkago.IllegalSASLState):
		return refused("the Kafka broker at %s %s", t.where(), noLoginBy(t.cfg.Security.Mechanism))
	case errors.Is(err, kafkago.TopicAuthorizationFailed):
		return refused("the Kafka brokers at %s do not let us read topic %s: have the user allowed to read, describe and write it", t.where(), t.cfg.Topic)
	case errors.Is(err, kafkago.UnknownTopicOrPartition):
		return &schemas.Error{Code: schemas.CodeNotFound,
			Message: fmt.Sprintf("the Kafka cluster at %s has no topic %q: make it, or name another", t.where(), t.cfg.Topic)}
	case isHangUp(err) || isTimeout(err):
		// Brokers that are spoken to in the wrong way hang up or wait, and do not say why.
		for _, address := range t.cfg.Brokers {
			if reason := t.probe(ctx, address); reason != "" {
				return refused("the Kafka broker at %s %s", address, reason)
			}
		}
	}
	return err
}

// probeTimeout is how long a step of a probe may take.
const probeTimeout = 3 * time.Second

// probe connects to a broker step by step and returns at which it does not go on, and what to do; "" when it does, or
// nobody is there.
func (t *Topic) probe(ctx context.Context, address string) string {
	conn, hello := t.greet(ctx, address, t.tls)
	if conn == nil {
		return ""
	}
	defer func() { _ = conn.Close() }()
	switch {
	case !hello && t.tls == nil && t.speaksTLS(ctx, address):
		return "speaks TLS there: set kafka.tls to true, or name its plain port"
	case !hello && t.tls != nil && t.speaksPlain(ctx, address):
		return "does not speak TLS there: name its TLS port, or set kafka.tls to false"
	case !hello:
		return ""
	case t.login == nil:
		req := kmsg.NewPtrMetadataRequest()
		req.SetVersion(1) // which all brokers of ten years know
		if _, err := exchangeOn(conn, t.cfg.ClientID, req); isHangUp(err) {
			return "ends the connection before it is asked anything: it wants a login, set kafka.sasl_mechanism, kafka.sasl_user and kafka.sasl_password"
		}
		return ""
	default:
		return t.tryLogin(ctx, conn)
	}
}

// greet opens a connection and reports whether the other side answers like a Kafka broker. Without one, nobody is there.
func (t *Topic) greet(ctx context.Context, address string, secure *tls.Config) (conn net.Conn, hello bool) {
	probing, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	conn, err := t.dial(probing, "tcp", address)
	if err != nil {
		return nil, false
	}
	deadline, _ := probing.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return conn, false
	}
	if secure != nil {
		secure = secure.Clone()
		secure.ServerName, _, _ = net.SplitHostPort(address)
		conn = tls.Client(conn, secure)
	}
	_, err = exchangeOn(conn, t.cfg.ClientID, kmsg.NewPtrApiVersionsRequest())
	return conn, err == nil
}

func (t *Topic) speaksTLS(ctx context.Context, address string) bool {
	// Whose certificate it is does not matter: nothing is sent but a greeting.
	conn, hello := t.greet(ctx, address, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // as above
	if conn == nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	secure, ok := conn.(*tls.Conn)
	return hello || ok && secure.ConnectionState().HandshakeComplete
}

func (t *Topic) speaksPlain(ctx context.Context, address string) bool {
	conn, hello := t.greet(ctx, address, nil)
	if conn != nil {
		_ = conn.Close()
	}
	return hello
}

// tryLogin logs in on a connection and returns at which step the other side did not go on.
func (t *Topic) tryLogin(ctx context.Context, conn net.Conn) string {
	offer := kmsg.NewPtrSASLHandshakeRequest()
	offer.SetVersion(1)
	offer.Mechanism = t.login.Name()
	resp, err := exchangeOn(conn, t.cfg.ClientID, offer)
	if handshake, ok := resp.(*kmsg.SASLHandshakeResponse); err != nil || !ok || handshake.ErrorCode != 0 {
		return noLoginBy(t.login.Name())
	}
	session, state, err := t.login.Start(ctx)
	if err != nil {
		return ""
	}
	for done := false; !done; {
		req := kmsg.NewPtrSASLAuthenticateRequest()
		req.SASLAuthBytes = state
		resp, err := exchangeOn(conn, t.cfg.ClientID, req)
		answer, ok := resp.(*kmsg.SASLAuthenticateResponse)
		if err != nil || !ok || answer.ErrorCode != 0 {
			return wrongPassword
		}
		if done, state, err = session.Next(ctx, answer.SASLAuthBytes); err != nil {
			return wrongPassword
		}
	}
	return ""
}

const wrongPassword = "does not accept the user and password: check kafka.sasl_user, kafka.sasl_password and kafka.sasl_mechanism"

func noLoginBy(mechanism string) string {
	return "offers no login by " + mechanism + " there: set kafka.sasl_mechanism to one that it offers, or name the port where it does"
}

func isTimeout(err error) bool {
	netErr, ok := errors.AsType[net.Error](err)
	return ok && netErr.Timeout() || errors.Is(err, context.DeadlineExceeded)
}
