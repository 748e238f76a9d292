package gateway_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/gateway"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/internal/openapitest"
	"github.com/diurna-health/diurna/internal/token"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

var morning = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// topic is Kafka as a Gateway sees it: it keeps what is sent, or refuses it.
type topic struct {
	mu      sync.Mutex
	records []kafka.Record
	err     error
	hold    chan struct{} // when set, Publish waits for it
	entered chan struct{} // when set, told of every Publish
}

func (p *topic) Publish(ctx context.Context, records []kafka.Record) (kafka.Positions, error) {
	if p.entered != nil {
		p.entered <- struct{}{}
	}
	if p.hold != nil {
		select {
		case <-p.hold:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err != nil {
		return nil, p.err
	}
	p.records = append(p.records, records...)
	return kafka.Positions{0: int64(len(p.records))}, nil
}

func (p *topic) sent() []kafka.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]kafka.Record(nil), p.records...)
}

func (p *topic) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.err = err
}

// A world is a gateway with a lake and a ledger behind it, and the document its answers are held to.
type world struct {
	t        *testing.T
	topic    *topic
	ledger   *sql.DB
	lake     *lake.Lake
	cfg      gateway.Config
	handler  http.Handler
	token    string
	now      time.Time
	pressure gateway.Pressure
	built    map[int32]int64
	answered []gateway.Answered
	log      bytes.Buffer
	contract *openapitest.Contract
}

var source = kafka.Identity{ClusterID: "cluster", Topic: "diurna.sync"}

func newWorld(t *testing.T, limits gateway.Limits) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{t: t, topic: &topic{}, now: morning, contract: openapitest.Read(t, "openapi.yaml")}
	var err error
	if w.ledger, err = ledger.Open(t.Context(), filepath.Join(dir, "ledger.db")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.ledger.Close() })
	if err := ledger.Migrate(t.Context(), w.ledger); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return w.now }
	if w.lake, err = lake.Open(t.Context(), lake.Config{Dir: filepath.Join(dir, "lake"), Catalog: w.ledger, UserBuckets: 1,
		Now: clock, Logger: slog.New(slog.DiscardHandler)}); err != nil {
		t.Fatal(err)
	}
	if err := w.lake.CreateIngestTables(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.cfg = gateway.Config{
		Producer: w.topic, Source: source, Ledger: w.ledger, Lake: w.lake, Limits: limits,
		Built:    func(context.Context) (map[int32]int64, error) { return w.built, nil },
		Pressure: func() gateway.Pressure { return w.pressure },
		Answered: func(a gateway.Answered) { w.answered = append(w.answered, a) },
		Now:      clock, Logger: slog.New(slog.NewTextHandler(&w.log, nil)),
	}
	w.handler = gateway.New(w.cfg).Handler()
	w.token = w.addToken("app", token.ScopeSyncWrite, "")
	return w
}

func (w *world) addToken(name string, scope token.Scope, user string) string {
	w.t.Helper()
	secret, err := token.Add(w.t.Context(), w.ledger, token.Token{Name: name, Scopes: []token.Scope{scope}, UserID: user, CreatedAt: w.now})
	if err != nil {
		w.t.Fatal(err)
	}
	return secret
}

// store puts what was sent into bronze, as ingest does.
func (w *world) store() {
	w.t.Helper()
	bronze, err := w.lake.Load(w.t.Context(), schemas.TableSyncRecords)
	if err != nil {
		w.t.Fatal(err)
	}
	var rows []schemas.SyncRecord
	for i, r := range w.topic.sent() {
		batch, err := syncv1.Decode(r.ContentType, r.Value)
		if err != nil {
			w.t.Fatal(err)
		}
		rows = append(rows, ingest.Rows(batch, ingest.Position{Offset: int64(i), BrokerAtMS: w.now.UnixMilli()}, 1)...)
	}
	path, err := lake.WriteRows(w.t.Context(), w.lake, schemas.TableSyncRecords, fmt.Sprintf("sync-00000-%020d-%020d", 0, len(w.topic.sent())),
		map[string]int64{"ingest_date": int64(rows[0].IngestDate)}, nil, rows)
	if err != nil {
		w.t.Fatal(err)
	}
	properties := lake.WatermarkProperties(lake.IngestWatermark, map[int32]int64{0: int64(len(w.topic.sent()))})
	properties["ingest.source"] = source.String()
	if _, err := w.lake.Commit(w.t.Context(), lake.Commit{Base: bronze, ID: "test", Add: []string{path}, Properties: properties}); err != nil {
		w.t.Fatal(err)
	}
}

