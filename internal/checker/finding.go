package checker

import (
	"fmt"
	"slices"
)

// An Invariant is something that must hold whatever happens to the processes, the disk or the broker.
type Invariant string

// The invariants. I12 (what was erased stays erased) and I16 (reports are sent once) are of other packages.
const (
	NoLoss         Invariant = "I1 no loss"         // what was produced below the watermark is in bronze, and in silver if it won
	NoDuplicate    Invariant = "I2 no duplicate"    // nothing is there twice, and nothing that nobody sent
	Monotonic      Invariant = "I3 monotonic"       // watermarks and epochs only rise
	Fencing        Invariant = "I4 fencing"         // who was replaced commits no more
	Continuity     Invariant = "I5 continuity"      // the files of a partition tile its offsets
	Atomic         Invariant = "I6 atomic"          // every file that is referred to is there, whole and unchanged
	Immutable      Invariant = "I7 immutable"       // a name never has two contents
	SnapshotReads  Invariant = "I8 snapshot reads"  // who reads one snapshot gets one answer
	RewriteNeutral Invariant = "I9 rewrite-neutral" // rewriting files changes no row
	Replay         Invariant = "I10 replay"         // the same messages make the same tables
	DeadLetters    Invariant = "I11 dead letters"   // what is set aside is what had to be, with its reason
	Bounded        Invariant = "I13 bounded"        // memory, files and disk space stay within limits
	Liveness       Invariant = "I14 liveness"       // once nothing fails any more, everything is caught up with
	HintOnly       Invariant = "I15 hint only"      // Kafka's committed offsets decide nothing
	NoLeak         Invariant = "I17 no leak"        // after a sweep nothing is left that nobody refers to
)

// A Finding is an invariant that does not hold, and where.
type Finding struct {
	Invariant Invariant
	Table     string // "" = no single one
	Place     string // a file, an offset, a property
	Says      string
}

// String returns the finding as one line.
func (f Finding) String() string {
	return fmt.Sprintf("%s: %s: %s: %s", f.Invariant, f.Table, f.Place, f.Says)
}

// findings collects what was found. It keeps the first of a kind and counts the rest: a lake that lost a file would
// otherwise say so once per row.
type findings struct {
	all    []Finding
	counts map[findingKind]int
}

type findingKind struct {
	invariant Invariant
	table     string
	says      string
}

// mostOfAKind is how many findings that differ only in their place are kept.
const mostOfAKind = 5

func (f *findings) add(i Invariant, table, place, format string, args ...any) {
	says := fmt.Sprintf(format, args...)
	kind := findingKind{i, table, format}
	if slices.Contains(f.all, Finding{i, table, place, says}) {
		return // looked at twice
	}
	if f.counts == nil {
		f.counts = map[findingKind]int{}
	}
	f.counts[kind]++
	if f.counts[kind] <= mostOfAKind {
		f.all = append(f.all, Finding{i, table, place, says})
	}
}

// list returns what was found, and how much more of it there is.
func (f *findings) list() []Finding {
	all := f.all
	for kind, n := range f.counts {
		if n > mostOfAKind {
			all = append(all, Finding{kind.invariant, kind.table, "elsewhere", fmt.Sprintf("%d more like %q", n-mostOfAKind, kind.says)})
		}
	}
	return all
}
