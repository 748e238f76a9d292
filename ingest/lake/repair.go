package lake

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/diurna-health/diurna/internal/failpoint"
	"github.com/diurna-health/diurna/schemas"
)

// AtHole says what a repair does where offsets are in no file.
type AtHole string

// What a repair does at a hole.
const (
	// RefuseHoles changes nothing and says which offsets are missing.
	RefuseHoles AtHole = ""
	// StopAtHoles lets the watermark stand before the hole: what comes then is read from Kafka once more.
	StopAtHoles AtHole = "stop"
	// SkipHoles records the hole as a gap and goes on behind it: for what Kafka has no longer.
	SkipHoles AtHole = "skip"
)

// A Repair says how RepairFromFiles is to work.
type Repair struct {
	AtHole   AtHole
	Progress func(done, total int64) // bytes; nil = nobody asks
}

// A RepairReport says what RepairFromFiles found and made.
type RepairReport struct {
	Files      int // of received rows that are live again
	Rows       int64
	Watermarks map[int32]int64
	Holes      []BronzeName // offsets that are in no file
	LeftOut    []Problem    // files that are damaged, or overlap with better ones; they stay where they are
}

const (
	namespaceBronze = "bronze"
	namespaceRepair = "repair" // what a repair prepares; nobody reads it
)

// RepairFromFiles makes the catalog anew from the files of received rows, whatever the catalog says, and wherever they
// lie now. Everything else in the lake follows from those: all other tables are gone from the catalog afterwards, to be
// merged and built again. The ledger's promises are not touched. The caller keeps everybody else away.
//
// The order is what makes it safe: every file is read and checked, then the new tables are prepared beside the old ones,
// and one transaction of the ledger puts them in their place.
func RepairFromFiles(ctx context.Context, cfg Config, how Repair) (*RepairReport, error) {
	l, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	found, err := l.surveyBronze(ctx, how.Progress)
	if err != nil {
		return nil, err
	}
	if len(found.pieces) == 0 {
		return nil, &schemas.Error{Code: schemas.CodeNotFound, Message: fmt.Sprintf(
			"there is no whole file of received rows in %s: nothing to repair from", l.path(schemas.TableSyncRecords))}
	}
	plan := found.plan(how.AtHole)
	if len(plan.report.Holes) > 0 && how.AtHole == RefuseHoles {
		return plan.report, refuseHoles(plan.report)
	}
	if err := l.prepareRepair(ctx, plan); err != nil {
		return nil, fmt.Errorf("prepare the repair: %w", err)
	}
	if err := failpoint.Hit("repair.mid"); err != nil {
		return nil, err
	}
	if err := l.swapCatalog(ctx); err != nil {
		return nil, fmt.Errorf("put the repaired tables in their place: %w", err)
	}
	return plan.report, nil
}

func refuseHoles(r *RepairReport) error {
	var list strings.Builder
	for _, h := range r.Holes {
		fmt.Fprintf(&list, "\n  partition %d: the offsets %d to %d", h.Partition, h.Start, h.End-1)
	}
	for _, p := range r.LeftOut {
		fmt.Fprintf(&list, "\n  %s", p)
	}
	return &schemas.Error{Code: schemas.CodeConflict, Message: "some of what was received is in no whole file:" + list.String() +
		"\nNothing was changed. Bring the files back from a backup or from the lake's _trash, or choose: --at-hole stop reads " +
		"from Kafka again from the first hole on, --at-hole skip records the holes as gaps and keeps what comes behind them"}
}

// A survey is what the files say.
type survey struct {
	pieces map[int32][]foundPiece // by partition: whole files and skipped gaps
	gaps   []string               // files of the table of gaps
	source map[int32]string       // by partition: the footer's
	left   []Problem
}

type foundPiece struct {
	BronzeName
	path string // "" of a gap
	rows int64
}

// surveyBronze reads every file of received rows. What is not whole is left out.
func (l *Lake) surveyBronze(ctx context.Context, progress func(done, total int64)) (*survey, error) {
	s := &survey{pieces: map[int32][]foundPiece{}, source: map[int32]string{}}
	var objects []Object
	var done, total int64
	for object, err := range l.store.List(ctx, l.path(schemas.TableSyncRecords, "data")) {
		if err != nil {
			return nil, fmt.Errorf("list files of received rows: %w", err)
		}
		objects, total = append(objects, object), total+object.Bytes
	}
	for _, object := range objects {
		if err := l.surveyFile(ctx, s, object.Path); err != nil {
			return nil, err
		}
		if done += object.Bytes; progress != nil {
			progress(done, total)
		}
	}
	return s, l.surveyGaps(ctx, s)
}