// ask sends a request and holds the answer to the document.
func (w *world) ask(method, target string, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, target, body)
	r.Header.Set("Authorization", "Bearer "+w.token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	path := r.URL.Path
	if strings.HasPrefix(path, "/v1/sync/") {
		path = "/v1/sync/{batch_id}"
	}
	if strings.HasPrefix(path, "/v1/sync") {
		w.contract.Check(w.t, method, path, rec.Code, rec.Header().Get("Content-Type"), rec.Body.Bytes())
	}
	if (rec.Code == http.StatusTooManyRequests || rec.Code == http.StatusServiceUnavailable) != (rec.Header().Get("Retry-After") != "") &&
		rec.Code != http.StatusMultiStatus {
		w.t.Errorf("%s %s: status %d with Retry-After %q", method, path, rec.Code, rec.Header().Get("Retry-After"))
	}
	return rec
}

const (
	asJSON      = "application/json"
	asLines     = "application/x-ndjson"
	asProto     = "application/x-protobuf"
	asDelimited = "application/x-protobuf; encoding=delimited"
)

func (w *world) post(contentType string, body []byte, headers ...string) *httptest.ResponseRecorder {
	w.t.Helper()
	return w.ask(http.MethodPost, "/v1/sync", bytes.NewReader(body), append([]string{"Content-Type", contentType}, headers...)...)
}

type outcome struct {
	Index       int
	BatchID     *string `json:"batch_id"`
	Outcome     string
	Status      int
	Reason      *string
	Remedy      *string
	RetryAfterS *int       `json:"retry_after_s"`
	SetAside    []setAside `json:"set_aside"`
}

type setAside struct {
	Kind, Reason, Remedy string
	Metric               *string
	Count                int
	From, To             *time.Time
}

// results reads the results of an answer, in short: accepted, refused missing_key ...
func results(t *testing.T, rec *httptest.ResponseRecorder) (all []outcome, short []string) {
	t.Helper()
	var body struct{ Results []outcome }
	if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	for i, r := range body.Results {
		if r.Index != i {
			t.Errorf("result %d says it is of batch %d", i, r.Index)
		}
		line := r.Outcome
		if r.Reason != nil {
			line += " " + *r.Reason
			if r.Remedy == nil {
				t.Errorf("%s comes without a remedy", line)
			}
		}
		short = append(short, line)
	}
	return body.Results, short
}

// a batch of steps; each n is another batch.
func batch(n int) *syncv1.Batch {
	start := morning.Add(-time.Hour).UnixMilli()
	return &syncv1.Batch{
		BatchID: "b" + strconv.Itoa(n), UserID: "ann", Device: syncv1.Device{ID: "watch-1", Kind: "watch"}, Seq: uint64(n),
		SentAtMS: morning.UnixMilli(), OffsetMin: 60, Source: syncv1.SourceNative,
		Series: []syncv1.Series{{Metric: schemas.Steps, StartMS: start, OffsetMin: 60, PeriodMS: 60_000, Values: []int32{int32(n), 2, 3}}},
	}
}

func jsonOf(tb testing.TB, b *syncv1.Batch) []byte {
	tb.Helper()
	data, err := syncv1.EncodeJSON(b)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func protoOf(tb testing.TB, b *syncv1.Batch) []byte {
	tb.Helper()
	data, err := syncv1.EncodeProto(b)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func delimited(messages ...[]byte) []byte {
	var out []byte
	for _, m := range messages {
		out = append(binary.AppendUvarint(out, uint64(len(m))), m...)
	}
	return out
}

func packGzip(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := z.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func packZstd(tb testing.TB, data []byte) []byte {
	tb.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer z.Close()
	return z.EncodeAll(data, nil)
}

func TestEveryFormOfABodyBringsItsBatchesToKafkaAsTheyCame(t *testing.T) {
	t.Parallel()
	one, two := batch(1), batch(2)
	array := append(append(append([]byte("[ "), jsonOf(t, one)...), " ,\n"...), append(jsonOf(t, two), " ]"...)...)
	lines := append(append(append(jsonOf(t, one), "\r\n\n"...), jsonOf(t, two)...), '\n')
	for name, c := range map[string]struct {
		contentType string
		body        []byte
		encoding    string
		batches     int
	}{
		"json":                {asJSON, jsonOf(t, one), "", 1},
		"json with a charset": {asJSON + "; charset=utf-8", jsonOf(t, one), "identity", 1},
		"json array":          {asJSON, array, "", 2},
		"json lines":          {asLines, lines, "", 2},
		"protobuf":            {asProto, protoOf(t, one), "", 1},
		"registered protobuf": {"application/protobuf", protoOf(t, one), "", 1},
		"delimited protobuf":  {asDelimited, delimited(protoOf(t, one), protoOf(t, two)), "", 2},
		"gzip":                {asJSON, packGzip(t, array), "gzip", 2},
		"zstd":                {asDelimited, packZstd(t, delimited(protoOf(t, one), protoOf(t, two))), "zstd", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, gateway.Limits{})
			rec := w.post(c.contentType, c.body, "Content-Encoding", c.encoding)
			if rec.Code != http.StatusAccepted {
				t.Fatalf("status %d: %s", rec.Code, rec.Body)
			}
			sent := w.topic.sent()
			if len(sent) != c.batches {
				t.Fatalf("%d batches were sent, want %d", len(sent), c.batches)
			}
			for i, want := range []*syncv1.Batch{one, two}[:c.batches] {
				got, err := syncv1.Decode(sent[i].ContentType, sent[i].Value)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got); diff != "" || sent[i].Key != "ann" {
					t.Errorf("batch %d under key %q (-want +got):\n%s", i, sent[i].Key, diff)
				}
			}
		})
	}
}

