package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/internal/token"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// The outcomes of a batch.
const (
	outcomeAccepted = "accepted" // it is in Kafka
	outcomeRefused  = "refused"  // it is not, and sending it again will not help
	outcomeLater    = "later"    // it may not be: send it again
)

// received is the body of an answer to a request whose batches did not all fare alike, or all well.
type received struct {
	Results []result `json:"results"`
}

// A result says what became of one batch of a request.
type result struct {
	Index       int        `json:"index"`    // in the body, from 0
	BatchID     *string    `json:"batch_id"` // null when it could not be read
	Outcome     string     `json:"outcome"`
	Status      int        `json:"status"` // what the batch would be answered with if it had come alone
	Reason      *string    `json:"reason"` // of what was not accepted
	Detail      *string    `json:"detail"`
	Remedy      *string    `json:"remedy"`
	RetryAfterS *int       `json:"retry_after_s"`
	SetAside    []setAside `json:"set_aside"` // null when it was not accepted: then nothing of it was looked at
}

// An item is one batch on its way.
type item struct {
	document
	index     int
	batchID   string
	userID    string
	key       digest
	content   digest
	aside     []setAside
	first     *item // the same batch earlier in the body
	repeated  bool  // it was accepted before
	partition int32 // where it lies in Kafka, once it is accepted
	offset    int64
	result    *result // once it is known
}

// receive answers POST /v1/sync. The order is the promise: nothing is said to be accepted before Kafka has acknowledged
// it, and nothing is remembered before that either.
func (g *Gateway) receive(w http.ResponseWriter, r *http.Request, who *token.Token) error {
	start := g.cfg.Now()
	items, err := g.take(w, r, who, start)
	if err != nil {
		if refused, known := refusalOf(err); known {
			g.cfg.Answered(Answered{Status: refused.status, Took: g.cfg.Now().Sub(start)})
		}
		return err
	}
	done := Answered{}
	results := make([]result, len(items))
	for i, it := range items {
		results[i] = *it.result
		switch {
		case it.result.Outcome == outcomeLater:
			done.Delayed++
		case it.result.Outcome == outcomeRefused:
			done.Refused++
		case it.repeated:
			done.Repeated++
		default:
			done.Accepted++
			done.Bytes += len(it.data)
		}
	}
	done.Status = answer(w, results)
	done.Took = g.cfg.Now().Sub(start)
	g.cfg.Answered(done)
	return nil
}

