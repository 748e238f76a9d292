package gateway

import (
	"context"
	"database/sql"
	_ "embed"
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"golang.org/x/time/rate"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/token"
	"github.com/diurna-health/diurna/schemas"
)

//go:embed openapi.yaml
var openAPI []byte

// A Producer puts messages into Kafka. *kafka.Producer is one.
type Producer interface {
	// Publish returns once all records are acknowledged. After an error some may have been stored.
	Publish(ctx context.Context, records []kafka.Record) (kafka.Positions, error)
}

// Pressure is why nothing more is taken for the moment; the zero Pressure takes everything.
type Pressure struct {
	Reason string        // a phrase for people: "the disk is full"
	After  time.Duration // when to come again
}

// Config is what a Gateway works with.
type Config struct {
	Producer Producer
	Source   kafka.Identity // the topic behind the producer
	Ledger   *sql.DB        // migrated
	Lake     *lake.Lake
	// Built returns, by partition of the lake, the offset below which every figure is made.
	Built func(ctx context.Context) (map[int32]int64, error)
	// Pressure is asked at every request and must not wait; nil = there is never any.
	Pressure func() Pressure
	// Answered is told of every request that was answered; nil = nobody asks.
	Answered func(Answered)

	Limits         Limits
	PublishTimeout time.Duration // how long Kafka may take; 0 = 15 s
	Remember       time.Duration // how long a batch is known again; 0 = 30 days
	Now            func() time.Time
	Logger         *slog.Logger
}

// Defaults of Config.
const (
	DefaultPublishTimeout = 15 * time.Second
	DefaultRemember       = 30 * 24 * time.Hour
)

// Answered says how a request was answered, in numbers only.
type Answered struct {
	Status                               int
	Accepted, Repeated, Refused, Delayed int // batches; Repeated ones were accepted before
	Bytes                                int // of the batches sent to Kafka
	Took                                 time.Duration
}

// A Gateway receives sync batches over HTTP.
type Gateway struct {
	cfg      Config
	memory   memory
	tokens   *buckets
	devices  *buckets
	receipts *receipts
	decoding chan struct{} // holds who decodes: a batch may take a hundred times its bytes then
	searches chan struct{} // holds who looks through bronze
}

// New returns a Gateway.
func New(cfg Config) *Gateway {
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.PublishTimeout == 0 {
		cfg.PublishTimeout = DefaultPublishTimeout
	}
	if cfg.Remember == 0 {
		cfg.Remember = DefaultRemember
	}
	if cfg.Pressure == nil {
		cfg.Pressure = func() Pressure { return Pressure{} }
	}
	if cfg.Answered == nil {
		cfg.Answered = func(Answered) {}
	}
	return &Gateway{
		cfg:      cfg,
		memory:   memory{max: cfg.Limits.MemoryBytes},
		tokens:   newBuckets(rate.Limit(cfg.Limits.TokenRate), cfg.Limits.TokenBurst),
		devices:  newBuckets(rate.Limit(cfg.Limits.DeviceRate/60), cfg.Limits.DeviceBurst),
		receipts: newReceipts(cfg.Ledger),
		decoding: make(chan struct{}, runtime.GOMAXPROCS(0)),
		searches: make(chan struct{}, 1),
	}
}

// Paths are the patterns under which Handler belongs on a mux.
func Paths() []string { return []string{"/v1/sync", "/v1/sync/", "/v1/sync.openapi.yaml"} }

// Handler returns the handler of everything this package serves.
func (g *Gateway) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/sync", g.authorized(g.receive))
	mux.HandleFunc("GET /v1/sync/{batch_id}", g.authorized(g.status))
	mux.HandleFunc("GET /v1/sync.openapi.yaml", serveDocument)
	mux.HandleFunc("/v1/sync", g.refuseMethod("POST"))
	mux.HandleFunc("/v1/sync/{batch_id}", g.refuseMethod("GET, HEAD"))
	mux.HandleFunc("/v1/sync.openapi.yaml", g.refuseMethod("GET, HEAD"))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		g.writeError(w, r, refuse(http.StatusNotFound, codeNotFound, "there is nothing at this address"))
	})
	return mux
}

// forgetEvery is how often old receipts are removed.
const forgetEvery = time.Hour

// Run looks after what the gateway remembers until ctx ends.
func (g *Gateway) Run(ctx context.Context) error {
	tick := time.NewTicker(forgetEvery)
	defer tick.Stop()
	for {
		if err := g.receipts.forget(ctx, g.cfg.Now().Add(-g.cfg.Remember)); err != nil && ctx.Err() == nil {
			g.cfg.Logger.WarnContext(ctx, "old receipts stay for now", schemas.LogKeyError, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (g *Gateway) authorized(serve func(http.ResponseWriter, *http.Request, *token.Token) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := token.Authorize(r, g.cfg.Ledger, token.ScopeSyncWrite)
		if err == nil {
			err = serve(w, r, who)
		}
		if err != nil {
			g.writeError(w, r, err)
		}
	}
}

func (g *Gateway) refuseMethod(allowed string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Allow", allowed)
		g.writeError(w, r, refuse(http.StatusMethodNotAllowed, codeMethod, "this address answers only to "+allowed))
	}
}

func serveDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openAPI) // who asked has gone: nobody is left to be told
}