func TestWhatThisVersionDoesNotKnowReachesKafkaAllTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	data := protowire.AppendString(protowire.AppendTag(protoOf(t, batch(1)), 999, protowire.BytesType), "of a newer version")
	if rec := w.post(asProto, data); rec.Code != http.StatusAccepted {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	if sent := w.topic.sent(); !bytes.Equal(sent[0].Value, data) {
		t.Error("the bytes in Kafka are not those that came")
	}
}

func TestABrokenBatchCostsNoneOfTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	nameless := batch(3)
	nameless.BatchID = ""
	huge := batch(5)
	huge.Device.Model = strings.Repeat("x", kafka.MaxValueBytes)
	body := delimited(protoOf(t, batch(1)), []byte("no batch"), protoOf(t, nameless), protoOf(t, batch(4)), protoOf(t, huge))
	rec := w.post(asDelimited, body)
	if rec.Code != http.StatusMultiStatus {
		t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	_, short := results(t, rec)
	want := []string{"accepted", "refused decode", "refused missing_key", "accepted", "refused oversize"}
	if diff := cmp.Diff(want, short); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if n := len(w.topic.sent()); n != 2 {
		t.Errorf("%d batches were sent, want 2", n)
	}
}

func TestWhatWillBeSetAsideIsToldAtOnceWithItsRemedy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	b := batch(1)
	future := time.Date(2029, 5, 1, 0, 0, 0, 0, time.UTC)
	b.Series = append(b.Series,
		syncv1.Series{Metric: schemas.HeartRate, StartMS: future.UnixMilli(), PeriodMS: 60_000, Values: []int32{60, 61}},
		syncv1.Series{Metric: schemas.HeartRate, StartMS: morning.Add(-time.Hour).UnixMilli(), PeriodMS: 60_000, Values: []int32{60, 900, 61}})
	rec := w.post(asProto, protoOf(t, b))
	all, short := results(t, rec)
	if diff := cmp.Diff([]string{"accepted"}, short); diff != "" {
		t.Fatal(diff)
	}
	heartRate, until := schemas.HeartRate, future.Add(2*time.Minute)
	at, end := morning.Add(-59*time.Minute), morning.Add(-58*time.Minute)
	want := []setAside{
		{Kind: "series", Metric: &heartRate, Reason: "future_ts", Count: 2, From: &future, To: &until,
			Remedy: "The watch's clock is in 2029: charge it and pair it again."},
		{Kind: "series", Metric: &heartRate, Reason: "value_range", Count: 1, From: &at, To: &end,
			Remedy: schemas.RejectValueRange.Remedy(0)},
	}
	if diff := cmp.Diff(want, all[0].SetAside); diff != "" {
		t.Errorf("set aside (-want +got):\n%s", diff)
	}
}

