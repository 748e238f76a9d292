package main

import (
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/transform"
)

func newSQLCommand(a *app) *cobra.Command {
	var format outputFormat
	var show []string
	cmd := &cobra.Command{
		Use:   `sql "select ..."`,
		Short: "Query the lake, read-only",
		Long: `Sql answers one query over the tables and views of the lake as they are at this moment, whether a pipeline runs on
the home or not. "-" reads the query from standard input.

Days and nights: activity_days, heart_rate_days, sleep_nights, wear_days, user_days. Samples: heart_rate, steps,
intensity, sleep_segments, readings, daily_summaries, events. "show all tables" lists everything, "describe T" the
columns of one.

Tables about the menstrual cycle are not there, nor is what people noted of it, unless --show cycle asks for them.

` + outputHelp,
		Example: `  diurna sql "select local_date, step_count from activity_days order by 1"
  diurna sql --format csv "from heart_rate_days" > heart_rate_days.csv`,
		Args: oneArgument(`give one query, in quotes: diurna sql "from activity_days"`),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.sql(cmd, args[0], format, show)
		},
	}
	addOutputFlag(cmd.Flags(), &format)
	cmd.Flags().StringSliceVar(&show, "show", nil, "sensitive tables to show: `cycle`")
	return cmd
}

func (a *app) sql(cmd *cobra.Command, query string, format outputFormat, show []string) error {
	if query == "-" {
		text, err := io.ReadAll(a.stdin)
		if err != nil {
			return err
		}
		query = string(text)
	}
	if strings.TrimSpace(query) == "" {
		return invalid(`the query is empty: give one, as diurna sql "from activity_days"`)
	}
	sensitivities := make([]transform.Sensitivity, len(show))
	for i, name := range show {
		sensitivities[i] = transform.Sensitivity(name)
		if sensitivities[i] != transform.SensitivityCycle {
			return invalid("--show is %q: it can be %s", name, transform.SensitivityCycle)
		}
	}
	r, err := a.openReader(cmd, sensitivities...)
	if err != nil {
		return err
	}
	rows, err := r.Query(cmd.Context(), query)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	return errors.Join(writeRows(cmd.Context(), a.stdout, format, rows), r.Close())
}
