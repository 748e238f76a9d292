package main

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/medals"
)

func newMedalsCommand(a *app) *cobra.Command {
	var user, format string
	cmd := &cobra.Command{
		Use:     "medals --user USER",
		Short:   "Show one person's medals, why each was earned, and how far it is to the next",
		Example: "  diurna medals --user some-person",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !slices.Contains([]string{"text", "json"}, format) {
				return invalid("--format is %q: it must be text or json", format)
			}
			r, err := a.openReader(cmd)
			if err != nil {
				return err
			}
			if err := ledger.Migrate(cmd.Context(), r.db); err != nil { // made by an older version, or not yet run
				return errors.Join(err, r.Close())
			}
			wall, err := medals.ReadWall(cmd.Context(), r.DB, medals.NewSQLLedger(r.db), user, reportLanguage)
			if err := errors.Join(err, r.Close()); err != nil {
				return err
			}
			if format == "json" {
				return medals.WriteJSON(a.stdout, wall)
			}
			return medals.WriteText(a.stdout, wall, reportLanguage)
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "`USER` the medals are of")
	cmd.Flags().StringVar(&format, "format", "text", "`FORMAT`: text or json")
	if err := cmd.MarkFlagRequired("user"); err != nil {
		panic(err) // a slip in this function, found by the first test that runs
	}
	return cmd
}