func TestTheSameBatchIsAnsweredTheSameAndSentOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	b := batch(1)
	b.Series[0].StartMS = morning.Add(30 * time.Minute).UnixMilli() // in the future now, not in an hour
	first := w.post(asJSON, jsonOf(t, b))
	w.now = w.now.Add(time.Hour)
	again := *b
	again.SentAtMS = w.now.UnixMilli() // a phone that tries again
	for name, rec := range map[string]*httptest.ResponseRecorder{
		"as it was":    w.post(asJSON, jsonOf(t, b)),
		"as protobuf":  w.post(asProto, protoOf(t, b)),
		"stamped anew": w.post(asProto, protoOf(t, &again)),
		"after the process started": func() *httptest.ResponseRecorder {
			w.handler = gateway.New(w.cfg).Handler()
			return w.post(asJSON, jsonOf(t, b))
		}(),
	} {
		if rec.Code != first.Code || rec.Body.String() != first.Body.String() {
			t.Errorf("%s: status %d: %s, want %d: %s", name, rec.Code, rec.Body, first.Code, first.Body)
		}
	}
	if n := len(w.topic.sent()); n != 1 {
		t.Errorf("it was sent %d times", n)
	}
	other := batch(1)
	other.Series[0].Values[2]++
	for name, body := range map[string][]byte{"alone": protoOf(t, other), "twice": nil} {
		rec := w.post(asProto, protoOf(t, other))
		if body == nil {
			rec = w.post(asDelimited, delimited(protoOf(t, other), protoOf(t, other)))
		}
		if rec.Code != http.StatusConflict {
			t.Errorf("other content %s: status %d: %s", name, rec.Code, rec.Body)
		}
	}
	theirs := batch(1)
	theirs.UserID = "bob"
	if rec := w.post(asProto, protoOf(t, theirs)); rec.Code != http.StatusAccepted {
		t.Errorf("another person's batch of the same id: status %d", rec.Code)
	}
	last := w.answered[0]
	if last.Accepted != 1 || w.answered[1].Repeated != 1 || w.answered[1].Accepted != 0 {
		t.Errorf("counted %+v and %+v", last, w.answered[1])
	}
}

func TestABatchTwiceInOneBodyIsSentOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	other := batch(1)
	other.Series[0].Values[0] = 77
	rec := w.post(asDelimited, delimited(protoOf(t, batch(1)), protoOf(t, batch(1)), protoOf(t, other), protoOf(t, batch(2))))
	_, short := results(t, rec)
	if diff := cmp.Diff([]string{"accepted", "accepted", "refused batch_conflict", "accepted"}, short); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if n := len(w.topic.sent()); n != 2 {
		t.Errorf("%d batches were sent, want 2", n)
	}
}

func TestTheSameBatchInManyRequestsAtOnceIsSentOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	w.cfg.Answered = nil // the test's own list is for one goroutine
	w.handler = gateway.New(w.cfg).Handler()
	var wg sync.WaitGroup
	statuses := make(chan int, 20)
	for i := range 20 {
		body := delimited(protoOf(t, batch(1)), protoOf(t, batch(2)))
		if i%2 == 1 {
			body = delimited(protoOf(t, batch(2)), protoOf(t, batch(1)))
		}
		wg.Go(func() {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/sync", bytes.NewReader(body))
			r.Header.Set("Authorization", "Bearer "+w.token)
			r.Header.Set("Content-Type", asDelimited)
			rec := httptest.NewRecorder()
			w.handler.ServeHTTP(rec, r)
			statuses <- rec.Code
		})
	}
	wg.Wait()
	close(statuses)
	for status := range statuses {
		if status != http.StatusAccepted {
			t.Errorf("status %d", status)
		}
	}
	if n := len(w.topic.sent()); n != 2 {
		t.Errorf("%d batches were sent, want 2", n)
	}
}

func TestNothingIsAcceptedThatKafkaDidNotTake(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	w.topic.fail(errors.New("no leader"))
	rec := w.post(asProto, protoOf(t, batch(1)))
	if _, short := results(t, rec); rec.Code != http.StatusServiceUnavailable || short[0] != "later unavailable" {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
	w.topic.fail(&schemas.Error{Code: schemas.CodeInvalid, Message: "too large"})
	if rec := w.post(asProto, protoOf(t, batch(1))); rec.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("of a batch that is too large for the broker: status %d: %s", rec.Code, rec.Body)
	}
	w.topic.fail(nil)
	if rec := w.post(asProto, protoOf(t, batch(1))); rec.Code != http.StatusAccepted || len(w.topic.sent()) != 1 {
		t.Errorf("once it can be stored: status %d, %d sent", rec.Code, len(w.topic.sent()))
	}
}

func TestAReceiptThatCannotBeWrittenDownCostsNoBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	if _, err := w.ledger.ExecContext(t.Context(),
		"create trigger full before insert on gateway_receipts begin select raise(abort, 'disk of ann is full'); end"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if rec := w.post(asProto, protoOf(t, batch(1))); rec.Code != http.StatusAccepted {
			t.Errorf("status %d: %s", rec.Code, rec.Body)
		}
	}
	if n := len(w.topic.sent()); n != 2 {
		t.Errorf("it was sent %d times, want again: what is not known is sent", n)
	}
	if !strings.Contains(w.log.String(), "receipts were not kept") {
		t.Error("the operator is not told")
	}
}

func TestATokenOfAPersonIsOfNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	bob := w.addToken("bob", token.ScopeSyncWrite, "bob")
	rankings := w.addToken("rankings", token.ScopeRankingsRead, "")
	if rec := w.post(asProto, protoOf(t, batch(1))); rec.Code != http.StatusAccepted {
		t.Fatal(rec.Code)
	}
	for name, c := range map[string]struct {
		rec  *httptest.ResponseRecorder
		want int
	}{
		"bob sends for ann":         {w.post(asProto, protoOf(t, batch(2)), "Authorization", "Bearer "+bob), http.StatusForbidden},
		"bob asks for ann":          {w.ask(http.MethodGet, "/v1/sync/b1?user=ann", nil, "Authorization", "Bearer "+bob), http.StatusForbidden},
		"bob asks for ann's as his": {w.ask(http.MethodGet, "/v1/sync/b1", nil, "Authorization", "Bearer "+bob), http.StatusNotFound},
		"a token for rankings":      {w.post(asProto, protoOf(t, batch(2)), "Authorization", "Bearer "+rankings), http.StatusForbidden},
		"no token":                  {w.post(asProto, protoOf(t, batch(2)), "Authorization", ""), http.StatusUnauthorized},
	} {
		if c.rec.Code != c.want {
			t.Errorf("%s: status %d, want %d: %s", name, c.rec.Code, c.want, c.rec.Body)
		}
	}
	if n := len(w.topic.sent()); n != 1 {
		t.Errorf("%d batches were sent, want 1", n)
	}
}

