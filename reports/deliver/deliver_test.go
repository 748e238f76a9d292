package deliver_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/internal/ledger"
	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/deliver"
	"github.com/diurna-health/diurna/reports/reportstest"
	"github.com/diurna-health/diurna/schemas"
)

const user = reportstest.Full

func TestAReportLiesInTheFolderAsPageTextAndDocument(t *testing.T) {
	db, outbox, files, dir := open(t)
	put(t, db, outbox, 1, "en")
	totals := send(t, outbox, time.Unix(2e9, 0))
	if diff := cmp.Diff(deliver.Totals{Delivered: 1}, totals); diff != "" {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	path := files.Path(key(t))
	if !strings.HasPrefix(path, filepath.Join(dir, "week", reportstest.Week)+string(filepath.Separator)) {
		t.Errorf("the report lies at %s", path)
	}
	for ending, want := range map[string]string{".html": "<!doctype html>", ".txt": "Weekly report", ".json": `"format": "diurna.report.week/1"`} {
		data, err := os.ReadFile(path + ending)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(data), want) {
			t.Errorf("%s does not hold %q", ending, want)
		}
		if info, err := os.Stat(path + ending); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s is open to others: %v, %v", ending, info.Mode(), err)
		}
	}
	checkNames(t, dir, 3)
}

// checkNames holds the folder against a number of files whose names tell nobody apart, and no litter.
func checkNames(t *testing.T, dir string, want int) {
	t.Helper()
	n := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if strings.Contains(path[len(dir):], user) || strings.HasSuffix(path, ".writing") {
			t.Errorf("a file is called %s", d.Name())
		}
		if !d.IsDir() {
			n++
		}
		return nil
	})
	if err != nil || n != want {
		t.Errorf("%d files, %v; want %d", n, err, want)
	}
}

func TestHandingOverAgainChangesNothing(t *testing.T) {
	db, outbox, files, _ := open(t)
	put(t, db, outbox, 1, "en")
	died := errors.New("died")
	_, err := outbox.Deliver(t.Context(), time.Unix(2e9, 0), deliver.Options{IsThere: yes, Log: quiet(),
		HandedOver: func(context.Context) error { return died }})
	if !errors.Is(err, died) {
		t.Fatalf("error %v", err)
	}
	before := contents(t, files.Path(key(t)))
	if totals := send(t, outbox, time.Unix(2e9, 0)); totals.Delivered != 1 {
		t.Errorf("after dying before the mark: %+v", totals)
	}
	if diff := cmp.Diff(before, contents(t, files.Path(key(t)))); diff != "" {
		t.Errorf("files (-before +after):\n%s", diff)
	}
	if totals := send(t, outbox, time.Unix(3e9, 0)); totals != (deliver.Totals{}) {
		t.Errorf("with nothing queued: %+v", totals)
	}
}

