package token

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// A Scope is something that a token allows.
type Scope string

// The scopes.
const (
	ScopeSyncWrite    Scope = "sync:write"    // send sync batches and ask what became of them
	ScopeRankingsRead Scope = "rankings:read" // read boards and where a person stands on them
)

// Scopes lists every scope.
func Scopes() []Scope { return []Scope{ScopeSyncWrite, ScopeRankingsRead} }

// A Token is what is known of a token besides its secret.
type Token struct {
	Name      string
	Scopes    []Scope
	UserID    string // the one person it is bound to; "" = a back end that speaks for all of its people
	CreatedAt time.Time
}

// Allows reports whether the token may act for the person.
func (t *Token) Allows(userID string) bool { return t.UserID == "" || t.UserID == userID }

// prefix tells people and scanners of leaked secrets what it is.
const prefix = "diurna_"

var nameSyntax = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// Add makes a token and returns its secret: only its hash is kept, so it cannot be shown again. The error is a
// *schemas.Error: CodeConflict for a name that is taken, CodeInvalid for a name, scope or user id that is none.
func Add(ctx context.Context, ledger *sql.DB, t Token) (secret string, err error) {
	if err := t.check(); err != nil {
		return "", err
	}
	secret = prefix + strings.ToLower(rand.Text())
	hash := sha256.Sum256([]byte(secret))
	result, err := ledger.ExecContext(ctx,
		"insert into tokens (name, sha256, scopes, user_id, created_at_ms) values (?, ?, ?, ?, ?) on conflict do nothing",
		t.Name, hash[:], joinScopes(t.Scopes), t.UserID, t.CreatedAt.UnixMilli())
	if err != nil {
		return "", fmt.Errorf("add token: %w", err)
	}
	n, err := result.RowsAffected()
	if err != nil {
		return "", fmt.Errorf("add token: %w", err)
	}
	if n == 0 {
		return "", &schemas.Error{Code: schemas.CodeConflict,
			Message: "there is a token of that name: remove it first, or choose another name"}
	}
	return secret, nil
}

func (t *Token) check() error {
	if !nameSyntax.MatchString(t.Name) {
		return &schemas.Error{Code: schemas.CodeInvalid,
			Message: "a token's name has 1 to 64 letters, digits, dots, dashes or underscores"}
	}
	if len(t.Scopes) == 0 {
		return &schemas.Error{Code: schemas.CodeInvalid,
			Message: "a token without a scope opens nothing: give it at least one of " + listScopes()}
	}
	for _, s := range t.Scopes {
		if !slices.Contains(Scopes(), s) {
			return &schemas.Error{Code: schemas.CodeInvalid, Message: fmt.Sprintf("there is no scope %q: there are %s", s, listScopes())}
		}
	}
	if t.UserID != "" && !schemas.ValidUserID(t.UserID) {
		return &schemas.Error{Code: schemas.CodeInvalid, Message: "a user id has 1 to 64 of letters, digits, _ . and -"}
	}
	return nil
}

// Remove takes the right of the token of that name away. A name that has no token is a *schemas.Error with CodeNotFound.
func Remove(ctx context.Context, ledger *sql.DB, name string) error {
	result, err := ledger.ExecContext(ctx, "delete from tokens where name = ?", name)
	if err != nil {
		return fmt.Errorf("remove token: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, &schemas.Error{Code: schemas.CodeNotFound, Message: "there is no token of that name"})
	}
	return nil
}

// List returns all tokens by name.
func List(ctx context.Context, ledger *sql.DB) (tokens []Token, err error) {
	rows, err := ledger.QueryContext(ctx, "select name, scopes, user_id, created_at_ms from tokens order by name")
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		t, err := scan(rows)
		if err != nil {
			return nil, fmt.Errorf("list tokens: %w", err)
		}
		tokens = append(tokens, *t)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

// Authorize returns the token that a request carries. The error is a *schemas.Error: CodeUnauthorized when there is none
// that is kept, CodeForbidden when it has not the scope.
func Authorize(r *http.Request, ledger *sql.DB, scope Scope) (*Token, error) {
	refused := &schemas.Error{Code: schemas.CodeUnauthorized, Message: "a bearer token is needed, one that is still valid"}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return nil, refused
	}
	hash := sha256.Sum256([]byte(secret))
	t, err := scan(ledger.QueryRowContext(r.Context(),
		"select name, scopes, user_id, created_at_ms from tokens where sha256 = ?", hash[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, refused
	}
	if err != nil {
		return nil, fmt.Errorf("look up token: %w", err)
	}
	if !slices.Contains(t.Scopes, scope) {
		return nil, &schemas.Error{Code: schemas.CodeForbidden, Message: fmt.Sprintf(
			"this token has not the scope %s: use one that has, made by `diurna token add --scope %[1]s`", scope)}
	}
	return t, nil
}

func scan(row interface{ Scan(dest ...any) error }) (*Token, error) {
	var t Token
	var scopes string
	var createdMS int64
	if err := row.Scan(&t.Name, &scopes, &t.UserID, &createdMS); err != nil {
		return nil, err
	}
	for s := range strings.FieldsSeq(scopes) {
		t.Scopes = append(t.Scopes, Scope(s))
	}
	t.CreatedAt = time.UnixMilli(createdMS).UTC()
	return &t, nil
}

func joinScopes(scopes []Scope) string {
	words := make([]string, len(scopes))
	for i, s := range scopes {
		words[i] = string(s)
	}
	slices.Sort(words)
	return strings.Join(slices.Compact(words), " ")
}

func listScopes() string { return strings.ReplaceAll(joinScopes(Scopes()), " ", ", ") }
