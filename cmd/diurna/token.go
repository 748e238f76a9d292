package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/internal/home"
	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/internal/token"
)

func newTokenCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Look after who may call the HTTP API",
	}
	cmd.AddCommand(newTokenAddCommand(a), newTokenListCommand(a), newTokenRemoveCommand(a))
	return cmd
}

func newTokenAddCommand(a *app) *cobra.Command {
	var scopes []string
	var user string
	cmd := &cobra.Command{
		Use:   "add NAME --scope SCOPE",
		Short: "Make a bearer token and print it, this once",
		Long: `Add makes a token and prints it. Only its hash is kept: it cannot be shown again, and who loses it needs a new one.

A token without --user is for the back end of an app, which speaks for all of its people; it must never be on a phone.
With --user it sends and asks for that person alone.`,
		Example: `  diurna token add app-backend --scope sync:write,rankings:read
  diurna token add ann-phone --scope sync:write --user ann`,
		Args: oneArgument("give the token one name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg, _, err := a.setUp(cmd)
			if err != nil {
				return err
			}
			h, err := home.Init(cfg.Home, cfg.Lake.UserBuckets)
			if err != nil {
				return err
			}
			t := token.Token{Name: args[0], UserID: user, CreatedAt: a.now()}
			for _, s := range scopes {
				t.Scopes = append(t.Scopes, token.Scope(s))
			}
			return withLedger(cmd.Context(), h, func(db *sql.DB) error {
				secret, err := token.Add(cmd.Context(), db, t)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(a.stdout, secret)
				return err
			})
		},
	}
	cmd.Flags().StringSliceVar(&scopes, "scope", nil, "`SCOPE` it opens: sync:write, rankings:read")
	cmd.Flags().StringVar(&user, "user", "", "`USER` it is bound to; none = it speaks for everybody")
	if err := cmd.MarkFlagRequired("scope"); err != nil {
		panic(err) // a slip in this function, found by the first test that runs
	}
	return cmd
}

func newTokenListCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the tokens: name, scopes, whether one person's, since when",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withHomeLedger(cmd, func(db *sql.DB) error {
				tokens, err := token.List(cmd.Context(), db)
				if err != nil {
					return err
				}
				out := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
				fmt.Fprintln(out, "name\tscopes\tspeaks for\tsince")
				for _, t := range tokens {
					speaksFor := "everybody"
					if t.UserID != "" {
						speaksFor = t.UserID
					}
					fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", t.Name, joinWords(t.Scopes), speaksFor, t.CreatedAt.Format(time.DateOnly))
				}
				return out.Flush()
			})
		},
	}
}

func joinWords[T ~string](words []T) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = string(w)
	}
	return strings.Join(all, ",")
}

func newTokenRemoveCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "remove NAME",
		Short: "Take a token's right away, from the next request on",
		Args:  oneArgument("give the name of the token"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withHomeLedger(cmd, func(db *sql.DB) error { return token.Remove(cmd.Context(), db, args[0]) })
		},
	}
}

// withHomeLedger is withLedger on the home of the settings, which must be there.
func (a *app) withHomeLedger(cmd *cobra.Command, do func(*sql.DB) error) error {
	cfg, _, err := a.setUp(cmd)
	if err != nil {
		return err
	}
	h, err := home.Open(cfg.Home)
	if err != nil {
		return err
	}
	return withLedger(cmd.Context(), h, do)
}

// withLedger opens the ledger of a home beside whatever runs on it.
func withLedger(ctx context.Context, h *home.Home, do func(*sql.DB) error) error {
	db, err := ledger.Open(ctx, h.LedgerPath())
	if err != nil {
		return err
	}
	if err := ledger.Migrate(ctx, db); err != nil {
		return errors.Join(err, db.Close())
	}
	return errors.Join(do(db), db.Close())
}
