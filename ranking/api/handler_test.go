package api_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/internal/openapitest"
	"github.com/diurna-health/diurna/internal/token"
	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/ranking/api"
	"github.com/diurna-health/diurna/ranking/rankingtest"
	"github.com/diurna-health/diurna/schemas"
)

var (
	monday = schemas.NewDate(2026, time.March, 2) // of 2026-W10
	long   = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	during = time.Date(2026, 3, 4, 18, 0, 0, 0, time.UTC)
)

// tables is a lake whose state has a number.
type tables struct {
	gold   *rankingtest.Gold
	state  int
	opened atomic.Int32
	broken bool
}

func (l *tables) Snapshot(context.Context) (string, error) { return fmt.Sprint(l.state), nil }

func (l *tables) Open(context.Context) (*sql.DB, func() error, error) {
	l.opened.Add(1)
	if l.broken {
		return nil, nil, errors.New("the disk of canary-user is gone")
	}
	return l.gold.DB, func() error { return nil }, nil
}

// A service is the handler over made-up people, and the contract its answers are held to.
type service struct {
	t        *testing.T
	lake     *tables
	now      time.Time
	log      bytes.Buffer
	handler  http.Handler
	token    string
	contract *openapitest.Contract
}

func serve(t *testing.T, people int) *service {
	t.Helper()
	s := &service{t: t, lake: &tables{gold: rankingtest.Open(t)}, now: during, contract: openapitest.Read(t, "openapi.yaml")}
	s.lake.gold.Crowd("canary-user", people, monday, map[string]string{"country": "GR", "sex": "female"})
	var err error
	if s.token, err = token.Add(t.Context(), s.lake.gold.Ledger, token.Token{
		Name: "app", Scopes: []token.Scope{token.ScopeRankingsRead}, CreatedAt: long,
	}); err != nil {
		t.Fatal(err)
	}
	s.handler = api.NewHandler(api.Config{
		Tables: s.lake, Ledger: s.lake.gold.Ledger, Now: func() time.Time { return s.now }, Logger: slog.New(slog.NewTextHandler(&s.log, nil)),
	})
	return s
}

// ask sends a request and holds the answer to the contract.
func (s *service) ask(method, target string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, target, nil)
	r.Header.Set("Authorization", "Bearer "+s.token)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	path := r.URL.Path
	if strings.HasPrefix(path, "/v1/rankings/") && !strings.HasSuffix(path, ".yaml") {
		path = "/v1/rankings/{board}"
	}
	if strings.HasPrefix(path, "/v1/rankings") {
		s.contract.Check(s.t, method, path, w.Code, w.Header().Get("Content-Type"), w.Body.Bytes())
	}
	return w
}

func (s *service) get(target string, headers ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.ask(http.MethodGet, target, headers...)
}

func (s *service) view(target string) *ranking.View {
	s.t.Helper()
	w := s.get(target)
	if w.Code != http.StatusOK {
		s.t.Fatalf("%s: status %d: %s", target, w.Code, w.Body)
	}
	var v ranking.View
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		s.t.Fatal(err)
	}
	return &v
}

