package main

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"
)

// An app is one call of the program: what it reads and writes, and what every command shares.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	lookupEnv      func(name string) (string, bool)

	started bool // a command's own work has begun: errors from here on are not about the command line's form
}

func newApp(stdin io.Reader, stdout, stderr io.Writer) *app {
	return &app{stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now, lookupEnv: os.LookupEnv}
}

// newRootCommand returns the tree of all commands.
func newRootCommand(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "diurna",
		Short: "From what smartwatches sync to nights, hearts, days and reports",
		Long: `Diurna turns what smartwatches sync into nights, hearts, days and reports.

Settings come, later ones winning, from built-in defaults, the file given with --config, environment variables
(DIURNA_...) and flags; "diurna config" shows the outcome. Exit codes: 0 done, 1 failed, 2 used wrongly.`,
		SilenceErrors:     true, // run prints them, once
		SilenceUsage:      true, // a page of help hides the sentence that says what was wrong
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)

	flags := root.PersistentFlags()
	flags.String(configFlag, "", "read settings from this YAML `file`")
	addSettingFlag(flags, "home", "home")
	addSettingFlag(flags, "log-level", "log.level")
	addSettingFlag(flags, "log-format", "log.format")

	root.AddCommand(commands(a)...)
	markStart(a, root)
	return root
}

// commands returns the subcommands, each from the file of its name.
func commands(a *app) []*cobra.Command {
	return []*cobra.Command{
		newDemoCommand(a),
		newRunCommand(a),
		newIngestCommand(a),
		newBuildCommand(a),
		newImportCommand(a),
		newPublishCommand(a),
		newReportCommand(a),
		newMedalsCommand(a),
		newRankingCommand(a),
		newAccountCommand(a),
		newDLQCommand(a),
		newGatewayCommand(a),
		newSyncCommand(a),
		newTokenCommand(a),
		newSQLCommand(a),
		newLakeCommand(a),
		newTrainCommand(a),
		newEvaluateCommand(a),
		newDoctorCommand(a),
		newDocsCommand(a),
		newConfigCommand(a),
		newVersionCommand(a),
	}
}

// markStart makes every command say when its own work begins. Whatever goes wrong before that, cobra found wrong with
// the command line.
func markStart(a *app, cmd *cobra.Command) {
	if work := cmd.RunE; work != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			a.started = true
			return work(cmd, args)
		}
	}
	for _, sub := range cmd.Commands() {
		markStart(a, sub)
	}
}

// setUp returns what nearly every command begins with: the settings in effect and a logger made from them.
func (a *app) setUp(cmd *cobra.Command) (Config, *slog.Logger, error) {
	s, err := loadSettings(cmd.Flags(), a.lookupEnv)
	if err != nil {
		return Config{}, nil, err
	}
	return s.config, newLogger(s.config.Log, a.stderr), nil
}

// setUpProgress is setUp for long work that somebody may watch: the log goes through the progress. On a terminal only
// warnings are logged, unless a level was asked for, because there the progress tells what an operator reads in the log.
func (a *app) setUpProgress(cmd *cobra.Command) (Config, *slog.Logger, *progress, error) {
	s, err := loadSettings(cmd.Flags(), a.lookupEnv)
	if err != nil {
		return Config{}, nil, nil, err
	}
	p := newProgress(a.stderr, a.now)
	cfg := s.config.Log
	if p.terminal && s.origin["log.level"] == "" {
		cfg.Level = slog.LevelWarn
	}
	return s.config, newLogger(cfg, p), p, nil
}
