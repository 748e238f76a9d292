package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/diurna-health/diurna/ingest/imports"
	"github.com/diurna-health/diurna/ingest/imports/fitabase"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// problemsShown is how many broken rows are printed; the rest is counted.
const problemsShown = 20

func newImportCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Import an export that people already have",
		Long: `Import turns an export into sync batches of a few hours each and sends them through Kafka in order of time, as a
phone app would have. Importing the same export again changes nothing.

It waits until everything is in the lake and built. When nothing runs on the home it starts a pipeline of its own,
finishes and stops. A broken row is reported with its file and line, and the rest goes on.`,
		// A form that is not known comes with flags of its own: what is wrong is the form.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return invalid("%q is no form of export that can be imported: %s is", args[0], fitabase.Importer{}.Name())
		},
	}
	cmd.AddCommand(newImportForm(a, fitabase.Importer{},
		"Import a Fitabase export: minute steps and intensities (wide or narrow), heart rate, sleepDay, weight; gzip or plain"))
	return cmd
}

// importFlags are what an import is told besides the settings.
type importFlags struct {
	zone       string
	optIn      []string
	batchHours int
	noWait     bool
}

func newImportForm(a *app, importer imports.Importer, short string) *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:     importer.Name() + " DIR --zone ZONE",
		Short:   short,
		Example: "  diurna import " + importer.Name() + " ~/export --zone Europe/Berlin",
		Args:    oneArgument("give the one folder of the export"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.importExport(cmd, importer, args[0], f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.zone, "zone", "", "IANA `ZONE` in which the export's wall clock ran, as Europe/Berlin")
	flags.StringSliceVar(&f.optIn, "opt-in", nil, "what everybody in the export consented to: `ranking`")
	flags.IntVar(&f.batchHours, "batch-hours", imports.DefaultBatchHours, "`HOURS` of data in a sync batch")
	flags.BoolVar(&f.noWait, "no-wait", false, "do not wait until everything is built")
	addPipelineFlags(flags)
	return cmd
}

func (f importFlags) options(dir string) (imports.Options, error) {
	opts := imports.Options{Dir: dir, BatchHours: f.batchHours}
	if f.batchHours < 1 {
		return opts, invalid("--batch-hours is %d: it must be 1 or more", f.batchHours)
	}
	if f.zone == "" {
		return opts, invalid("an export without time zones needs --zone: the IANA name of the zone its clock ran in, as Europe/Berlin")
	}
	zone, err := time.LoadLocation(f.zone)
	if err != nil || f.zone == "Local" {
		return opts, invalid("--zone is %q: there is no such IANA time zone; Europe/Berlin is one", f.zone)
	}
	opts.Zone = zone
	for _, what := range f.optIn {
		if what != "ranking" {
			return opts, invalid("--opt-in is %q: the only thing to opt in to is ranking", what)
		}
		opts.OptInRanking = true
	}
	return opts, nil
}

func (a *app) importExport(cmd *cobra.Command, importer imports.Importer, dir string, f importFlags) error {
	cfg, log, bar, err := a.setUpProgress(cmd)
	if err != nil {
		return err
	}
	opts, err := f.options(dir)
	if err != nil {
		return err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return invalid("%s is no folder: give the folder of the export", dir)
	}
	opts.Progress = func(p imports.Progress) { showImport(bar, p) }

	ctx, s, err := openSession(cmd.Context(), cfg, log)
	if err != nil {
		return err
	}
	stats, unread, err := a.emitExport(ctx, s, importer, opts, bar)
	built := false
	if err == nil && !f.noWait {
		bar.stage("building")
		built, err = s.wait(ctx)
	}
	bar.end()
	if err := s.end(err); err != nil {
		return err
	}
	a.reportImport(stats, built)
	if unread > 0 {
		return fmt.Errorf("%s of the export could not be read: see above", counted(unread, "file", "files"))
	}
	return nil
}

// emitExport reads the export and sends its batches, some at a time. unread counts the files that could not be read.
func (a *app) emitExport(ctx context.Context, s *session, importer imports.Importer, opts imports.Options, bar *progress) (
	stats imports.Stats, unread int, err error) {
	var group []kafka.Record
	flush := func() error {
		err := s.publish(ctx, group)
		group = group[:0]
		return err
	}
	shown := 0
	stats, err = importer.Read(ctx, opts, func(b *syncv1.Batch) error {
		value, err := syncv1.EncodeProto(b)
		if err != nil {
			return fmt.Errorf("encode sync batch: %w", err)
		}
		group = append(group, kafka.Record{Key: b.UserID, Value: value, ContentType: syncv1.ContentTypeProto})
		if len(group) == publishGroup {
			return flush()
		}
		return nil
	}, func(p imports.Problem) {
		if p.Line == 0 {
			unread++
		}
		if shown++; shown <= problemsShown {
			bar.print(p.String())
		}
	})
	if err != nil {
		return stats, unread, err
	}
	return stats, unread, flush()
}

func showImport(bar *progress, p imports.Progress) {
	if p.People == 0 {
		bar.show("reading", p.BytesRead, p.BytesTotal)
		return
	}
	bar.show("sending", int64(p.PeopleDone), int64(p.People))
}

func (a *app) reportImport(stats imports.Stats, built bool) {
	if stats.Problems > problemsShown {
		fmt.Fprintf(a.stderr, "... and %d more problems\n", stats.Problems-problemsShown)
	}
	for _, file := range stats.Skipped {
		fmt.Fprintf(a.stderr, "skipped %s: it holds nothing this import knows\n", file)
	}
	state := "sent"
	if built {
		state = "in the lake and built"
	}
	fmt.Fprintf(a.stderr, "%s: %d people, %d samples, %d readings and %d daily figures in %d sync batches",
		state, stats.People, stats.Samples, stats.Readings, stats.DailySummaries, stats.Batches)
	if stats.Problems > 0 {
		fmt.Fprintf(a.stderr, "; %d rows left out", stats.Problems)
	}
	fmt.Fprintln(a.stderr)
}

func invalid(format string, args ...any) error {
	return &schemas.Error{Code: schemas.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}
