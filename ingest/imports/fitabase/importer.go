package fitabase

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/diurna-health/diurna/ingest/imports"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// maxBatchHours keeps a series well below the span that the wire allows.
const maxBatchHours = 168

// Importer reads a Fitabase export. Its zero value is ready.
type Importer struct{}

var _ imports.Importer = Importer{}

// Name implements imports.Importer.
func (Importer) Name() string { return "fitabase" }

// Read implements imports.Importer.
func (Importer) Read(ctx context.Context, opts imports.Options, emit func(*syncv1.Batch) error, problem func(imports.Problem)) (imports.Stats, error) {
	if opts.BatchHours == 0 {
		opts.BatchHours = imports.DefaultBatchHours
	}
	if err := checkOptions(opts); err != nil {
		return imports.Stats{}, err
	}
	e := &export{
		opts:   opts,
		zone:   imports.NewZone(opts.Zone),
		people: map[string]*person{},
	}
	e.problem = func(p imports.Problem) {
		e.stats.Problems++
		problem(p)
	}

	if err := e.readFiles(ctx); err != nil {
		return e.stats, err
	}
	if err := e.emitPeople(ctx, emit); err != nil {
		return e.stats, err
	}
	return e.stats, nil
}

// An export is one run of Read.
type export struct {
	opts     imports.Options
	zone     *imports.Zone
	problem  func(imports.Problem)
	people   map[string]*person
	stats    imports.Stats
	progress imports.Progress
}

func (e *export) readFiles(ctx context.Context) error {
	files, err := e.findFiles()
	if err != nil {
		return err
	}
	for _, f := range files {
		e.progress.BytesTotal += f.bytes
	}
	for _, f := range files {
		if err := e.readFile(ctx, f); err != nil {
			return err
		}
		e.stats.Files = append(e.stats.Files, f.name)
	}
	return nil
}

// findFiles tells the files of the export from everything else in the folder.
func (e *export) findFiles() ([]file, error) {
	entries, err := os.ReadDir(e.opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("list export: %w", err)
	}
	var files []file
	for _, entry := range entries {
		path := filepath.Join(e.opts.Dir, entry.Name())
		info, err := os.Stat(path)
		if err == nil && info.IsDir() {
			continue
		}
		f := file{name: entry.Name(), path: path}
		if err == nil {
			f.bytes = info.Size()
			f.kind, err = sniff(path)
		}
		switch {
		case err != nil:
			e.problem(imports.Problem{File: f.name, Message: "cannot be opened: " + plain(err)})
		case f.kind == nil:
			e.stats.Skipped = append(e.stats.Skipped, f.name)
		default:
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return nil, &schemas.Error{Code: schemas.CodeNotFound, Message: fmt.Sprintf(
			"%s holds no file of a Fitabase export, such as minuteStepsWide_merged.csv or heartrate_seconds_merged.csv (plain or .gz); it holds %s",
			e.opts.Dir, listed(e.stats.Skipped))}
	}
	return files, nil
}

func (e *export) emitPeople(ctx context.Context, emit func(*syncv1.Batch) error) error {
	e.stats.People = len(e.people)
	e.progress.People = len(e.people)
	for _, id := range slices.Sorted(maps.Keys(e.people)) {
		p := e.people[id]
		delete(e.people, id) // a person who is done need not be held
		if err := e.emitPerson(ctx, p, emit); err != nil {
			return err
		}
		e.progress.PeopleDone++
		e.report()
	}
	return nil
}

func (e *export) person(id string) *person {
	p := e.people[id]
	if p == nil {
		p = newPerson(id)
		e.people[id] = p
	}
	return p
}

func (e *export) report() {
	if e.opts.Progress != nil {
		e.opts.Progress(e.progress)
	}
}

func checkOptions(opts imports.Options) error {
	if opts.Zone == nil {
		return &schemas.Error{Code: schemas.CodeInvalid,
			Message: "a Fitabase export tells wall-clock times without a zone: name the zone the people lived in, such as Europe/Berlin"}
	}
	if opts.BatchHours < 1 || opts.BatchHours > maxBatchHours {
		return &schemas.Error{Code: schemas.CodeInvalid,
			Message: fmt.Sprintf("a batch can hold 1 to %d hours, not %d", maxBatchHours, opts.BatchHours)}
	}
	info, err := os.Stat(opts.Dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &schemas.Error{Code: schemas.CodeNotFound, Message: fmt.Sprintf("there is no folder %s", opts.Dir)}
	case err != nil:
		return fmt.Errorf("open export: %w", err)
	case !info.IsDir():
		return &schemas.Error{Code: schemas.CodeInvalid,
			Message: fmt.Sprintf("%s is a file: name the folder that holds the export's CSV files", opts.Dir)}
	}
	return nil
}

func listed(names []string) string {
	const most = 5
	switch {
	case len(names) == 0:
		return "no file at all"
	case len(names) > most:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	default:
		return strings.Join(names, ", ")
	}
}

// plain returns what went wrong without the path, which the problem names already.
func plain(err error) string {
	if pathErr, ok := errors.AsType[*fs.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}
