package main

import (
	"context"
	"errors"
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
	"github.com/diurna-health/diurna/transform"
)

// metrics are the numbers an operator watches. None of their labels can tell a person apart.
type metrics struct {
	registry *prometheus.Registry
	now      func() time.Time

	messages, samples, bytes prometheus.Counter
	rejects                  *prometheus.CounterVec
	stored                   prometheus.Counter
	perSample                prometheus.Gauge
	gaps, gapMessages        prometheus.Counter
	fences                   prometheus.Counter
	held                     prometheus.Gauge
	withheld                 prometheus.Counter
	unbuilt                  prometheus.Gauge
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
		stored:   counter("ingest_stored_bytes_total", "Bytes of the files committed to bronze."),
		perSample: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diurna", Name: "ingest_bytes_per_sample",
			Help: "Bytes of files per sample of the last commit to bronze."}),
		gaps:        counter("ingest_gaps_total", "Gaps that were recorded and passed over."),
		gapMessages: counter("ingest_gap_messages_total", "Messages that Kafka deleted before they were read, and that were passed over."),
		fences:      counter("ingest_fenced_total", "Times that another process had claimed a partition of this one."),
		rejects: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "diurna", Name: "ingest_rejects_total",
			Help: "Messages, items and runs of values set aside, by reason."}, []string{"reason"}),
		held: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diurna", Name: "ingest_flush_age_seconds",
			Help: "How long the oldest message of the last commit had waited."}),
		withheld: counter("build_withheld_days_total", "Person-days without rows in a table, because those that came out break an audit."),
		unbuilt: prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "diurna", Name: "build_failed_tables",
			Help: "Tables that the last build left as they were, because it failed. Alert above 0."}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "diurna", Name: "step_seconds",
			Help: "How long a step of the pipeline took.", Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 12)}, []string{"step"}),
	}
	for _, reason := range schemas.RejectReasons() {
		m.rejects.WithLabelValues(string(reason)) // a reason that never came up is a 0, not missing
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.messages, m.samples, m.bytes, m.stored, m.perSample, m.gaps, m.gapMessages, m.fences, m.rejects, m.held, m.withheld, m.unbuilt, m.seconds)
	return m
}

func (m *metrics) committed(c ingest.Commit) {
	m.messages.Add(float64(c.Messages))
	m.samples.Add(float64(c.Samples))
	m.bytes.Add(float64(c.Bytes))
	for reason, n := range c.Rejects {
		m.rejects.WithLabelValues(string(reason)).Add(float64(n))
	}
	m.stored.Add(float64(c.FileBytes))
	if c.Samples > 0 {
		m.perSample.Set(float64(c.FileBytes) / float64(c.Samples))
	}
	m.held.Set(c.Held.Seconds())
	m.seconds.WithLabelValues("commit").Observe(c.Took.Seconds())
}

func (m *metrics) gapCrossed(messages int64) {
	m.gaps.Inc()
	m.gapMessages.Add(float64(messages))
}

func (m *metrics) fenced(int32) { m.fences.Inc() }

// wasBuilt counts what a build withheld, and what it could not build.
func (m *metrics) wasBuilt(result *transform.Result, err error) {
	if result != nil {
		for _, r := range result.Models {
			m.withheld.Add(float64(r.WithheldDays))
		}
	}
	var failed []string
	if build, ok := errors.AsType[*transform.BuildError](err); ok {
		failed = build.Failed
	}
	m.unbuilt.Set(float64(len(failed)))
}

// timed starts a clock and returns the function that reads it.
func (m *metrics) timed(step string) func() {
	start := m.now()
	return func() { m.seconds.WithLabelValues(step).Observe(m.now().Sub(start).Seconds()) }
}

// watchLag adds, for every partition, how many messages are not yet in bronze and how near Kafka is to deleting them. It
// asks when it is asked.
func (m *metrics) watchLag(l *lake.Lake, topic *kafka.Topic) {
	perPartition := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, []string{"partition"}, nil)
	}
	m.registry.MustRegister(&lagCollector{lake: l, topic: topic,
		lag: perPartition("diurna_ingest_lag_messages", "Messages of the partition that are not yet in bronze."),
		margin: perPartition("diurna_ingest_retention_margin_ratio",
			"How near bronze is to what Kafka deletes next: 1 = at the end of the partition, 0 = at its first message, below 0 = some are lost. "+
				"Alert below 0.25.")})
}

// watchIngest adds what the ingester is doing.
func (m *metrics) watchIngest(in *ingest.Ingester) {
	m.registry.MustRegister(&ingestCollector{ingester: in,
		state: prometheus.NewDesc("diurna_ingest_state", "1 for the state that the partition is in.", []string{"partition", "state"}, nil),
		epoch: prometheus.NewDesc("diurna_ingest_epoch", "Epoch by which this process may commit the partition.", []string{"partition"}, nil),
		paused: prometheus.NewDesc("diurna_ingest_paused", "Partitions that are paused or halted, by reason. Alert above 0.",
			[]string{"reason"}, nil),
		memory: prometheus.NewDesc("diurna_ingest_memory_bytes", "Memory of messages and rows that are not yet in bronze.", nil, nil)})
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

type lagCollector struct {
	lake        *lake.Lake
	topic       *kafka.Topic
	lag, margin *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *lagCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- c.lag
	ch <- c.margin
}

// Collect implements prometheus.Collector.
func (c *lagCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second) //nolint:forbidigo // a scrape brings no context
	defer cancel()
	lags, err := ingest.Lag(ctx, c.lake, c.topic)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(c.lag, err)
		return
	}
	for partition, lag := range lags {
		label := strconv.Itoa(int(partition))
		ch <- prometheus.MustNewConstMetric(c.lag, prometheus.GaugeValue, float64(lag.Messages), label)
		ch <- prometheus.MustNewConstMetric(c.margin, prometheus.GaugeValue, lag.Margin, label)
	}
}

type ingestCollector struct {
	ingester                     *ingest.Ingester
	state, epoch, paused, memory *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *ingestCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.state, c.epoch, c.paused, c.memory} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *ingestCollector) Collect(ch chan<- prometheus.Metric) {
	status := c.ingester.Status()
	ch <- prometheus.MustNewConstMetric(c.memory, prometheus.GaugeValue, float64(status.MemoryBytes))
	paused := map[ingest.Reason]int{}
	for _, p := range status.Partitions {
		label := strconv.Itoa(int(p.Partition))
		for _, s := range ingest.States() {
			in := 0.0
			if p.State == s {
				in = 1
			}
			ch <- prometheus.MustNewConstMetric(c.state, prometheus.GaugeValue, in, label, string(s))
		}
		ch <- prometheus.MustNewConstMetric(c.epoch, prometheus.GaugeValue, float64(p.Epoch), label)
		if p.Reason != "" {
			paused[p.Reason]++
		}
	}
	for _, reason := range ingest.Reasons() {
		ch <- prometheus.MustNewConstMetric(c.paused, prometheus.GaugeValue, float64(paused[reason]), string(reason))
	}
}