func TestAHalfWrittenFileIsReplaced(t *testing.T) {
	db, outbox, files, dir := open(t)
	put(t, db, outbox, 1, "en")
	path := files.Path(key(t))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, litter := range []string{path + ".html", filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".html.writing")} {
		if err := os.WriteFile(litter, []byte("<!doc"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	send(t, outbox, time.Unix(2e9, 0))
	if page := contents(t, path)[".html"]; !strings.HasSuffix(page, "</html>\n") {
		t.Errorf("the page ends in %q", page[max(0, len(page)-20):])
	}
	checkNames(t, dir, 3)
}

func TestACorrectionTakesThePlaceOfWhatNobodyHasSeen(t *testing.T) {
	db, outbox, files, _ := open(t)
	put(t, db, outbox, 1, "en")
	put(t, db, outbox, 2, "en")
	if totals := send(t, outbox, time.Unix(2e9, 0)); totals.Delivered != 1 {
		t.Errorf("totals %+v, want the newer one only", totals)
	}
	latest, err := outbox.Latest(t.Context(), key(t))
	if err != nil || latest == nil || latest.Number != 2 {
		t.Fatalf("latest %+v, %v", latest, err)
	}
	var isAnnounced bool
	if err := db.QueryRowContext(t.Context(), "select is_announced from report_outbox where revision = 2").Scan(&isAnnounced); err != nil || !isAnnounced {
		t.Errorf("announced %t, %v: the first announcement was never made, so this one is", isAnnounced, err)
	}
	if len(contents(t, files.Path(key(t)))) != 3 {
		t.Error("the correction is not there")
	}
}

func TestALanguageWithoutWordsIsReadInTheFallback(t *testing.T) {
	db, outbox, files, _ := open(t)
	put(t, db, outbox, 1, "tlh")
	send(t, outbox, time.Unix(2e9, 0))
	if page := contents(t, files.Path(key(t)))[".html"]; !strings.Contains(page, `lang="en"`) {
		t.Error("the page is not in the fallback language")
	}
}

func TestAFullDiskPutsTheReportOff(t *testing.T) {
	db, outbox, files, dir := open(t)
	put(t, db, outbox, 1, "en")
	if err := os.WriteFile(filepath.Join(dir, "week"), nil, 0o600); err != nil { // a file where the folder is to be
		t.Fatal(err)
	}
	now := time.Unix(2e9, 0)
	var log strings.Builder
	totals, err := outbox.Deliver(t.Context(), now, deliver.Options{IsThere: yes, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil || totals.Failed != 1 {
		t.Fatalf("%+v, %v", totals, err)
	}
	if strings.Contains(log.String(), user) || strings.Contains(log.String(), filepath.Base(files.Path(key(t)))) {
		t.Errorf("the log names a person: %s", log.String())
	}
	if err := os.Remove(filepath.Join(dir, "week")); err != nil {
		t.Fatal(err)
	}
	if totals := send(t, outbox, now); totals != (deliver.Totals{}) {
		t.Errorf("at once again: %+v, want a pause", totals)
	}
	if totals := send(t, outbox, now.Add(time.Hour)); totals.Delivered != 1 {
		t.Errorf("after the pause: %+v", totals)
	}
}

func TestErasingLeavesNothingOfThePersonAndAllOfOthers(t *testing.T) {
	db, outbox, _, dir := open(t)
	put(t, db, outbox, 1, "en")
	putFor(t, db, outbox, reportstest.Thin, 1, "en")
	send(t, outbox, time.Unix(2e9, 0))
	checkNames(t, dir, 6)
	for range 2 { // again is no error
		if err := outbox.Erase(t.Context(), user); err != nil {
			t.Fatal(err)
		}
	}
	checkNames(t, dir, 3)
	for _, table := range []string{"report_periods", "report_plans", "report_snapshots", "report_outbox"} {
		var n int
		if err := db.QueryRowContext(t.Context(), "select count(*) from "+table+" where user_id = ?", user).Scan(&n); err != nil || n != 0 {
			t.Errorf("%s has %d rows of the person, %v", table, n, err)
		}
	}
}

func TestTheSameRevisionIsNotPutTwice(t *testing.T) {
	db, outbox, _, _ := open(t)
	put(t, db, outbox, 1, "en")
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := outbox.Put(t.Context(), tx, revision(t, user, 1, "en"), true); err == nil {
		t.Error("a revision was put twice")
	}
}

func TestTheContentHashTellsWhatIsSaidNotWhenItWasAsked(t *testing.T) {
	a, b := revision(t, user, 1, "en").Snapshot, revision(t, user, 1, "en").Snapshot
	later := "2026-03-12T10:00:00Z"
	b.AsOf, b.Records.Last = &later, b.Records.Last+20
	hash := func(s *reports.Snapshot) string {
		h, err := deliver.ContentHash(s)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	if hash(a) != hash(b) {
		t.Error("asked later, the same report has another hash")
	}
	b.Coverage.ValidDays--
	if hash(a) == hash(b) {
		t.Error("another report has the same hash")
	}
	stored, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	thawed := new(reports.Snapshot)
	if err := json.Unmarshal(stored, thawed); err != nil {
		t.Fatal(err)
	}
	if hash(thawed) != hash(a) {
		t.Error("a stored snapshot has another hash")
	}
}

func open(t *testing.T) (*sql.DB, *deliver.Outbox, *deliver.Files, string) {
	t.Helper()
	home := t.TempDir()
	db, err := ledger.Open(t.Context(), filepath.Join(home, "ledger.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if err := ledger.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(home, "[outbox]") // a name that a pattern would not find
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := deliver.NewFiles(t.Context(), db, dir)
	if err != nil {
		t.Fatal(err)
	}
	return db, deliver.New(db, files), files, dir
}

func key(t *testing.T) deliver.Key {
	t.Helper()
	p, err := schemas.ParsePeriod(reportstest.Week)
	if err != nil {
		t.Fatal(err)
	}
	return deliver.Key{UserID: user, Period: p}
}

func revision(t *testing.T, of string, number int, language string) deliver.Revision {
	t.Helper()
	k := key(t)
	k.UserID = of
	s, err := reports.Compose(t.Context(), reportstest.People().Open(t), of, k.Period, reportstest.AsOf())
	if err != nil {
		t.Fatal(err)
	}
	return deliver.Revision{Key: k, Number: number, Language: language, MadeAt: reportstest.AsOf(), Snapshot: s}
}

func put(t *testing.T, db *sql.DB, outbox *deliver.Outbox, number int, language string) {
	t.Helper()
	putFor(t, db, outbox, user, number, language)
}

func putFor(t *testing.T, db *sql.DB, outbox *deliver.Outbox, of string, number int, language string) {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := outbox.Put(t.Context(), tx, revision(t, of, number, language), number == 1); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

func send(t *testing.T, outbox *deliver.Outbox, now time.Time) deliver.Totals {
	t.Helper()
	totals, err := outbox.Deliver(t.Context(), now, deliver.Options{IsThere: yes, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	return totals
}

func contents(t *testing.T, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, ending := range []string{".html", ".txt", ".json"} {
		data, err := os.ReadFile(path + ending)
		if err != nil {
			t.Fatal(err)
		}
		all[ending] = string(data)
	}
	return all
}

func yes(context.Context, string) (bool, error) { return true, nil }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