func (l *Lake) surveyFile(ctx context.Context, s *survey, path string) error {
	name, ok := ParseBronzeName(path)
	if !ok {
		return nil // a temporary file
	}
	says, err := l.checkFile(ctx, File{Path: path, Bytes: -1})
	if err != nil {
		return err
	}
	var ft footer
	if says == "" {
		if ft, err = l.footer(ctx, path); err != nil {
			says = fmt.Sprintf("unreadable: %v", err)
		}
	}
	if says == "" {
		says = contradiction(name, ft)
	}
	if says != "" {
		s.left = append(s.left, Problem{schemas.TableSyncRecords, path, says})
		return nil
	}
	s.pieces[name.Partition] = append(s.pieces[name.Partition], foundPiece{name, path, ft.rows})
	if source := ft.values[footerSource]; source != "" {
		s.source[name.Partition] = source
	}
	return nil
}

// contradiction compares what a file is called with what its footer says.
func contradiction(name BronzeName, ft footer) string {
	for key, want := range map[string]int64{
		footerPartition: int64(name.Partition), footerStart: name.Start, footerEnd: name.End,
	} {
		if got := ft.values[key]; got != strconv.FormatInt(want, 10) {
			return fmt.Sprintf("misnamed: its footer has %s %q", key, got)
		}
	}
	return ""
}

// surveyGaps takes the gaps that were skipped from the files of their table, whatever commits they were in: a gap that is
// recorded twice is one.
func (l *Lake) surveyGaps(ctx context.Context, s *survey) error {
	var files []File
	for object, err := range l.store.List(ctx, l.path(schemas.TableIngestGaps, "data")) {
		if err != nil {
			return fmt.Errorf("list files of gaps: %w", err)
		}
		if hashOf(object.Path) == "" {
			continue
		}
		f := File{Path: object.Path, Bytes: -1}
		says, err := l.checkFile(ctx, f)
		if err != nil {
			return err
		}
		if says != "" {
			s.left = append(s.left, Problem{schemas.TableIngestGaps, object.Path, says})
			continue
		}
		files, s.gaps = append(files, f), append(s.gaps, object.Path)
	}
	gaps, err := l.readGaps(ctx, files)
	if err != nil {
		return err
	}
	for _, g := range gaps {
		s.pieces[g.Partition] = append(s.pieces[g.Partition], foundPiece{BronzeName: g})
	}
	return nil
}

// A repairPlan is what the repaired tables will be.
type repairPlan struct {
	files      []string
	gaps       []string
	skipped    []BronzeName // gaps to record
	properties map[string]string
	report     *RepairReport
}

// plan decides which files are live. Every whole file holds all rows of its offsets, whoever wrote it and whether or not
// it was committed: messages of one offset are the same for everybody. So any set of files that follow each other
// without hole or overlap is right; the one that reaches furthest is taken.
func (s *survey) plan(at AtHole) *repairPlan {
	p := &repairPlan{gaps: s.gaps, report: &RepairReport{Watermarks: map[int32]int64{}, LeftOut: s.left}}
	for _, partition := range sortedKeys(s.pieces) {
		chain, holes := tile(s.pieces[partition], at == SkipHoles)
		if len(chain) == 0 {
			continue
		}
		p.report.Holes = append(p.report.Holes, holes...)
		if at == SkipHoles {
			p.skipped = append(p.skipped, holes...)
		}
		used := map[string]bool{}
		for _, piece := range chain {
			if piece.path != "" {
				p.files, used[piece.path] = append(p.files, piece.path), true
				p.report.Rows += piece.rows
			}
		}
		for _, piece := range s.pieces[partition] {
			if piece.path != "" && !used[piece.path] {
				p.report.LeftOut = append(p.report.LeftOut, Problem{schemas.TableSyncRecords, piece.path,
					"not needed: its offsets are in other files, or will be read again"})
			}
		}
		p.report.Watermarks[partition] = chain[len(chain)-1].End
	}
	p.report.Files = len(p.files)
	p.properties = WatermarkProperties(IngestWatermark, p.report.Watermarks)
	maps.Copy(p.properties, sourceProperties(s.source))
	return p
}

// tile returns the pieces that follow each other from the first offset to as far as they reach, and the holes. Behind a
// hole it goes on only when it may be skipped.
func tile(pieces []foundPiece, skip bool) (chain []foundPiece, holes []BronzeName) {
	slices.SortFunc(pieces, func(a, b foundPiece) int { return int(max(-1, min(1, a.Start-b.Start))) })
	from := pieces[0].Start
	for {
		run := furthest(pieces, from)
		chain = append(chain, run...)
		end := from
		if len(run) > 0 {
			end = run[len(run)-1].End
		}
		next := slices.IndexFunc(pieces, func(p foundPiece) bool { return p.Start > end && p.path != "" })
		if next < 0 {
			return chain, holes
		}
		holes = append(holes, BronzeName{pieces[next].Partition, end, pieces[next].Start})
		if !skip {
			return chain, holes
		}
		from = pieces[next].Start
	}
}