func TestEveryPromiseOfTheDocumentIsKeptAndNothingElseIsServed(t *testing.T) {
	t.Parallel()
	s := serve(t, 60)
	s.lake.gold.AddDay(rankingtest.Day{User: "canary-user007", Date: monday + 1, Counted: 40000, Over: 3, FastMin: 2})
	s.lake.gold.AddDay(rankingtest.Day{User: "canary-user007", Date: monday + 2, Counted: 10})
	s.lake.gold.OptIn("shaker", long)
	s.lake.gold.AddDay(rankingtest.Day{User: "shaker", Date: monday, Over: 120000, Reason: "day_steps"})
	const board = "/v1/rankings/steps-week"
	for target, want := range map[string]int{
		"/v1/rankings":     http.StatusOK,
		"/v1/rankings?a=b": http.StatusBadRequest,
		board:              http.StatusOK,
		board + "?period=2026-W10&cohort=country:GR,sex:female&user=canary-user007&top=3": http.StatusOK,
		board + "?period=2026-W10&user=shaker":                                            http.StatusOK,
		board + "?period=2026-W10&user=stranger&cohort=age:65-plus":                       http.StatusOK,
		board + "?period=2016-W01":                                                        http.StatusOK,
		"/v1/rankings/steps-month":                                                        http.StatusOK,
		"/v1/rankings/steps-day":                                                          http.StatusNotFound,
		"/v1/rankings/steps-day?period=2026":                                              http.StatusNotFound,
		board + "?period=2026-03":                                                         http.StatusBadRequest,
		board + "?period=soon":                                                            http.StatusBadRequest,
		board + "?cohort=friends":                                                         http.StatusBadRequest,
		board + "?cohort=country":                                                         http.StatusBadRequest,
		board + "?user=a%20b":                                                             http.StatusBadRequest,
		board + "?user=":                                                                  http.StatusBadRequest,
		board + "?top=0":                                                                  http.StatusBadRequest,
		board + "?top=101":                                                                http.StatusBadRequest,
		board + "?top=ten":                                                                http.StatusBadRequest,
		board + "?top=1&top=2":                                                            http.StatusBadRequest,
		board + "?kohort=all":                                                             http.StatusBadRequest,
		board + "?%zz":                                                                    http.StatusBadRequest,
		"/v1/rankings/openapi.yaml":                                                       http.StatusOK,
		"/v1/medals":                                                                      http.StatusNotFound,
	} {
		if w := s.get(target); w.Code != want {
			t.Errorf("%s: status %d, want %d: %s", target, w.Code, want, w.Body)
		}
	}
	for _, path := range []string{"/v1/rankings", board, "/v1/rankings/openapi.yaml"} {
		if w := s.ask(http.MethodPost, path); w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: status %d, allowed %q", path, w.Code, w.Header().Get("Allow"))
		}
	}
	secret, err := token.Add(t.Context(), s.lake.gold.Ledger, token.Token{
		Name: "sync", Scopes: []token.Scope{token.ScopeSyncWrite}, CreatedAt: long,
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/v1/rankings", board} {
		if w := s.get(path, "Authorization", "Bearer "+secret); w.Code != http.StatusForbidden {
			t.Errorf("%s with a token for something else: status %d", path, w.Code)
		}
		if w := s.get(path, "Authorization", "Bearer no"); w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") != "Bearer" {
			t.Errorf("%s with a wrong token: status %d", path, w.Code)
		}
		if w := s.get(path, "If-None-Match", s.get(path).Header().Get("ETag")); w.Code != http.StatusNotModified {
			t.Errorf("%s with its ETag: status %d", path, w.Code)
		}
	}
	s.lake.broken = true
	s.lake.state++
	if w := s.get(board); w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "disk") {
		t.Errorf("with a broken lake: status %d: %s", w.Code, w.Body)
	}
	if !strings.Contains(s.log.String(), "ranking request failed") {
		t.Error("what is ours to mend was not logged")
	}
	if _, err := s.lake.gold.Ledger.ExecContext(t.Context(), "drop table tokens"); err != nil {
		t.Fatal(err)
	}
	if w := s.get("/v1/rankings"); w.Code != http.StatusInternalServerError {
		t.Errorf("without tokens to compare with: status %d", w.Code)
	}
	if missing := s.contract.Unseen(); len(missing) > 0 {
		t.Errorf("the document promises what was not seen: %s", strings.Join(missing, "; "))
	}
	if diff := cmp.Diff([]string{"cohort", "period", "top", "user"}, s.contract.QueryParameters("/v1/rankings/{board}")); diff != "" {
		t.Errorf("the parameters differ (-taken +documented):\n%s", diff)
	}
}

func TestTheDocumentHasEveryFieldOfAViewAndNoOther(t *testing.T) {
	t.Parallel()
	c := openapitest.Read(t, "openapi.yaml")
	documented := c.Fields("Ranking", "Row", "Me", "Exclusion", "Minimum")
	have := map[string]bool{}
	jsonFields(reflect.TypeFor[ranking.View](), have)
	if diff := cmp.Diff(have, documented); diff != "" {
		t.Errorf("fields differ (-have +documented):\n%s", diff)
	}
}

func jsonFields(t reflect.Type, into map[string]bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		into[name] = true
		jsonFields(f.Type, into)
	}
}

func TestNoAnswerAndNoLogLineHoldsAUserID(t *testing.T) {
	t.Parallel()
	s := serve(t, 60)
	for _, target := range []string{
		"/v1/rankings/steps-week?user=canary-user003&cohort=country", "/v1/rankings/steps-week?user=canary-user&cohort=country",
		"/v1/rankings/steps-week?user=canary-user%0a", "/v1/rankings/steps-week?user=canary-user003&period=x",
	} {
		w := s.get(target)
		if strings.Contains(w.Body.String(), "canary") {
			t.Errorf("status %d: the user id is in the answer", w.Code)
		}
	}
	if strings.Contains(s.log.String(), "canary") {
		t.Error("a user id is in the log")
	}
}

