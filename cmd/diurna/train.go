package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/transform/stager"
)

func newTrainCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Learn the coefficients of a model from recordings that people scored",
		Args:  cobra.NoArgs,
	}
	cmd.AddCommand(newTrainSleepCommand(a))
	return cmd
}

func newTrainSleepCommand(a *app) *cobra.Command {
	var out string
	var seeds int
	cmd := &cobra.Command{
		Use:   "sleep DIR [--out FILE] [--seeds N]",
		Short: "Fit the sleep stager, and cross-validate it by person",
		Long: `Train sleep reads epochs.csv or epochs.csv.gz in DIR: 30 s epochs of nights with the stage that was scored
(subject_id, t_seconds_from_first_epoch, stage_code, activity_count_feature, hr_std_feature). It stages every fifth of the
people by what was learned from the others, once for each seed, prints how well that agrees, and then fits all of them
and writes the coefficients, with what was measured. The same recordings give the same coefficients.`,
		Example: "  diurna train sleep walch2019-sleep-accel --out coefficients.json",
		Args:    oneArgument("give the one folder that holds epochs.csv or epochs.csv.gz"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if seeds < 0 {
				return invalid("--seeds is %d: it must be 0 or more", seeds)
			}
			return a.trainSleep(cmd.Context(), args[0], out, seeds)
		},
	}
	cmd.Flags().StringVar(&out, "out", "coefficients.json", "write the coefficients to `FILE`")
	cmd.Flags().IntVar(&seeds, "seeds", 5, "cross-validate `N` times, each from other dice; 0 only fits")
	return cmd
}

func (a *app) trainSleep(ctx context.Context, dir, out string, seeds int) error {
	recordings, err := readTraining(dir)
	if err != nil {
		return err
	}
	bar := newProgress(a.stderr, a.now)
	var trials []stager.Trial
	for seed := range seeds {
		trial, _, err := stager.CrossValidate(ctx, recordings, seed, func(fold, of int) {
			bar.stage(fmt.Sprintf("cross-validating: seed %d of %d, fold %d of %d", seed+1, seeds, fold, of))
		})
		if err != nil {
			bar.end()
			return err
		}
		trials = append(trials, trial)
	}
	bar.stage("fitting all people")
	coefficients, err := stager.Fit(ctx, recordings, 0)
	bar.end()
	if err != nil {
		return err
	}
	coefficients.Provenance.Data = filepath.Base(dir)
	coefficients.Provenance.Trials = trials
	var text bytes.Buffer
	if err := coefficients.Write(&text); err != nil {
		return err
	}
	if err := os.WriteFile(out, text.Bytes(), 0o644); err != nil { //nolint:gosec // others may read it: it holds nobody's data
		return fmt.Errorf("write coefficients: %w", err)
	}
	a.printTrials(trials)
	p := coefficients.Provenance
	_, err = fmt.Fprintf(a.stdout, "%s: learned from %d people, %d epochs: %s\n", coefficients.Version, p.People, p.Epochs, out)
	return err
}

func (a *app) printTrials(trials []stager.Trial) {
	if len(trials) == 0 {
		return
	}
	var mean stager.Trial
	fmt.Fprintf(a.stdout, "%-6s %8s %8s %8s\n", "seed", "kappa 2", "kappa 3", "kappa 4")
	for _, t := range trials {
		fmt.Fprintf(a.stdout, "%-6d %8.4f %8.4f %8.4f\n", t.Seed, t.Kappa2, t.Kappa3, t.Kappa4)
		n := float64(len(trials))
		mean.Kappa2, mean.Kappa3, mean.Kappa4 = mean.Kappa2+t.Kappa2/n, mean.Kappa3+t.Kappa3/n, mean.Kappa4+t.Kappa4/n
	}
	fmt.Fprintf(a.stdout, "%-6s %8.4f %8.4f %8.4f\n", "mean", mean.Kappa2, mean.Kappa3, mean.Kappa4)
}

// readTraining reads the folder's recordings.
func readTraining(dir string) ([]stager.Recording, error) {
	for _, name := range []string{"epochs.csv", "epochs.csv.gz"} {
		recordings, err := readScored(filepath.Join(dir, name))
		if !errors.Is(err, fs.ErrNotExist) {
			return recordings, err
		}
	}
	return nil, invalid("%s holds neither epochs.csv nor epochs.csv.gz: give the folder of the scored epochs", dir)
}

// readScored reads a file of scored epochs.
func readScored(name string) ([]stager.Recording, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	recordings, err := stager.ReadRecordings(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return recordings, nil
}