// furthest returns the run of pieces from an offset that reaches furthest, with the fewest pieces. The pieces are sorted.
func furthest(pieces []foundPiece, from int64) []foundPiece {
	type reach struct {
		end    int64
		length int
		first  int // of pieces
	}
	best := map[int64]reach{}
	for i, p := range slices.Backward(pieces) {
		r := reach{p.End, 1, i}
		if on, ok := best[p.End]; ok {
			r = reach{on.end, on.length + 1, i}
		}
		if old, ok := best[p.Start]; !ok || r.end > old.end || r.end == old.end && r.length < old.length {
			best[p.Start] = r
		}
	}
	var run []foundPiece
	for r, ok := best[from]; ok; r, ok = best[from] {
		run = append(run, pieces[r.first])
		from = pieces[r.first].End
	}
	return run
}

// sourceProperties says where the offsets count in, from the footers: the source with the highest generation is the
// current one. Files of an older version do not say; then the next ingester fills it in.
func sourceProperties(sources map[int32]string) map[string]string {
	const perGeneration = 1_000_000 // partitions of one source
	generations := map[int32]string{}
	for partition, source := range sources {
		generations[partition/perGeneration] = source
	}
	properties := map[string]string{}
	order := sortedKeys(generations)
	for i, g := range order {
		if i < len(order)-1 {
			properties["ingest.source."+strconv.Itoa(int(g))] = generations[g]
			continue
		}
		properties["ingest.source"] = generations[g]
		if g > 0 {
			properties["ingest.generation"] = strconv.Itoa(int(g))
		}
	}
	return properties
}

// prepareRepair makes the repaired tables under names that nobody reads. What an earlier attempt left is forgotten first.
func (l *Lake) prepareRepair(ctx context.Context, p *repairPlan) error {
	if _, err := l.cfg.Catalog.ExecContext(ctx, "delete from iceberg_tables where table_namespace = ?", namespaceRepair); err != nil {
		return err
	}
	gaps, err := l.gapFiles(ctx, p)
	if err != nil {
		return err
	}
	for _, spec := range IngestTables() {
		var commit Commit
		switch spec.Name {
		case schemas.TableSyncRecords:
			commit = Commit{Add: p.files, Properties: p.properties}
		case schemas.TableIngestGaps:
			commit = Commit{Add: gaps}
		default:
			continue
		}
		spec.folder = spec.Name
		spec.Name = namespaceRepair + strings.TrimPrefix(spec.Name, namespaceBronze)
		if err := l.Create(ctx, spec); err != nil {
			return err
		}
		if commit.Base, err = l.Load(ctx, spec.Name); err != nil {
			return err
		}
		commit.ID = rand.Text()
		if _, err := l.Commit(ctx, commit); err != nil {
			return err
		}
	}
	return nil
}

// gapFiles returns the files of the table of gaps, with one more for the holes that are skipped.
func (l *Lake) gapFiles(ctx context.Context, p *repairPlan) ([]string, error) {
	if len(p.skipped) == 0 {
		return p.gaps, nil
	}
	rows := make([]schemas.IngestGap, len(p.skipped))
	for i, hole := range p.skipped {
		rows[i] = schemas.IngestGap{Source: p.properties["ingest.source"], Partition: hole.Partition, FromOffset: hole.Start,
			ToOffset: hole.End, FoundAt: l.cfg.Now().UnixMicro(), Skipped: true}
	}
	path, err := WriteRows(ctx, l, schemas.TableIngestGaps, "gap-repair", nil, nil, rows)
	if err != nil {
		return nil, err
	}
	return append(slices.Clone(p.gaps), path), nil
}

// swapCatalog puts the prepared tables in the place of every table there was, in one transaction.
func (l *Lake) swapCatalog(ctx context.Context) error {
	if err := l.createNamespace(ctx, []string{namespaceBronze}); err != nil {
		return err
	}
	tx, err := l.cfg.Catalog.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	for _, statement := range []struct {
		sql  string
		args []any
	}{
		{"delete from iceberg_tables where table_namespace <> ?", []any{namespaceRepair}},
		{"update iceberg_tables set table_namespace = ? where table_namespace = ?", []any{namespaceBronze, namespaceRepair}},
		{"delete from iceberg_namespace_properties where namespace = ?", []any{namespaceRepair}},
		// What follows from a change is done again for everything, and compared with what was promised.
		{"delete from lake_settled", nil},
	} {
		if _, err := tx.ExecContext(ctx, statement.sql, statement.args...); err != nil {
			return err
		}
	}
	return tx.Commit()
}
