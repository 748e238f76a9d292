package main

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
)

// metrics are the numbers an operator watches. None of their labels can tell a person apart.
type metrics struct {
	registry *prometheus.Registry
	now      func() time.Time

	messages, samples, bytes prometheus.Counter
	rejects                  *prometheus.CounterVec
	held                     prometheus.Gauge
	seconds                  *prometheus.HistogramVec
}

func newMetrics(now func() time.Time) *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "diurna", Name: name, Help: help})
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		now:      now,
		messages: counter("ingest_messages_total", "Messages whose rows are committed to bronze."),
		samples:  counter("ingest_samples_total", "Samples committed to bronze."),
		bytes:    counter("ingest_bytes_total", "Bytes of the messages committed to bronze."),
		rejects: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "diurna", Name: "ingest_rejects_total",
			Help: "Messages, items and runs of values set aside, by reason."}, []string{"reason"}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diurna", Name: "ingest_flush_age_seconds",
			Help: "How long the oldest message of the last commit had waited."}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "diurna", Name: "step_seconds",
			Help: "How long a step of the pipeline took.", Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 12)}, []string{"step"}),
	}
	for _, reason := range schemas.RejectReasons() {
		m.rejects.WithLabelValues(string(reason)) // a reason that never came up is a 0, not missing
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.messages, m.samples, m.bytes, m.rejects, m.held, m.seconds)
	return m
}

func (m *metrics) committed(c ingest.Commit) {
	m.messages.Add(float64(c.Messages))
	m.samples.Add(float64(c.Samples))
	m.bytes.Add(float64(c.Bytes))
	for reason, n := range c.Rejects {
		m.rejects.WithLabelValues(string(reason)).Add(float64(n))
	}
	m.held.Set(c.Held.Seconds())
	m.seconds.WithLabelValues("commit").Observe(c.Took.Seconds())
}

// timed starts a clock and returns the function that reads it.
func (m *metrics) timed(step string) func() {
	start := m.now()
	return func() { m.seconds.WithLabelValues(step).Observe(m.now().Sub(start).Seconds()) }
}

// watchLag adds, for every partition, how many messages are not yet in bronze. It asks when it is asked.
func (m *metrics) watchLag(l *lake.Lake, topic *kafka.Topic) {
	m.registry.MustRegister(&lagCollector{lake: l, topic: topic, lag: prometheus.NewDesc("diurna_ingest_lag_messages",
		"Messages of the partition that are not yet in bronze.", []string{"partition"}, nil)})
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

type lagCollector struct {
	lake  *lake.Lake
	topic *kafka.Topic
	lag   *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *lagCollector) Describe(ch chan<- *prometheus.Desc) { ch <- c.lag }

// Collect implements prometheus.Collector.
func (c *lagCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) //nolint:forbidigo // a scrape brings no context
	defer cancel()
	lag, err := ingest.Lag(ctx, c.lake, c.topic)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(c.lag, err)
		return
	}
	for partition, messages := range lag {
		ch <- prometheus.MustNewConstMetric(c.lag, prometheus.GaugeValue, float64(messages), strconv.Itoa(int(partition)))
	}
}
