package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/ingest/kafka"
)

func TestBrokersAreSpokenToAsTheSettingsSayAndTheEmbeddedOnePlainly(t *testing.T) {
	env := map[string]string{
		"DIURNA_KAFKA_TLS": "true", "DIURNA_KAFKA_TLS_CA": "ca.pem", "DIURNA_KAFKA_TLS_CERT": "c.pem", "DIURNA_KAFKA_TLS_KEY": "k.pem",
		"DIURNA_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512", "DIURNA_KAFKA_SASL_USER": "u", "DIURNA_KAFKA_SASL_PASSWORD": "hunter2",
		"DIURNA_KAFKA_INSECURE": "true",
	}
	loaded, err := load(t, env)
	if err != nil {
		t.Fatal(err)
	}
	cfg := loaded.config
	set := kafka.Security{TLS: true, CAFile: "ca.pem", CertFile: "c.pem", KeyFile: "k.pem", Mechanism: "SCRAM-SHA-512", User: "u", Password: "hunter2", Insecure: true}

	if got := kafkaAt(cfg, []string{"127.0.0.1:9092"}, "t").Security; got != (kafka.Security{}) {
		t.Errorf("the embedded broker: %#v", got)
	}
	if got := kafkaAt(cfg, []string{"kafka.example:9092"}, "t").Security; got != set {
		t.Error("another pipeline's brokers on another machine are not spoken to as the settings say")
	}
	cfg.Kafka.Brokers = []string{"127.0.0.1:9092"}
	if got := kafkaAt(cfg, cfg.Kafka.Brokers, "t").Security; got != set {
		t.Error("brokers that were named, on this machine, are not spoken to as the settings say")
	}

	var printed bytes.Buffer
	if err := loaded.writeYAML(&printed); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(printed.String(), "hunter2") || !strings.Contains(printed.String(), redacted) {
		t.Errorf("the password is shown, or not said to be hidden:\n%s", printed.String())
	}
}

func TestALoginThatThereIsNotIsRefused(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Kafka.SASLMechanism = "GSSAPI"
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "SCRAM-SHA-512") {
		t.Errorf("error = %v", err)
	}
}