func TestATokenOpensRankingsOnlyWithTheirScopeAndForItsPerson(t *testing.T) {
	t.Parallel()
	s := serve(t, 6)
	add := func(name string, scope token.Scope, user string) string {
		t.Helper()
		secret, err := token.Add(t.Context(), s.lake.gold.Ledger, token.Token{
			Name: name, Scopes: []token.Scope{scope}, UserID: user, CreatedAt: long,
		})
		if err != nil {
			t.Fatal(err)
		}
		return secret
	}
	bound := add("bound", token.ScopeRankingsRead, "canary-user003")
	const board = "/v1/rankings/steps-week"
	for _, c := range []struct {
		token, target string
		want          int
	}{
		{add("sync", token.ScopeSyncWrite, ""), "/v1/rankings", http.StatusForbidden},
		{bound, "/v1/rankings", http.StatusOK},
		{bound, board, http.StatusOK},
		{bound, board + "?user=canary-user003", http.StatusOK},
		{bound, board + "?user=canary-user004", http.StatusForbidden},
		{"diurna_none", board, http.StatusUnauthorized},
		{"", board, http.StatusUnauthorized},
	} {
		if w := s.get(c.target, "Authorization", "Bearer "+c.token); w.Code != c.want {
			t.Errorf("%s: status %d, want %d", c.target, w.Code, c.want)
		}
	}
}

func TestAnAnswerIsOfTheTablesAsTheyAre(t *testing.T) {
	t.Parallel()
	s := serve(t, 8)
	const mine = "/v1/rankings/steps-week?period=2026-W10&user=canary-user003"
	first := s.get(mine).Header().Get("ETag")
	for range 3 {
		s.view(mine)
	}
	if n := s.lake.opened.Load(); n != 1 {
		t.Errorf("the tables were opened %d times for one state", n)
	}
	s.now = during.Add(15 * time.Minute) // a day may have ended somewhere: it is looked at again, and has not
	if got := s.get(mine).Header().Get("ETag"); got != first || s.lake.opened.Load() != 2 {
		t.Errorf("the ETag changed although nothing did, or the tables were opened %d times", s.lake.opened.Load())
	}
	s.lake.gold.OptOut("canary-user003", s.now)
	s.lake.state++
	w := s.get(mine, "If-None-Match", first)
	if w.Code != http.StatusOK || w.Header().Get("ETag") == first {
		t.Error("who opted out is still on the board, by its ETag")
	}
	if v := s.view(mine); v.Me.Value != nil || *v.Cohort.PeopleCount != 7 {
		t.Error("who opted out is still on the board")
	}
}

func TestAFrozenBoardIsServedAsItIsWhateverTheTablesSay(t *testing.T) {
	t.Parallel()
	s := serve(t, 8)
	gold := s.lake.gold
	const mine = "/v1/rankings/steps-week?period=2026-W10&user=canary-user003"
	publish := func() {
		t.Helper()
		if _, err := ranking.Publish(t.Context(), gold.DB, gold.Ledger, s.now); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	s.view(mine)
	s.now = during.Add(14 * 24 * time.Hour)
	publish()
	if v := s.view(mine); v.Status != ranking.StatusFinal || *v.Revision != 1 {
		t.Fatalf("the board is %s", v.Status)
	}
	opened := s.lake.opened.Load()
	s.lake.state++
	s.view(mine)
	if s.lake.opened.Load() != opened {
		t.Error("the tables were opened for a board that is frozen")
	}
	gold.OptOut("canary-user003", s.now)
	publish()
	if v := s.view(mine); *v.Revision != 2 || v.Me.Value != nil {
		t.Error("who left is on the frozen board after it was published again")
	}
}

func TestManyBoardsAreServedWithoutKeepingThemAll(t *testing.T) {
	t.Parallel()
	s := serve(t, 6)
	var periods []string
	for p := schemas.ISOWeekOf(monday); len(periods) < 20; p = p.Previous() {
		periods = append(periods, p.String())
	}
	slices.Reverse(periods)
	for _, p := range periods {
		s.view("/v1/rankings/steps-week?period=" + p)
	}
	opened := s.lake.opened.Load()
	s.view("/v1/rankings/steps-week?period=" + periods[19])
	if s.lake.opened.Load() != opened {
		t.Error("the board asked for last was not kept")
	}
	s.view("/v1/rankings/steps-week?period=" + periods[0])
	if s.lake.opened.Load() != opened+1 {
		t.Error("the board asked for first was still kept")
	}
}
