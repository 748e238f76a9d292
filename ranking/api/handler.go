package api

import (
	"context"
	"crypto/sha256"
	"database/sql"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/diurna-health/diurna/internal/token"
	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/schemas"
)

//go:embed openapi.yaml
var document []byte

// Tables are where rankings are read from.
type Tables interface {
	// Snapshot names the state the tables are in: another name whenever a row differs. It is asked at every request.
	Snapshot(ctx context.Context) (string, error)
	// Open returns a database with the gold tables, views and definitions under plain names, in the newest state. release
	// is called when it is no longer needed.
	Open(ctx context.Context) (db *sql.DB, release func() error, err error)
}

// Config is what a handler works with. Every field is needed.
type Config struct {
	Tables Tables
	Ledger *sql.DB // migrated
	Now    func() time.Time
	Logger *slog.Logger
}

type handler struct {
	cfg       Config
	standings standingsCache
}

// NewHandler returns the handler of everything below /v1/rankings.
func NewHandler(cfg Config) http.Handler {
	h := &handler{cfg: cfg, standings: standingsCache{cfg: cfg}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/rankings", h.authorized(h.boards))
	mux.HandleFunc("GET /v1/rankings/{board}", h.authorized(h.board))
	mux.HandleFunc("GET /v1/rankings/openapi.yaml", serveDocument)
	mux.HandleFunc("/v1/rankings", refuseMethod)
	mux.HandleFunc("/v1/rankings/{board}", refuseMethod)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		h.writeError(w, r, &schemas.Error{Code: schemas.CodeNotFound, Message: "there is nothing at this address"})
	})
	return mux
}

func (h *handler) authorized(serve func(http.ResponseWriter, *http.Request, *token.Token) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := token.Authorize(r, h.cfg.Ledger, token.ScopeRankingsRead)
		if err == nil {
			err = serve(w, r, who)
		}
		if err != nil {
			h.writeError(w, r, err)
		}
	}
}

// boardsBody lists the boards.
type boardsBody struct {
	Boards []boardBody `json:"boards"`
}

type boardBody struct {
	ranking.Board
	RunningPeriod string `json:"running_period"`
}

func (h *handler) boards(w http.ResponseWriter, r *http.Request, _ *token.Token) error {
	if _, err := parameters(r, nil); err != nil {
		return err
	}
	boards, err := ranking.Boards()
	if err != nil {
		return err
	}
	body := boardsBody{Boards: []boardBody{}}
	for _, b := range boards {
		body.Boards = append(body.Boards, boardBody{b, b.PeriodAt(h.cfg.Now()).String()})
	}
	return answer(w, r, body, body)
}

func (h *handler) board(w http.ResponseWriter, r *http.Request, who *token.Token) error {
	id := r.PathValue("board")
	values, err := parameters(r, []string{"period", "cohort", "user", "top"})
	if err != nil {
		return err
	}
	q, err := question(values)
	if err != nil {
		return err
	}
	if q.User != "" && !who.Allows(q.User) {
		return &schemas.Error{Code: schemas.CodeForbidden, Message: "this token is bound to another person: ask for that one, or for nobody"}
	}
	p, err := h.period(id, values.Get("period"))
	if err != nil {
		return err
	}
	s, err := h.standings.load(r.Context(), id, p)
	if err != nil {
		return err
	}
	v, err := s.View(q)
	if err != nil {
		return err
	}
	// The time of asking alone does not make it another answer.
	timeless := *v
	timeless.Freshness.AsOf = time.Time{}
	return answer(w, r, v, timeless)
}

// parameters returns the query of a request, which may hold each of the known parameters once and no other.
func parameters(r *http.Request, known []string) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("the parameters cannot be read: write them as name=value, joined by &")
	}
	for name, all := range values {
		if !slices.Contains(known, name) {
			if len(known) == 0 {
				return nil, invalid("there is no parameter %q: this address takes none", name)
			}
			return nil, invalid("there is no parameter %q: there are %s", name, strings.Join(known, ", "))
		}
		if len(all) > 1 {
			return nil, invalid("the parameter %s stands twice", name)
		}
	}
	return values, nil
}

var userSyntax = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

func question(values url.Values) (ranking.Question, error) {
	q := ranking.Question{User: values.Get("user"), Cohort: values.Get("cohort")}
	if values.Has("user") && !userSyntax.MatchString(q.User) {
		return q, invalid("user is no user id: those have 1 to 64 letters, digits, dots, dashes or underscores")
	}
	if values.Has("top") {
		n, err := strconv.Atoi(values.Get("top"))
		if err != nil || n < 1 || n > ranking.MaxTop {
			return q, invalid("top is a whole number from 1 to %d", ranking.MaxTop)
		}
		q.Top = n
	}
	return q, nil
}

// period reads the period asked for; without one it is the board's running one.
func (h *handler) period(board, text string) (schemas.Period, error) {
	if text != "" {
		return schemas.ParsePeriod(text)
	}
	boards, err := ranking.Boards()
	if err != nil {
		return schemas.Period{}, err
	}
	for _, b := range boards {
		if b.ID == board {
			return b.PeriodAt(h.cfg.Now()), nil
		}
	}
	return schemas.Period{}, nil // there is no such board: loading it says so
}

func invalid(format string, args ...any) error {
	return &schemas.Error{Code: schemas.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// answer writes a body, or that it has not changed: identity is what the ETag is made from.
func answer(w http.ResponseWriter, r *http.Request, body, identity any) error {
	text, err := json.Marshal(identity)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	hash := sha256.Sum256(text)
	etag := `W/"` + hex.EncodeToString(hash[:16]) + `"`
	header := w.Header()
	header.Set("ETag", etag)
	header.Set("Cache-Control", "private, no-cache")
	header.Set("Vary", "Authorization")
	if matches(r.Header.Get("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	writeJSON(w, http.StatusOK, body)
	return nil
}

// matches compares weakly, as If-None-Match is to be compared.
func matches(header, etag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(etag, "W/") {
			return true
		}
	}
	return false
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who asked has gone: nobody is left to be told
}

func serveDocument(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(document) // as above
}

func refuseMethod(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", "GET, HEAD")
	writeJSON(w, http.StatusMethodNotAllowed, errorBody{errorDetail{schemas.CodeInvalid, "rankings are only read: use GET"}})
}