// take reads a request and does all there is to do with its batches.
func (g *Gateway) take(w http.ResponseWriter, r *http.Request, who *token.Token, now time.Time) ([]*item, error) {
	if p := g.cfg.Pressure(); p.Reason != "" {
		return nil, later(http.StatusTooManyRequests, codeBusy, p.After, "nothing is taken right now, because "+p.Reason+": send the same again later")
	}
	if wait, ok := g.tokens.look(who.Name, now); !ok {
		return nil, later(http.StatusTooManyRequests, codeRate, wait, "this token has sent more batches than it may: send the same again later")
	}
	f, err := formOf(r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	held, ok := g.memory.admit()
	defer held.release()
	if !ok {
		return nil, errBusy()
	}
	body, err := readBody(w, r, g.cfg.Limits, held)
	if err != nil {
		return nil, err
	}
	documents, err := split(f, body, g.cfg.Limits.Batches)
	if err != nil {
		return nil, err
	}
	items := make([]*item, len(documents))
	for i, d := range documents {
		items[i] = g.read(i, d, who, now)
	}
	return items, g.store(r.Context(), items, now)
}

// read decodes one batch and finds out whether it can be taken. What is left of the batch is what the item says.
func (g *Gateway) read(index int, d document, who *token.Token, now time.Time) *item {
	it := &item{document: d, index: index}
	if err := g.check(it, who, now); err != nil {
		it.settle(err)
	}
	return it
}

func (g *Gateway) check(it *item, who *token.Token, now time.Time) error {
	g.decoding <- struct{}{}
	defer func() { <-g.decoding }()
	batch, err := syncv1.Decode(it.contentType, it.data)
	if err != nil {
		return undecodable(err)
	}
	if schemas.ValidName(batch.BatchID) {
		it.batchID = batch.BatchID
	}
	if schemas.ValidUserID(batch.UserID) && !who.Allows(batch.UserID) {
		return refuse(http.StatusForbidden, codeForbidden, "this token is bound to another person than the batch is of")
	}
	if it.aside, err = look(batch, now.UnixMilli()); err != nil {
		return err
	}
	if len(it.data) > kafka.MaxValueBytes {
		return rejected(schemas.RejectOversize, fmt.Sprintf("the batch has more than %d bytes", kafka.MaxValueBytes))
	}
	it.userID = batch.UserID
	it.key = keyOf(batch.UserID, batch.BatchID)
	if it.content, err = contentOf(batch); err != nil {
		return err
	}
	if wait, ok := g.tokens.take(who.Name, now); !ok {
		return later(http.StatusTooManyRequests, codeRate, wait, "this token has sent more batches than it may: send this one again later")
	}
	if wait, ok := g.devices.take(batch.UserID+"\x00"+batch.Device.ID, now); !ok {
		return later(http.StatusTooManyRequests, codeRate, wait, "this device has sent more batches than it may: send this one again later")
	}
	return nil
}

// undecodable turns an error of the decoder into what the sender is told.
func undecodable(err error) error {
	reason, detail := schemas.RejectDecode, "the batch cannot be read"
	if e, ok := errors.AsType[*syncv1.DecodeError](err); ok {
		reason, detail = e.Reason, e.Detail
	}
	return rejected(reason, detail)
}

// rejected is the refusal of a batch for a reason that ingest too would set it aside whole for.
func rejected(reason schemas.RejectReason, detail string) *refusal {
	status := http.StatusBadRequest
	if reason == schemas.RejectOversize || reason == schemas.RejectTooManySamples {
		status = http.StatusRequestEntityTooLarge
	}
	return refuse(status, code(reason), detail)
}

// settle gives the item its result: accepted, or what the error says.
func (it *item) settle(err error) {
	r := result{Index: it.index, Outcome: outcomeAccepted, Status: http.StatusAccepted, SetAside: it.aside}
	if it.batchID != "" {
		r.BatchID = &it.batchID
	}
	if err != nil {
		refused, _ := refusalOf(err)
		r.Outcome, r.Status, r.SetAside = outcomeRefused, refused.status, nil
		reason := string(refused.code)
		r.Reason, r.Detail = &reason, &refused.detail
		if remedy := remedyOf(refused.code); remedy != "" {
			r.Remedy = &remedy
		}
		if refused.after > 0 {
			r.Outcome = outcomeLater
			r.RetryAfterS = new(seconds(refused.after))
		}
	}
	it.result = &r
}

// remedyOf says what to do about a refused batch.
func remedyOf(c code) string {
	switch c {
	case codeForbidden:
		return "Sign the person in again, so that the app gets a token of theirs."
	case codeConflict:
		return "Give every sync a batch_id of its own, and send the same batch again only as it was."
	case codeRate, codeBusy, codeUnavailable:
		return "Nothing is wrong with the batch: keep it and send it again after the time named."
	default:
		return schemas.RejectReason(c).Remedy(0)
	}
}

// store sends the items that have no result yet and gives each its own.
func (g *Gateway) store(ctx context.Context, items []*item, now time.Time) error {
	fresh := distinct(items)
	keys := make([]digest, len(fresh))
	for i, it := range fresh {
		keys[i] = it.key
	}
	end, err := g.receipts.begin(ctx, keys)
	if err != nil {
		return err
	}
	defer end()
	var unknown []*item
	for _, it := range fresh {
		r, ok, err := g.receipts.find(ctx, it.key)
		switch {
		case err != nil:
			return err
		case !ok || r.source != g.cfg.Source.String(): // what an older topic had may have been lost with it
			unknown = append(unknown, it)
		case r.content != it.content:
			it.settle(conflict())
		default:
			g.repeat(it, r)
		}
	}
	g.send(ctx, unknown, now)
	for _, it := range items {
		if it.first != nil {
			again := *it.first.result
			again.Index = it.index
			it.result, it.repeated = &again, true
		}
	}
	return nil
}

// distinct returns the items without a result, each batch once.
func distinct(items []*item) []*item {
	var fresh []*item
	seen := map[digest]*item{}
	for _, it := range items {
		if it.result != nil {
			continue
		}
		switch first := seen[it.key]; {
		case first == nil:
			seen[it.key] = it
			fresh = append(fresh, it)
		case first.content == it.content:
			it.first = first
		default:
			it.settle(conflict())
		}
	}
	return fresh
}

func conflict() error {
	return refuse(http.StatusConflict, codeConflict, "there is another batch of this person with the same batch_id and other content: the first one stays")
}

// repeat answers for a batch that is in Kafka already, as it was answered for then: what is set aside depends on when
// it came.
func (g *Gateway) repeat(it *item, r receipt) {
	g.decoding <- struct{}{}
	defer func() { <-g.decoding }()
	it.repeated = true
	if batch, err := syncv1.Decode(it.contentType, it.data); err == nil {
		if aside, err := look(batch, r.receivedMS); err == nil {
			it.aside = aside
		}
	}
	it.settle(nil)
}

// sendAtOnce is for how many people a request sends at the same time.
const sendAtOnce = 32

// send puts the items into Kafka, then remembers them, and gives each its result.
func (g *Gateway) send(ctx context.Context, items []*item, now time.Time) {
	ctx, cancel := context.WithTimeout(ctx, g.cfg.PublishTimeout)
	defer cancel()
	byPerson := map[string][]*item{}
	for _, it := range items {
		byPerson[it.userID] = append(byPerson[it.userID], it)
	}
	var wg sync.WaitGroup
	slots := make(chan struct{}, sendAtOnce)
	for _, theirs := range byPerson {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			g.sendInOrder(ctx, theirs)
		})
	}
	wg.Wait()
	g.remember(context.WithoutCancel(ctx), items, now)
}

