package main_test

import (
	"bufio"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestADemoShowsItsPagesAndStopsCleanly(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	start := time.Now()
	cmd := exec.CommandContext(t.Context(), binary, "demo", "--home", home, "--log-level", "warn")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(out)
	for _, page := range []struct{ name, says string }{
		{"Report", "Sleep a night"}, {"Ranking", "Your place"}, {"Medals", "Your medals"},
	} {
		if !lines.Scan() {
			t.Fatalf("the demo ended before it showed %s", page.name)
		}
		url, ok := strings.CutPrefix(lines.Text(), page.name+": ")
		if !ok {
			t.Fatalf("the demo says %q, want the address of %s", lines.Text(), page.name)
		}
		status, body := get(t, url)
		if status != http.StatusOK || !strings.Contains(body, page.says) {
			t.Errorf("%s answers %d without %q", page.name, status, page.says)
		}
		body = strings.ReplaceAll(body, `xmlns="http://www.w3.org/2000/svg"`, "") // a name, not an address
		if i := strings.Index(body, "http"); i >= 0 {
			t.Errorf("%s refers to another host: %s", page.name, body[i:min(i+60, len(body))])
		}
	}
	if took := time.Since(start); took > 2*time.Minute {
		t.Errorf("the demo took %v to show its pages, want less than two minutes", took)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	if rows := query(t, home, "select count(distinct user_id) from user_days"); rows[0][0] != "25" {
		t.Errorf("the home it leaves has %s people, want 25", rows[0][0])
	}
}