func TestABatchIsFollowedFromKafkaToTheFigures(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	b := batch(1)
	b.Series = append(b.Series, syncv1.Series{Metric: schemas.HeartRate, StartMS: time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(),
		PeriodMS: 60_000, Values: []int32{60}})
	w.post(asDelimited, delimited(protoOf(t, batch(7)), protoOf(t, b)))
	type status struct {
		State    string
		Items    *int
		Values   *int
		SetAside []setAside `json:"set_aside"`
	}
	look := func() status {
		t.Helper()
		rec := w.ask(http.MethodGet, "/v1/sync/b1?user=ann", nil)
		if rec.Code != http.StatusOK {
			t.Fatalf("status %d: %s", rec.Code, rec.Body)
		}
		var s status
		if err := json.Unmarshal(rec.Body.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	if diff := cmp.Diff(status{State: "received"}, look()); diff != "" {
		t.Errorf("in Kafka (-want +got):\n%s", diff)
	}
	w.store()
	got := look()
	if got.State != "stored" || *got.Items != 1 || *got.Values != 3 || len(got.SetAside) != 1 ||
		got.SetAside[0].Remedy != "The watch's clock is in 2029: charge it and pair it again." {
		t.Errorf("in the lake: %+v", got)
	}
	w.built = map[int32]int64{0: 2}
	if got := look(); got.State != "counted" {
		t.Errorf("once all is built: %+v", got)
	}
	if _, err := w.ledger.ExecContext(t.Context(), "delete from gateway_receipts"); err != nil {
		t.Fatal(err)
	}
	if got := look(); got.State != "counted" || *got.Values != 3 {
		t.Errorf("without a receipt, as of a producer's own: %+v", got)
	}
	for target, want := range map[string]int{
		"/v1/sync/b2?user=ann": http.StatusNotFound, "/v1/sync/b1?user=bob": http.StatusNotFound, "/v1/sync/b1": http.StatusBadRequest,
		"/v1/sync/b1?user=a%20b": http.StatusBadRequest, "/v1/sync/b1?use=ann": http.StatusBadRequest,
		"/v1/sync/b1?user=ann&user=bob": http.StatusBadRequest, "/v1/sync/b%201?user=ann": http.StatusBadRequest,
		"/v1/sync/b1?%zz": http.StatusBadRequest,
	} {
		if rec := w.ask(http.MethodGet, target, nil); rec.Code != want {
			t.Errorf("%s: status %d, want %d: %s", target, rec.Code, want, rec.Body)
		}
	}
}

func TestABodyIsBoundedBeforeAndAfterItIsUnpacked(t *testing.T) {
	t.Parallel()
	limits := gateway.Limits{PackedBytes: 4 << 10, BodyBytes: 64 << 10, Batches: 3}
	zeros := make([]byte, 1<<20)
	for name, c := range map[string]struct {
		contentType, encoding string
		body                  []byte
		want                  int
	}{
		"too large as sent":        {asJSON, "", zeros, http.StatusRequestEntityTooLarge},
		"a gzip bomb":              {asJSON, "gzip", packGzip(t, zeros), http.StatusRequestEntityTooLarge},
		"a zstd bomb":              {asJSON, "zstd", packZstd(t, zeros), http.StatusRequestEntityTooLarge},
		"a zstd window of 2 GiB":   {asJSON, "zstd", []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00}, http.StatusRequestEntityTooLarge},
		"too many in an array":     {asJSON, "", []byte("[{},{},{},{}]"), http.StatusRequestEntityTooLarge},
		"too many lines":           {asLines, "", []byte("{}\n{}\n{}\n{}"), http.StatusRequestEntityTooLarge},
		"too many messages":        {asDelimited, "", []byte{0, 0, 0, 0}, http.StatusRequestEntityTooLarge},
		"nothing":                  {asJSON, "", nil, http.StatusBadRequest},
		"empty lines":              {asLines, "", []byte("\n \n"), http.StatusBadRequest},
		"an empty array":           {asJSON, "", []byte(" [ ] "), http.StatusBadRequest},
		"an array without end":     {asJSON, "", []byte(`[{"batch_id":"1"}`), http.StatusBadRequest},
		"an array with more after": {asJSON, "", []byte(`[{}]{}`), http.StatusBadRequest},
		"an array with a hole":     {asJSON, "", []byte(`[{},,{}]`), http.StatusBadRequest},
		"brackets that cross":      {asJSON, "", []byte(`[}]`), http.StatusBadRequest},
		"a message cut off":        {asDelimited, "", []byte{5, 1, 2}, http.StatusBadRequest},
		"a length without end":     {asDelimited, "", bytes.Repeat([]byte{0xff}, 11), http.StatusBadRequest},
		"no gzip":                  {asJSON, "gzip", []byte("{}"), http.StatusBadRequest},
		"gzip cut off":             {asJSON, "gzip", packGzip(t, []byte("{}"))[:15], http.StatusBadRequest},
		"no zstd":                  {asJSON, "zstd", []byte("{}"), http.StatusBadRequest},
		"packed twice":             {asJSON, "gzip, gzip", []byte("{}"), http.StatusUnsupportedMediaType},
		"packed otherwise":         {asJSON, "br", []byte("{}"), http.StatusUnsupportedMediaType},
		"of another type":          {"text/plain", "", []byte("{}"), http.StatusUnsupportedMediaType},
		"of no type":               {"", "", []byte("{}"), http.StatusUnsupportedMediaType},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, limits)
			rec := w.post(c.contentType, c.body, "Content-Encoding", c.encoding)
			if rec.Code != c.want {
				t.Errorf("status %d, want %d: %s", rec.Code, c.want, rec.Body)
			}
			if len(w.topic.sent()) > 0 {
				t.Error("something was sent")
			}
			if rec := w.post(asProto, protoOf(t, batch(1))); rec.Code != http.StatusAccepted {
				t.Errorf("the next request: status %d: %s", rec.Code, rec.Body)
			}
		})
	}
}

func TestWhoSendsTooMuchIsToldWhenToComeAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{TokenRate: 1, TokenBurst: 4, DeviceRate: 30, DeviceBurst: 2})
	other := batch(4)
	other.Device.ID = "watch-2"
	rec := w.post(asDelimited, delimited(protoOf(t, batch(1)), protoOf(t, batch(2)), protoOf(t, batch(3)), protoOf(t, other)))
	all, short := results(t, rec)
	if diff := cmp.Diff([]string{"accepted", "accepted", "later rate_limited", "accepted"}, short); diff != "" {
		t.Fatalf("outcomes (-want +got):\n%s", diff)
	}
	if *all[2].RetryAfterS != 2 || rec.Header().Get("Retry-After") != "2" {
		t.Errorf("a device with one every 2 s is told to come after %d s, in the header %q", *all[2].RetryAfterS, rec.Header().Get("Retry-After"))
	}
	if rec := w.post(asProto, protoOf(t, batch(3))); rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") != "1" {
		t.Errorf("a token without any left: status %d after %q", rec.Code, rec.Header().Get("Retry-After"))
	}
	w.now = w.now.Add(2 * time.Second)
	if rec := w.post(asProto, protoOf(t, batch(3))); rec.Code != http.StatusAccepted {
		t.Errorf("after the time named: status %d: %s", rec.Code, rec.Body)
	}
}

