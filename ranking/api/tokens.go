package api

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// tokenPrefix tells people and scanners of leaked secrets what it is.
const tokenPrefix = "diurna_"

var tokenName = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`)

// AddToken makes a token for a back end of that name and returns it: only its hash is kept, so it cannot be shown again.
// A name that is taken is a *schemas.Error with CodeConflict.
func AddToken(ctx context.Context, ledgerDB *sql.DB, name string, now time.Time) (string, error) {
	if !tokenName.MatchString(name) {
		return "", &schemas.Error{Code: schemas.CodeInvalid,
			Message: "a token's name has 1 to 64 letters, digits, dots, dashes or underscores"}
	}
	token := tokenPrefix + strings.ToLower(rand.Text())
	hash := sha256.Sum256([]byte(token))
	result, err := ledgerDB.ExecContext(ctx, "insert into ranking_tokens (name, sha256, created_at_ms) values (?, ?, ?) on conflict do nothing",
		name, hash[:], now.UnixMilli())
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
	return token, nil
}

// RemoveToken takes the right of the back end of that name away. A name that has no token is a *schemas.Error with
// CodeNotFound.
func RemoveToken(ctx context.Context, ledgerDB *sql.DB, name string) error {
	result, err := ledgerDB.ExecContext(ctx, "delete from ranking_tokens where name = ?", name)
	if err != nil {
		return fmt.Errorf("remove token: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, &schemas.Error{Code: schemas.CodeNotFound, Message: "there is no token of that name"})
	}
	return nil
}

// authorize returns a *schemas.Error with CodeUnauthorized unless the request carries a token that is kept.
func (h *handler) authorize(r *http.Request) (err error) {
	refused := &schemas.Error{Code: schemas.CodeUnauthorized, Message: "a bearer token is needed, one that is still valid"}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return refused
	}
	shown := sha256.Sum256([]byte(token))
	rows, err := h.cfg.Ledger.QueryContext(r.Context(), "select sha256 from ranking_tokens")
	if err != nil {
		return fmt.Errorf("read tokens: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	// All are compared, whichever fits: how long it takes says nothing about any of them.
	known := 0
	for rows.Next() {
		var hash []byte
		if err := rows.Scan(&hash); err != nil {
			return fmt.Errorf("read tokens: %w", err)
		}
		known |= subtle.ConstantTimeCompare(hash, shown[:])
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read tokens: %w", err)
	}
	if known == 0 {
		return refused
	}
	return nil
}
