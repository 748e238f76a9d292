package main

import (
	"net"
	"slices"

	"github.com/diurna-health/diurna/ingest/kafka"
)

// kafkaAt returns how to connect to brokers. A broker that runs inside a diurna process knows neither TLS nor logins: it
// is on this machine and nobody set brokers.
func kafkaAt(cfg Config, brokers []string, topic string) kafka.Config {
	k := kafka.Config{Brokers: brokers, Topic: topic}
	if len(cfg.Kafka.Brokers) > 0 || !slices.ContainsFunc(brokers, isLoopback) {
		k.Security = cfg.Kafka.security()
	}
	return k
}

func isLoopback(broker string) bool {
	host, _, err := net.SplitHostPort(broker)
	return err == nil && net.ParseIP(host).IsLoopback()
}

func (c KafkaConfig) security() kafka.Security {
	return kafka.Security{
		TLS: c.TLS, CAFile: c.TLSCA, CertFile: c.TLSCert, KeyFile: c.TLSKey,
		Mechanism: c.SASLMechanism, User: c.SASLUser, Password: c.SASLPassword.Reveal(),
		Insecure: c.Insecure,
	}
}