func TestUnderPressureNothingIsReadAndTheSenderIsToldWhen(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	w.pressure = gateway.Pressure{Reason: "the disk is full", After: 30 * time.Second}
	body := &countingReader{}
	rec := w.ask(http.MethodPost, "/v1/sync", body, "Content-Type", asJSON)
	if rec.Code != http.StatusTooManyRequests || rec.Header().Get("Retry-After") != "30" || body.read > 0 {
		t.Errorf("status %d after %q, %d bytes read", rec.Code, rec.Header().Get("Retry-After"), body.read)
	}
}

type countingReader struct{ read int }

func (r *countingReader) Read(p []byte) (int, error) {
	r.read += len(p)
	return len(p), nil
}

func TestRequestsThatWaitForKafkaDoNotTakeMoreMemoryThanThereIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{MemoryBytes: 3 * 64 << 10})
	w.topic.hold, w.topic.entered = make(chan struct{}), make(chan struct{})
	w.cfg.Answered = nil
	w.handler = gateway.New(w.cfg).Handler()
	var wg sync.WaitGroup
	send := func(n int) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/sync", bytes.NewReader(protoOf(t, batch(n))))
		r.Header.Set("Authorization", "Bearer "+w.token)
		r.Header.Set("Content-Type", asProto)
		rec := httptest.NewRecorder()
		w.handler.ServeHTTP(rec, r)
		return rec
	}
	for n := range 2 {
		wg.Go(func() {
			if rec := send(n); rec.Code != http.StatusAccepted {
				t.Errorf("request %d: status %d: %s", n, rec.Code, rec.Body)
			}
		})
		<-w.topic.entered
	}
	if rec := send(2); rec.Code != http.StatusTooManyRequests {
		t.Errorf("while two wait: status %d: %s", rec.Code, rec.Body)
	}
	close(w.topic.hold)
	wg.Wait()
	w.topic.entered = nil
	if rec := send(2); rec.Code != http.StatusAccepted {
		t.Errorf("once they are done: status %d: %s", rec.Code, rec.Body)
	}
}

func TestAReceiptOfALostTopicOrALostMessageDoesNotStopTheBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	w.post(asProto, protoOf(t, batch(1)))
	w.cfg.Source.ClusterID = "made anew"
	w.handler = gateway.New(w.cfg).Handler()
	for range 2 {
		if rec := w.post(asProto, protoOf(t, batch(1))); rec.Code != http.StatusAccepted {
			t.Fatalf("status %d: %s", rec.Code, rec.Body)
		}
	}
	if n := len(w.topic.sent()); n != 2 {
		t.Errorf("it was sent %d times, want once to each topic", n)
	}
	w.cfg.Source = source
	w.handler = gateway.New(w.cfg).Handler()
	w.post(asProto, protoOf(t, batch(2)))
	w.topic.records[2].Value = protoOf(t, batch(3)) // bronze passes its place with something else
	w.store()
	if rec := w.ask(http.MethodGet, "/v1/sync/b2?user=ann", nil); rec.Code != http.StatusNotFound {
		t.Errorf("status %d: %s", rec.Code, rec.Body)
	}
	if w.post(asProto, protoOf(t, batch(2))); len(w.topic.sent()) != 4 {
		t.Errorf("%d batches were sent, want 4: what was lost is taken again", len(w.topic.sent()))
	}
}

func TestOldReceiptsAreForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	w.post(asProto, protoOf(t, batch(1)))
	w.now = w.now.Add(20 * 24 * time.Hour)
	w.post(asProto, protoOf(t, batch(2)))
	w.now = w.now.Add(11 * 24 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- gateway.New(w.cfg).Run(ctx) }()
	left := 2
	for deadline := time.Now().Add(10 * time.Second); left != 1 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if err := w.ledger.QueryRowContext(t.Context(), "select count(*) from gateway_receipts").Scan(&left); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-done; err != nil || left != 1 {
		t.Errorf("%d receipts are left, want the younger one; %v", left, err)
	}
}

