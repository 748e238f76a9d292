package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/schemas"
)

type rankingFlags struct {
	board, user, period, cohort, format string
	top                                 int
}

func newRankingCommand(a *app) *cobra.Command {
	var f rankingFlags
	cmd := &cobra.Command{
		Use:   "ranking --board BOARD [--user USER]",
		Short: "Show a board, and where one person stands on it",
		Long: `Ranking shows a board in a period: the top, and, when a person is named, their own place with those around it.
Others are shown by their pseudonyms. Without --period it is the last one that is over.`,
		Example: "  diurna ranking --board steps-week --user some-person --period 2016-W16",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return a.ranking(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.board, "board", "", "`BOARD`: steps-week")
	flags.StringVar(&f.user, "user", "", "`USER` whose own place is shown")
	flags.StringVar(&f.period, "period", "", "`PERIOD` of the board, as 2016-W16")
	flags.StringVar(&f.cohort, "cohort", "", "`COHORT` to compare with; none = all")
	flags.IntVar(&f.top, "top", 0, "how `MANY` of the top; 0 = as many as usual")
	flags.StringVar(&f.format, "format", "text", "`FORMAT`: text or json")
	if err := cmd.MarkFlagRequired("board"); err != nil {
		panic(err) // a slip in this function, found by the first test that runs
	}
	return cmd
}

func (a *app) ranking(cmd *cobra.Command, f rankingFlags) error {
	if !slices.Contains([]string{"text", "json"}, f.format) {
		return invalid("--format is %q: it must be text or json", f.format)
	}
	period, err := boardPeriod(f.board, f.period, a.now())
	if err != nil {
		return err
	}
	r, err := a.openReader(cmd)
	if err != nil {
		return err
	}
	view, err := rankingView(cmd.Context(), r, f, period, a.now())
	if err := errors.Join(err, r.Close()); err != nil {
		return err
	}
	if f.format == "json" {
		return ranking.WriteJSON(a.stdout, view)
	}
	return ranking.WriteText(a.stdout, view)
}

func rankingView(ctx context.Context, r *reader, f rankingFlags, period schemas.Period, now time.Time) (*ranking.View, error) {
	if err := ledger.Migrate(ctx, r.db); err != nil { // made by an older version, or not yet run
		return nil, err
	}
	standings, err := ranking.Load(ctx, r.DB, r.db, f.board, period, now)
	if err != nil {
		return nil, err
	}
	return standings.View(ranking.Question{User: f.user, Cohort: f.cohort, Top: f.top})
}

// boardPeriod parses a period, or returns the board's last one that is over.
func boardPeriod(id, text string, now time.Time) (schemas.Period, error) {
	if text != "" {
		return schemas.ParsePeriod(text)
	}
	boards, err := ranking.Boards()
	if err != nil {
		return schemas.Period{}, err
	}
	for _, b := range boards {
		if b.ID == id {
			return b.PeriodAt(now).Previous(), nil
		}
	}
	return schemas.Period{}, &schemas.Error{Code: schemas.CodeNotFound, Message: "there is no board of that name: steps-week is one"}
}
