package gateway

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// A code says what kind of problem it is, for programs. The list is closed.
type code string

const (
	codeInvalid      code = "invalid"      // a parameter or a batch is wrong
	codeBody         code = "bad_body"     // the body cannot be taken apart
	codeMediaType    code = "media_type"   // of a kind that is not taken
	codeTooLarge     code = "too_large"    // of the body, or of a batch
	codeUnauthorized code = "unauthorized" // no token
	codeForbidden    code = "forbidden"    // a token for something or somebody else
	codeNotFound     code = "not_found"
	codeMethod       code = "method"
	codeConflict     code = "batch_conflict" // other content under the same batch_id
	codeRate         code = "rate_limited"   // more than this token or device may send
	codeBusy         code = "busy"           // more than this service can take right now
	codeUnavailable  code = "unavailable"    // Kafka did not answer
	codeInternal     code = "internal"
)

// A refusal is a problem with a whole request or with one batch.
type refusal struct {
	status int
	code   code
	detail string
	after  time.Duration // 0 = trying again will not help
}

// Error returns the sentence.
func (r *refusal) Error() string { return r.detail }

func refuse(status int, c code, detail string) *refusal {
	return &refusal{status: status, code: c, detail: detail}
}

// later is refuse for what may well succeed when it is tried again.
func later(status int, c code, after time.Duration, detail string) *refusal {
	return &refusal{status: status, code: c, detail: detail, after: max(after, time.Second)}
}

// busyPause is when somebody who came while there was no room may come again.
const busyPause = 5 * time.Second

func errBusy() error {
	return later(http.StatusTooManyRequests, codeBusy, busyPause, "too much is being received right now: send the same again a little later")
}

// A problem is the body of an answer that is not a success, by RFC 9457.
type problem struct {
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Status      int      `json:"status"`
	Detail      string   `json:"detail"`
	Code        code     `json:"code"`
	RetryAfterS int      `json:"retry_after_s,omitempty"`
	Results     []result `json:"results,omitempty"`
}

func newProblem(r *refusal) problem {
	return problem{
		Type: "urn:diurna:problem:" + string(r.code), Title: http.StatusText(r.status), Status: r.status,
		Detail: r.detail, Code: r.code, RetryAfterS: seconds(r.after),
	}
}

// seconds rounds up: who comes back early is refused again.
func seconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

// refusalOf brings any error into the form in which it is told.
func refusalOf(err error) (r *refusal, known bool) {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r, true
	}
	if e, ok := errors.AsType[*schemas.Error](err); ok {
		switch e.Code { //nolint:exhaustive // every other code is ours to mend
		case schemas.CodeInvalid:
			return refuse(http.StatusBadRequest, codeInvalid, e.Message), true
		case schemas.CodeUnauthorized:
			return refuse(http.StatusUnauthorized, codeUnauthorized, e.Message), true
		case schemas.CodeForbidden:
			return refuse(http.StatusForbidden, codeForbidden, e.Message), true
		case schemas.CodeNotFound:
			return refuse(http.StatusNotFound, codeNotFound, e.Message), true
		}
	}
	return refuse(http.StatusInternalServerError, codeInternal, "something went wrong here; it was noted, please send the same again later"), false
}

func (g *Gateway) writeError(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil {
		return // nobody waits for the answer
	}
	refused, known := refusalOf(err)
	if !known {
		g.cfg.Logger.ErrorContext(r.Context(), "sync request failed", schemas.LogKeyError, err)
	}
	if refused.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	if refused.status == http.StatusUnsupportedMediaType {
		w.Header().Set("Accept", "application/json, application/x-ndjson, application/x-protobuf")
		w.Header().Set("Accept-Encoding", "gzip, zstd")
	}
	writeProblem(w, newProblem(refused))
}

func writeProblem(w http.ResponseWriter, p problem) {
	if p.RetryAfterS > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(p.RetryAfterS))
	}
	writeJSON(w, "application/problem+json", p.Status, p)
}

func writeJSON(w http.ResponseWriter, contentType string, status int, body any) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who asked has gone: nobody is left to be told
}
