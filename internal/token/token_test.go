package token_test

import (
	"bytes"
	"database/sql"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/internal/token"
	"github.com/diurna-health/diurna/schemas"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func openLedger(t *testing.T) *sql.DB {
	t.Helper()
	db, err := ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := ledger.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	return db
}

func add(t *testing.T, db *sql.DB, tok token.Token) string {
	t.Helper()
	secret, err := token.Add(t.Context(), db, tok)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func request(t *testing.T, authorization string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	r.Header.Set("Authorization", authorization)
	return r
}

func TestATokenOpensWhatItsScopesNameUntilItIsRemoved(t *testing.T) {
	t.Parallel()
	db := openLedger(t)
	app := token.Token{Name: "app", Scopes: []token.Scope{token.ScopeSyncWrite}, UserID: "ann", CreatedAt: noon}
	secret := add(t, db, app)
	other := add(t, db, token.Token{Name: "board", Scopes: token.Scopes(), CreatedAt: noon})

	got, err := token.Authorize(request(t, "Bearer "+secret), db, token.ScopeSyncWrite)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(&app, got); diff != "" {
		t.Errorf("token (-made +shown):\n%s", diff)
	}
	if !got.Allows("ann") || got.Allows("bob") {
		t.Error("a token of one person does not stand for that person alone")
	}
	for authorization, want := range map[string]schemas.Code{
		"Bearer " + other: "", "bearer " + other: "",
		"Bearer " + secret: schemas.CodeForbidden,
		"Basic " + other:   schemas.CodeUnauthorized, other: schemas.CodeUnauthorized, "Bearer": schemas.CodeUnauthorized,
		"": schemas.CodeUnauthorized, "Bearer " + other[:len(other)-1]: schemas.CodeUnauthorized,
		"Bearer " + strings.ToUpper(other): schemas.CodeUnauthorized,
	} {
		if _, err := token.Authorize(request(t, authorization), db, token.ScopeRankingsRead); schemas.ErrorCode(err) != want {
			t.Errorf("with %d letters of authorization: %v, want %q", len(authorization), err, want)
		}
	}
	if err := token.Remove(t.Context(), db, "board"); err != nil {
		t.Fatal(err)
	}
	if _, err := token.Authorize(request(t, "Bearer "+other), db, token.ScopeRankingsRead); schemas.ErrorCode(err) != schemas.CodeUnauthorized {
		t.Errorf("after it was removed: %v", err)
	}
	if err := token.Remove(t.Context(), db, "board"); schemas.ErrorCode(err) != schemas.CodeNotFound {
		t.Errorf("removing it again: %v", err)
	}
	left, err := token.List(t.Context(), db)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]token.Token{app}, left); diff != "" {
		t.Errorf("tokens left (-want +got):\n%s", diff)
	}
}

func TestATokenThatOpensNothingIsNotMade(t *testing.T) {
	t.Parallel()
	db := openLedger(t)
	add(t, db, token.Token{Name: "taken", Scopes: token.Scopes(), CreatedAt: noon})
	for name, c := range map[string]struct {
		token token.Token
		want  schemas.Code
	}{
		"a name that is taken": {token.Token{Name: "taken", Scopes: token.Scopes()}, schemas.CodeConflict},
		"a name with a space":  {token.Token{Name: "a b", Scopes: token.Scopes()}, schemas.CodeInvalid},
		"no scope":             {token.Token{Name: "b"}, schemas.CodeInvalid},
		"a scope there is not": {token.Token{Name: "b", Scopes: []token.Scope{"all"}}, schemas.CodeInvalid},
		"a user id that is no": {token.Token{Name: "b", Scopes: token.Scopes(), UserID: "a b"}, schemas.CodeInvalid},
	} {
		if _, err := token.Add(t.Context(), db, c.token); schemas.ErrorCode(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestTheLedgerHasNoTokenOnlyHashes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := ledger.Open(t.Context(), filepath.Join(dir, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := ledger.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	secret := add(t, db, token.Token{Name: "app", Scopes: token.Scopes(), CreatedAt: noon})
	var kept []byte
	if err := db.QueryRowContext(t.Context(),
		"select cast(group_concat(name || hex(sha256) || scopes || user_id) as blob) from tokens").Scan(&kept); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(kept, []byte(secret)) || bytes.Contains(bytes.ToLower(kept), []byte(hex.EncodeToString([]byte(secret)))) {
		t.Error("the token itself is kept")
	}
}

func TestTokensOfAnOlderLedgerStillOpenRankings(t *testing.T) {
	t.Parallel()
	db := openLedger(t)
	// What an older version left: undo the step that made the table of all tokens, add one, and migrate again.
	for _, statement := range []string{
		"drop table tokens",
		"create table ranking_tokens (name text primary key, sha256 blob not null unique, created_at_ms integer not null)",
		"insert into ranking_tokens values ('old', x'" + oldHash + "', 1)",
		"delete from goose_db_version where version_id = 2002",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	if err := ledger.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	if _, err := token.Authorize(request(t, "Bearer old-secret"), db, token.ScopeRankingsRead); err != nil {
		t.Errorf("a token of before: %v", err)
	}
	if _, err := token.Authorize(request(t, "Bearer old-secret"), db, token.ScopeSyncWrite); schemas.ErrorCode(err) != schemas.CodeForbidden {
		t.Errorf("a token of before opens more than it did: %v", err)
	}
}

// oldHash is the SHA-256 of "old-secret".
const oldHash = "5d865deae06fbd34fe9ce848f3e5fc4368f2f612b18aef47f29f2164563a0140"
