package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/transform/stager"
)

func newEvaluateCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "evaluate",
		Short: "Measure a model against recordings that people scored",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newEvaluateSleepCommand(a))
	return cmd
}

func newEvaluateSleepCommand(a *app) *cobra.Command {
	var asJSON bool
	var table string
	cmd := &cobra.Command{
		Use:   "sleep FILE [--json]",
		Short: "Measure how well the sleep stager agrees with scored nights, person by person and pooled",
		Long: `Evaluate sleep reads 30 s epochs of nights with the stage that was scored, a CSV file, plain or gzip, with the columns
subject_id, t_seconds_from_first_epoch, stage_code (0 W, 1 N1, 2 N2, 3 and 4 N3, 5 R), activity_count_feature and
hr_std_feature, and compares the stages with what the stager makes of the two features: accuracy, Cohen's kappa and
recall for 2 classes (wake, sleep), 3 (wake, non-REM, REM) and 4 (wake, light, deep, REM), beside calling every epoch by
the commonest class, and how many minutes too many or too few a night's sums have. Nobody in the file should be among
the people the coefficients come from.`,
		Example: "  diurna evaluate sleep epochs.csv.gz --json",
		Args:    oneArgument("give the one file of scored epochs"),
		RunE: func(_ *cobra.Command, args []string) error {
			coefficients, err := readCoefficients(table)
			if err != nil {
				return err
			}
			recordings, err := readScored(args[0])
			if errors.Is(err, fs.ErrNotExist) {
				return invalid("%s is not there: give the file of the scored epochs", args[0])
			}
			if err != nil {
				return err
			}
			agreement := stager.Evaluate(coefficients, recordings)
			if !asJSON {
				return agreement.WriteText(a.stdout)
			}
			out := json.NewEncoder(a.stdout)
			out.SetIndent("", "  ")
			return out.Encode(agreement)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "write JSON")
	cmd.Flags().StringVar(&table, "coefficients", "", "use the coefficients in this `FILE`, from diurna train sleep, instead of Diurna's own")
	return cmd
}

// readCoefficients reads a file of coefficients, or Diurna's own when none is named.
func readCoefficients(name string) (*stager.Coefficients, error) {
	if name == "" {
		return stager.Shipped()
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, invalid("--coefficients is %s: there is no such file", name)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return stager.ReadCoefficients(f)
}
