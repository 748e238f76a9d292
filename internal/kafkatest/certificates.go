package kafkatest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Certificates are files of an authority of our own and of what it signed.
type Certificates struct {
	CAFile       string
	ServerFile   string // key and certificate, for 127.0.0.1 and localhost
	ClientCert   string
	ClientKey    string
	OtherCAFile  string // of an authority that signed none of them
	MisnamedFile string // like ServerFile, for a name that nobody has
}

// MakeCertificates writes the files into dir.
func MakeCertificates(tb testing.TB, dir string) Certificates {
	tb.Helper()
	ca, other := newAuthority(tb, "authority"), newAuthority(tb, "another authority")
	c := Certificates{
		CAFile:       filepath.Join(dir, "ca.pem"),
		ServerFile:   filepath.Join(dir, "server.pem"),
		ClientCert:   filepath.Join(dir, "client.pem"),
		ClientKey:    filepath.Join(dir, "client.key"),
		OtherCAFile:  filepath.Join(dir, "other-ca.pem"),
		MisnamedFile: filepath.Join(dir, "misnamed.pem"),
	}
	serverCert, serverKey := ca.sign(tb, "localhost", net.IPv4(127, 0, 0, 1))
	misnamedCert, misnamedKey := ca.sign(tb, "broker.invalid")
	clientCert, clientKey := ca.sign(tb, "client")
	for path, content := range map[string][]byte{
		c.CAFile:       pemCertificate(ca.certificate.Raw),
		c.OtherCAFile:  pemCertificate(other.certificate.Raw),
		c.ServerFile:   append(serverKey, serverCert...),
		c.MisnamedFile: append(misnamedKey, misnamedCert...),
		c.ClientCert:   clientCert,
		c.ClientKey:    clientKey,
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return c
}

type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(tb testing.TB, name string) authority {
	tb.Helper()
	template := newTemplate(tb, name)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	key := newKey(tb)
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		tb.Fatal(err)
	}
	return authority{certificate: parsed, key: key}
}

// sign returns a certificate and its key as PEM.
func (a authority) sign(tb testing.TB, name string, ips ...net.IP) (certificate, key []byte) {
	tb.Helper()
	template := newTemplate(tb, name)
	template.DNSNames, template.IPAddresses = []string{name}, ips
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	private := newKey(tb)
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, private.Public(), a.key)
	if err != nil {
		tb.Fatal(err)
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		tb.Fatal(err)
	}
	return pemCertificate(raw), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey})
}

func newTemplate(tb testing.TB, name string) *x509.Certificate {
	tb.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		tb.Fatal(err)
	}
	now := time.Now() //nolint:forbidigo // certificates are checked against the clock of the machine
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour)}
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func pemCertificate(raw []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
}
