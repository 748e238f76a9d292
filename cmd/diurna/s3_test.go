package main_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

const s3Batch = `{"batch_id":"1","user_id":"ann","device":{"id":"w"},"seq":1,"sent_at":"2026-03-02T08:00:00Z","utc_offset":"Z",` +
	`"series":[{"metric":"steps","start":"2026-03-02T07:00:00Z","period_ms":60000,"values":[3,null,4]},` +
	`{"metric":"heart_rate","start":"2026-03-02T07:00:00Z","period_ms":60000,"values":[60,61,62]}]}
`

// TestALakeInABucket goes the whole way of a batch with the lake in a bucket: received, merged, built and asked, by
// processes that share nothing but the ledger and the bucket.
func TestALakeInABucket(t *testing.T) {
	t.Parallel()
	backend := s3mem.New()
	if err := backend.CreateBucket("health"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	defer server.Close()
	dir := t.TempDir()
	home, batch := filepath.Join(dir, "home"), filepath.Join(dir, "batch.json")
	if err := os.WriteFile(batch, []byte(s3Batch), 0o600); err != nil {
		t.Fatal(err)
	}
	inBucket := func(args ...string) (stdout, stderr string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, append(args, "--home", home)...)
		cmd.Env = append(os.Environ(), "DIURNA_LAKE_LOCATION=s3://health/lake", "DIURNA_S3_ENDPOINT="+server.URL,
			"DIURNA_S3_REGION=us-east-1", "DIURNA_S3_ACCESS_KEY=key", "DIURNA_S3_SECRET_KEY=a-secret-key", "DIURNA_S3_PATH_STYLE=true")
		var out, problems bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &problems
		if err := cmd.Run(); err != nil {
			t.Fatalf("diurna %s: %v\n%s", strings.Join(args, " "), err, problems.String())
		}
		return out.String(), problems.String()
	}

	_, log := inBucket("publish", "--log-level", "debug", batch)
	if strings.Contains(log, "a-secret-key") {
		t.Error("the secret key is in the log")
	}
	ask := func() [][]string {
		t.Helper()
		out, _ := inBucket("sql", "--format", "csv", `select a.user_id, a.step_count, h.sample_count from
			activity_days as a, (select count(*) as sample_count from heart_rate) as h`)
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return rows[1:]
	}
	want := [][]string{{"ann", "7", "3"}}
	if diff := cmp.Diff(want, ask()); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}

	files, _ := inBucket("lake", "status", "--files")
	for path := range strings.Lines(files) {
		if !strings.HasPrefix(path, "s3://health/lake/") {
			t.Errorf("a live file is %q", path)
		}
	}
	if strings.Count(files, "\n") < 4 {
		t.Errorf("the live files are only:\n%s", files)
	}
	entries, err := os.ReadDir(filepath.Join(home, "lake"))
	if err != nil || len(entries) != 0 {
		t.Errorf("the home's own folder has %v, error %v: the lake is in the bucket", entries, err)
	}
	inBucket("doctor")

	// The lake is looked after in the bucket as in a folder, and made anew there.
	inBucket("lake", "compact", "--full")
	inBucket("lake", "expire", "--keep-last", "1", "--keep-for", "0s")
	if out, _ := inBucket("lake", "verify"); !strings.Contains(out, "all is well") {
		t.Errorf("lake verify says %q", out)
	}
	if diff := cmp.Diff(want, ask()); diff != "" {
		t.Errorf("answer after care (-want +got):\n%s", diff)
	}
	if out, _ := inBucket("sync", "status", "--user", "ann"); !strings.Contains(out, "1 sync") {
		t.Errorf("sync status says %q", out)
	}
	for _, name := range []string{"ledger.db", "ledger.db-wal", "ledger.db-shm"} {
		if err := os.Remove(filepath.Join(home, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	inBucket("lake", "repair", "--from-files")
	inBucket("lake", "verify")
	if diff := cmp.Diff(want, ask()); diff != "" {
		t.Errorf("answer after the repair (-want +got):\n%s", diff)
	}

	// Local copies are copies: without them everything is fetched again.
	if err := os.RemoveAll(filepath.Join(home, "copies")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, ask()); diff != "" {
		t.Errorf("answer without local copies (-want +got):\n%s", diff)
	}

	// Without the setting, the lake that is asked for is not the one there is.
	_, problem, code := diurnaCode(t, "sql", "--home", home, "select 1")
	if code == 0 || !strings.Contains(problem, "s3://health/lake") || !strings.Contains(problem, "lake.location") {
		t.Errorf("exit code %d and %q, want a sentence with the lake's place and the setting", code, problem)
	}
}

// TestTheGatewayOfALakeInABucket follows a batch from the gateway to the figures, as an app would.
func TestTheGatewayOfALakeInABucket(t *testing.T) {
	t.Parallel()
	backend := s3mem.New()
	if err := backend.CreateBucket("health"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend).Server())
	defer server.Close()
	dir := t.TempDir()
	home, settings := filepath.Join(dir, "home"), filepath.Join(dir, "diurna.yaml")
	if err := os.WriteFile(settings, []byte(`home: `+home+`
lake: {location: "s3://health/lake"}
s3: {endpoint: "`+server.URL+`", region: us-east-1, access_key: key, secret_key: a-secret-key, path_style: true}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := strings.TrimSpace(diurna(t, "token", "add", "app", "--scope", "sync:write", "--user", "ann", "--config", settings))
	r := startRun(t, home, "--flush-age", "50ms", "--config", settings)
	batch := strings.NewReplacer("\n", "", "\t", "").Replace(stepsBatch("1", "07", "10,900000"))
	if status, answer := call(t, http.MethodPost, r.web+"/v1/sync", secret, batch); status != http.StatusAccepted {
		t.Fatalf("status %d: %v", status, answer)
	}
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		status, answer := call(t, http.MethodGet, r.web+"/v1/sync/b1", secret, "")
		if status == http.StatusOK && answer["state"] == "counted" {
			if answer["values"] != 1.0 || !strings.Contains(fmt.Sprint(answer["set_aside"]), "value_range") {
				t.Errorf("what became of it: %v", answer)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatalf("status %d: %v", status, answer)
		}
	}
	if out := diurna(t, "sync", "status", "--user", "ann", "--config", settings); !strings.Contains(out, "1 sync") || !strings.Contains(out, "value_range") {
		t.Errorf("sync status says %q", out)
	}
}
