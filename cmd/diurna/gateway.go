package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/gateway"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/home"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

func newGatewayCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "gateway",
		Short: "Receive sync batches over HTTP and put them into Kafka",
		Long: `Gateway is the part of "diurna run" that apps without a Kafka producer send to, as a process of its own: POST /v1/sync
takes sync batches, GET /v1/sync/BATCH_ID says what became of one. /v1/sync.openapi.yaml describes both.

It needs the home that the pipeline runs on, for tokens ("diurna token add") and for what became of batches. Without
--brokers it sends to the pipeline that runs there.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, log, err := a.setUp(cmd)
			if err != nil {
				return err
			}
			return a.runGateway(cmd.Context(), ownAddress(cmd, cfg), log)
		},
	}
	addSettingFlag(cmd.Flags(), "brokers", "kafka.brokers")
	addSettingFlag(cmd.Flags(), "topic", "kafka.topic")
	addSettingFlag(cmd.Flags(), "http", "http.address")
	return cmd
}

func (a *app) runGateway(ctx context.Context, cfg Config, log *slog.Logger) error {
	web, err := listen(ctx, cfg.HTTP.Address)
	if err != nil {
		return err
	}
	s := &gatewayService{cfg: cfg, log: log, metrics: newMetrics(a.now)}
	if err := s.open(ctx); err != nil {
		web.close()
		return errors.Join(err, s.close())
	}
	s.start()
	s.mount(web.mux)
	web.mux.Handle("GET /metrics", s.metrics.handler())
	s.metrics.watchLag(s.lake, s.topic)
	fmt.Fprintf(a.stdout, "HTTP: %s\n", web.url("/v1/sync"))

	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.run(ctx) })
	group.Go(func() error { return web.serve(ctx) })
	web.ready.Store(true)
	return errors.Join(group.Wait(), s.stop(), s.close())
}

// A gatewayService is a gateway with all it stands on.
type gatewayService struct {
	cfg     Config
	log     *slog.Logger
	metrics *metrics
	db      *sql.DB
	lake    *lake.Lake
	topic   *kafka.Topic
	project *transform.Project
	// problem returns why ingest cannot go on, nil when it can or nobody here knows.
	problem func() error

	producer *kafka.Producer
	gateway  *gateway.Gateway
	pressure atomic.Pointer[gateway.Pressure]
}

// open opens what a pipeline would have opened. It takes no lock: the ledger and the lake may have several users.
func (s *gatewayService) open(ctx context.Context) error {
	h, err := home.Init(s.cfg.Home, s.cfg.Lake.UserBuckets)
	if err != nil {
		return err
	}
	if s.db, s.lake, err = openLake(ctx, s.cfg, h, s.log); err != nil {
		return err
	}
	if err := setUpTables(ctx, h, s.db, s.lake); err != nil {
		return err
	}
	if s.project, err = loadProject(ctx); err != nil {
		return err
	}
	brokers := s.cfg.Kafka.Brokers
	if len(brokers) == 0 {
		running, ok, err := runningOn(s.cfg.Home)
		if err != nil {
			return err
		}
		if !ok {
			return invalid("nothing runs on the home %s: start `diurna run` there, or name Kafka's brokers with --brokers", h.Dir())
		}
		brokers, s.cfg.Kafka.Topic = running.Brokers, running.Topic
	}
	s.topic, err = kafka.Open(ctx, kafkaAt(s.cfg, brokers, s.cfg.Kafka.Topic))
	return err
}

// newGatewayService returns the gateway of a pipeline in this process.
func newGatewayService(p *pipeline) *gatewayService {
	s := &gatewayService{cfg: p.cfg, log: p.log, metrics: p.metrics, db: p.db, lake: p.lake, topic: p.topic, project: p.project, problem: p.problem}
	s.start()
	return s
}

// start makes the gateway from what is open.
func (s *gatewayService) start() {
	s.producer = s.topic.Producer()
	s.pressure.Store(&gateway.Pressure{})
	count := s.metrics.watchGateway()
	c := s.cfg.Gateway
	s.gateway = gateway.New(gateway.Config{
		Producer: s.producer, Source: s.topic.Identity(), Ledger: s.db, Lake: s.lake,
		Built:    func(ctx context.Context) (map[int32]int64, error) { return builtUpTo(ctx, s.lake, s.project) },
		Pressure: func() gateway.Pressure { return *s.pressure.Load() },
		Answered: count,
		Limits: gateway.Limits{
			PackedBytes: int64(c.PackedBytes), BodyBytes: int64(c.BodyBytes), Batches: c.Batches, MemoryBytes: int64(c.Memory),
			TokenRate: float64(c.TokenRate), TokenBurst: c.TokenBurst, DeviceRate: float64(c.DeviceRate), DeviceBurst: c.DeviceBurst,
		},
		PublishTimeout: c.PublishTimeout, Remember: c.Remember, Now: time.Now, Logger: s.log,
	})
}

func (s *gatewayService) mount(mux *http.ServeMux) {
	handler := s.gateway.Handler()
	for _, path := range gateway.Paths() {
		mux.Handle(path, handler)
	}
}

// pressureEvery is how often it is looked whether ingest keeps up.
const pressureEvery = 2 * time.Second

// run looks after the gateway until ctx ends.
func (s *gatewayService) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.gateway.Run(ctx) })
	group.Go(func() error {
		tick := time.NewTicker(pressureEvery)
		defer tick.Stop()
		for {
			s.pressure.Store(s.lookPressure(ctx))
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
	})
	return group.Wait()
}

// stop ends the gateway once no request is under way any more.
func (s *gatewayService) stop() error { return s.producer.Close() }

// lookPressure finds out whether more may be taken. When it cannot be found out, Kafka cannot be reached either: then
// sending fails by itself, and says so.
func (s *gatewayService) lookPressure(ctx context.Context) *gateway.Pressure {
	const after = 30 * time.Second
	if s.problem != nil {
		if err := s.problem(); err != nil {
			return &gateway.Pressure{Reason: "ingest is paused until an operator has looked at it", After: after}
		}
	}
	if s.cfg.Gateway.MaxLag == 0 {
		return &gateway.Pressure{}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	lag, err := ingest.Lag(ctx, s.lake, s.topic)
	if err != nil {
		s.log.DebugContext(ctx, "lag is not known", schemas.LogKeyError, err)
		return &gateway.Pressure{}
	}
	var waiting int64
	for _, behind := range lag {
		waiting += behind.Messages
	}
	if waiting > int64(s.cfg.Gateway.MaxLag) {
		return &gateway.Pressure{Reason: "more is waiting than is dealt with", After: after}
	}
	return &gateway.Pressure{}
}

// close gives back what open opened.
func (s *gatewayService) close() error {
	if s.topic != nil {
		s.topic.Close()
	}
	if s.db != nil {
		return s.db.Close()
	}
	return nil
}

// watchGateway adds the numbers of a gateway and returns what counts them.
func (m *metrics) watchGateway() func(gateway.Answered) {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "diurna", Name: "gateway_requests_total",
		Help: "Requests with sync batches that were answered, by status."}, []string{"status"})
	batches := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "diurna", Name: "gateway_batches_total",
		Help: "Sync batches in answered requests, by outcome; repeated ones were accepted before."}, []string{"outcome"})
	bytes := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "diurna", Name: "gateway_bytes_total",
		Help: "Bytes of the sync batches put into Kafka."})
	for _, outcome := range []string{"accepted", "repeated", "refused", "later"} {
		batches.WithLabelValues(outcome) // an outcome that never came up is a 0, not missing
	}
	m.registry.MustRegister(requests, batches, bytes)
	return func(a gateway.Answered) {
		requests.WithLabelValues(strconv.Itoa(a.Status)).Inc()
		batches.WithLabelValues("accepted").Add(float64(a.Accepted))
		batches.WithLabelValues("repeated").Add(float64(a.Repeated))
		batches.WithLabelValues("refused").Add(float64(a.Refused))
		batches.WithLabelValues("later").Add(float64(a.Delayed))
		bytes.Add(float64(a.Bytes))
		m.seconds.WithLabelValues("gateway").Observe(a.Took.Seconds())
	}
}