// sendInOrder sends the batches of one person, each after the one before; it stops at the first that is not stored.
func (g *Gateway) sendInOrder(ctx context.Context, items []*item) {
	for i, it := range items {
		if err := g.publish(ctx, it); err != nil {
			for _, left := range items[i:] {
				left.settle(err)
			}
			return
		}
		it.settle(nil)
	}
}

func (g *Gateway) publish(ctx context.Context, it *item) error {
	unavailable := later(http.StatusServiceUnavailable, codeUnavailable, busyPause, "it could not be stored in time, or it is not known whether it was: send the same again")
	if err := failpoint.Hit("gateway.before_publish"); err != nil {
		return unavailable
	}
	ends, err := g.cfg.Producer.Publish(ctx, []kafka.Record{{Key: it.userID, Value: it.data, ContentType: it.contentType}})
	if err == nil {
		err = failpoint.Hit("gateway.after_publish")
	}
	if schemas.ErrorCode(err) == schemas.CodeInvalid {
		return rejected(schemas.RejectOversize, "the batch is larger than Kafka takes")
	}
	if err != nil {
		g.cfg.Logger.WarnContext(ctx, "kafka did not store a batch", schemas.LogKeyError, err)
		return unavailable
	}
	for partition, end := range ends {
		it.partition, it.offset = partition, end-1
	}
	return nil
}

// remember writes receipts for what was stored. When it fails, the batches are in Kafka all the same: then they are only
// not known again.
func (g *Gateway) remember(ctx context.Context, items []*item, now time.Time) {
	var keys []digest
	var kept []receipt
	for _, it := range items {
		if it.result.Outcome == outcomeAccepted {
			keys = append(keys, it.key)
			kept = append(kept, receipt{content: it.content, source: g.cfg.Source.String(),
				partition: it.partition, offset: it.offset, receivedMS: now.UnixMilli()})
		}
	}
	if len(kept) == 0 {
		return
	}
	if err := g.receipts.keep(ctx, keys, kept); err != nil {
		g.cfg.Logger.WarnContext(ctx, "receipts were not kept", schemas.LogKeyBatches, len(kept), schemas.LogKeyError, err)
	}
}

// answer writes the results and returns the status: that of the batches when they fared alike, else 207.
func answer(w http.ResponseWriter, results []result) int {
	status, retryAfterS := results[0].Status, 0
	detail := results[0].Detail
	for _, r := range results {
		if r.Status != status {
			status = http.StatusMultiStatus
		}
		if r.RetryAfterS != nil {
			retryAfterS = max(retryAfterS, *r.RetryAfterS)
		}
	}
	if status < http.StatusBadRequest {
		if retryAfterS > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(retryAfterS))
		}
		writeJSON(w, "application/json", status, received{results})
		return status
	}
	p := newProblem(refuse(status, code(*results[0].Reason), *detail))
	if len(results) > 1 {
		p.Detail = "none of the batches was accepted: see results"
	}
	p.RetryAfterS, p.Results = retryAfterS, results
	writeProblem(w, p)
	return status
}