func TestEveryPromiseOfTheDocumentIsKeptAndNothingElseIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{BodyBytes: 64 << 10, DeviceBurst: 5})
	ok := protoOf(t, batch(1))
	other := batch(1)
	other.Series[0].Values[0]++
	w.post(asProto, ok)                                            // 202
	w.post(asProto, protoOf(t, other))                             // 409
	w.post(asDelimited, delimited(ok, []byte("no")))               // 207
	w.post(asProto, []byte("no"))                                  // 400
	w.post(asJSON, make([]byte, 65<<10))                           // 413
	w.post("text/html", ok)                                        // 415
	w.post(asProto, ok, "Authorization", "Bearer no")              // 401
	w.ask(http.MethodGet, "/v1/sync/b1?user=ann", nil)             // 200
	w.ask(http.MethodHead, "/v1/sync.openapi.yaml", nil)           // 200
	w.ask(http.MethodGet, "/v1/sync/b2?user=ann", nil)             // 404
	w.ask(http.MethodGet, "/v1/sync/b1", nil)                      // 400
	w.ask(http.MethodGet, "/v1/sync/b1", nil, "Authorization", "") // 401
	ann := w.addToken("ann", token.ScopeSyncWrite, "bob")
	w.post(asProto, ok, "Authorization", "Bearer "+ann)                                // 403
	w.ask(http.MethodGet, "/v1/sync/b1?user=ann", nil, "Authorization", "Bearer "+ann) // 403
	for path, allowed := range map[string]string{"/v1/sync": "POST", "/v1/sync/b1": "GET, HEAD", "/v1/sync.openapi.yaml": "GET, HEAD"} {
		if rec := w.ask(http.MethodPut, path, nil); rec.Code != http.StatusMethodNotAllowed || rec.Header().Get("Allow") != allowed {
			t.Errorf("PUT %s: status %d, allowed %q", path, rec.Code, rec.Header().Get("Allow"))
		}
	}
	if rec := w.ask(http.MethodGet, "/v1/other", nil); rec.Code != http.StatusNotFound {
		t.Errorf("another address: status %d", rec.Code)
	}
	w.topic.fail(errors.New("gone"))
	w.post(asProto, protoOf(t, batch(2))) // 503
	w.pressure = gateway.Pressure{Reason: "the disk is full", After: time.Second}
	w.post(asProto, ok) // 429
	w.pressure = gateway.Pressure{}
	busy(t, w)
	w.cfg.Built = func(context.Context) (map[int32]int64, error) { return nil, errors.New("the disk of ann is gone") }
	w.store()
	w.handler = gateway.New(w.cfg).Handler()
	if rec := w.ask(http.MethodGet, "/v1/sync/b1?user=ann", nil); rec.Code != http.StatusInternalServerError || strings.Contains(rec.Body.String(), "disk") {
		t.Errorf("what is ours to mend: status %d: %s", rec.Code, rec.Body)
	}
	if _, err := w.ledger.ExecContext(t.Context(), "drop table tokens"); err != nil {
		t.Fatal(err)
	}
	w.post(asProto, ok) // 500
	if !strings.Contains(w.log.String(), "sync request failed") {
		t.Error("what is ours to mend was not logged")
	}
	if missing := w.contract.Unseen(); len(missing) > 0 {
		t.Errorf("the document promises what was not seen: %s", strings.Join(missing, "; "))
	}
}

// busy asks for a batch while another one is looked for.
func busy(t *testing.T, w *world) {
	t.Helper()
	g := gateway.New(w.cfg)
	w.handler = g.Handler()
	defer g.HoldSearch()()
	if rec := w.ask(http.MethodGet, "/v1/sync/unknown?user=ann", nil); rec.Code != http.StatusTooManyRequests {
		t.Errorf("while another batch is looked for: status %d: %s", rec.Code, rec.Body)
	}
}

func TestNoLogLineHoldsAnID(t *testing.T) {
	t.Parallel()
	w := newWorld(t, gateway.Limits{})
	canary := batch(1)
	canary.UserID, canary.BatchID, canary.Device.ID = "canary-user", "canary-batch", "canary-device"
	w.topic.fail(errors.New("no leader"))
	w.post(asProto, protoOf(t, canary))
	w.topic.fail(nil)
	w.post(asProto, protoOf(t, canary))
	w.ask(http.MethodGet, "/v1/sync/canary-batch?user=canary-user", nil)
	w.ask(http.MethodGet, "/v1/sync/canary-other?user=canary-user", nil)
	if _, err := w.ledger.ExecContext(t.Context(), "drop table gateway_receipts"); err != nil {
		t.Fatal(err)
	}
	w.post(asProto, protoOf(t, canary))
	w.ask(http.MethodGet, "/v1/sync/canary-batch?user=canary-user", nil)
	if w.log.Len() == 0 || strings.Contains(w.log.String(), "canary") {
		t.Errorf("the log:\n%s", w.log.String())
	}
}
