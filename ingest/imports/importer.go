package imports

import (
	"context"
	"fmt"
	"time"

	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

// An Importer reads one form of export.
type Importer interface {
	// Name is what the command line calls it: fitabase.
	Name() string
	// Read calls emit with the batches of every person, each person's in order of time, and problem with what it had to
	// leave out. The same folder and options always give the same batches. The error is emit's own, ctx's, or a
	// *schemas.Error that says what is wrong with the folder or the options; a broken row is a problem and no error.
	Read(ctx context.Context, opts Options, emit func(*syncv1.Batch) error, problem func(Problem)) (Stats, error)
}

// Options say what to import and how.
type Options struct {
	Dir  string         // the folder of the export
	Zone *time.Location // in which the export's wall clock ran; mandatory where the export names no zone

	// BatchHours is how many hours of data go into a batch: 1 to 168; 0 = 6.
	BatchHours int
	// OptInRanking adds, for every person, the consent to take part in rankings from the first moment of their data.
	OptInRanking bool
	// Progress, when set, is called now and then from the goroutine of Read.
	Progress func(Progress)
}

// DefaultBatchHours is how often a phone app syncs that its owner opens now and then.
const DefaultBatchHours = 6

// Progress says how far an import is: first all files are read, then everybody's batches are emitted.
type Progress struct {
	BytesRead, BytesTotal int64 // of the files as they lie there, compressed or not
	PeopleDone, People    int   // People is 0 while files are read
}

// A Problem is something that was left out, and where it stands. Its message never tells a value of health.
type Problem struct {
	File    string // within the folder
	Line    int    // 0 = the file as a whole
	Message string
}

// String returns file:line: message.
func (p Problem) String() string {
	if p.Line == 0 {
		return fmt.Sprintf("%s: %s", p.File, p.Message)
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
}

// Stats says what an import found and gave.
type Stats struct {
	Files    []string // that were read, in order
	Skipped  []string // that hold nothing this import knows
	Problems int      // reported

	People, Batches                           int
	Samples, Readings, DailySummaries, Events int64
	// Repeated counts what the export told more than once and was emitted once.
	Repeated int64
}
