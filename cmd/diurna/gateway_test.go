package main_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startGateway starts a `diurna gateway` on a home and returns where it answers. With a failpoint it is expected to die.
func startGateway(t *testing.T, home, failpoint string) string {
	t.Helper()
	cmd := exec.Command(binary, "gateway", "--home", home, "--http", "127.0.0.1:0") // the test's context would kill it before the cleanup
	cmd.Env = append(os.Environ(), "DIURNA_FAILPOINTS="+failpoint)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have died as it should
		if err := cmd.Wait(); (err == nil) != (failpoint == "") {
			t.Errorf("a gateway with failpoint %q ended: %v", failpoint, err)
		}
	})
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatalf("gateway said %q and ended: %v", line, err)
	}
	go io.Copy(io.Discard, lines) // keeps the pipe open until the process ends
	return strings.TrimSuffix(strings.TrimSpace(strings.TrimPrefix(line, "HTTP: ")), "/v1/sync")
}

// call sends a request with a token and returns the answer, decoded.
func call(t *testing.T, method, address, secret, body string) (status int, answer map[string]any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+secret)
	r.Header.Set("Content-Type", "application/x-ndjson")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatalf("status %d: %v", response.StatusCode, err)
	}
	return response.StatusCode, answer
}

func TestAnAppFollowsItsBatchFromTheGatewayToTheFigures(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	secret := strings.TrimSpace(diurna(t, "token", "add", "app", "--scope", "sync:write", "--user", "ann", "--home", home))
	if list := diurna(t, "token", "list", "--home", home); !strings.Contains(list, "app") || strings.Contains(list, secret) {
		t.Errorf("the list of tokens:\n%s", list)
	}
	r := startRun(t, home, "--flush-age", "50ms")
	future := strings.Replace(stepsBatch("2", "10", "1,2"), `"series":[`,
		`"series":[{"metric":"heart_rate","start":"2029-05-01T07:00:00Z","period_ms":60000,"values":[60]},`, 1)
	oneLine := strings.NewReplacer("\n", "", "\t", "").Replace
	for i, web := range []string{r.web, startGateway(t, home, "")} { // in the run, and as a role of its own: the second knows it again
		status, answer := call(t, http.MethodPost, web+"/v1/sync", secret, oneLine(stepsBatch("1", "07", "10"))+"\n"+oneLine(future))
		if status != http.StatusAccepted {
			t.Fatalf("gateway %d: status %d: %v", i, status, answer)
		}
	}
	waitForSteps(t, home, "13")
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		status, answer := call(t, http.MethodGet, r.web+"/v1/sync/b2", secret, "")
		if status == http.StatusOK && answer["state"] == "counted" {
			aside := fmt.Sprint(answer["set_aside"])
			if !strings.Contains(aside, "The watch's clock is in 2029: charge it and pair it again.") || answer["values"] != 2.0 {
				t.Errorf("what became of it: %v", answer)
			}
			break
		}
		if time.Now().After(end) {
			t.Fatalf("status %d: %v", status, answer)
		}
	}
	if n := query(t, home, "select count(*) from activity_days")[0][0]; n != "1" {
		t.Errorf("%s days, want 1", n)
	}
	// Sent twice, once through each gateway: Kafka has it once.
	if _, metrics := get(t, r.web+"/metrics"); !strings.Contains(metrics, "diurna_ingest_messages_total 2\n") ||
		!strings.Contains(metrics, `diurna_gateway_batches_total{outcome="accepted"} 2`) || strings.Contains(metrics, "ann") {
		t.Errorf("metrics:\n%s", metrics)
	}
	status := diurna(t, "sync", "status", "--user", "ann", "--home", home)
	for _, want := range []string{"w\n", "2 syncs", "future_ts", "The watch's clock is in 2029: charge it and pair it again."} {
		if !strings.Contains(status, want) {
			t.Errorf("sync status does not say %q:\n%s", want, status)
		}
	}
	diurna(t, "token", "remove", "app", "--home", home)
	if status, _ := call(t, http.MethodGet, r.web+"/v1/sync/b2", secret, ""); status != http.StatusUnauthorized {
		t.Errorf("after its token was removed: status %d", status)
	}
	if _, stderr, code := diurnaCode(t, "token", "remove", "app", "--home", home); code != 1 || !strings.Contains(stderr, "no token of that name") {
		t.Errorf("removing it again: %d %s", code, stderr)
	}
}

func TestABatchThatAGatewayDiedOverIsSentAgainAndCountsOnce(t *testing.T) {
	t.Parallel()
	for failpoint, messages := range map[string]string{"gateway.before_publish=kill": "1", "gateway.after_publish=kill": "2"} {
		t.Run(failpoint, func(t *testing.T) {
			t.Parallel()
			home := filepath.Join(t.TempDir(), "home")
			secret := strings.TrimSpace(diurna(t, "token", "add", "app", "--scope", "sync:write", "--home", home))
			r := startRun(t, home, "--flush-age", "50ms")
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, startGateway(t, home, failpoint)+"/v1/sync", strings.NewReader(stepsOneLine()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+secret)
			request.Header.Set("Content-Type", "application/json")
			if response, err := http.DefaultClient.Do(request); err == nil {
				response.Body.Close()
				t.Errorf("a gateway that died answered with status %d", response.StatusCode)
			}
			alive := startGateway(t, home, "")
			for range 2 {
				if status, answer := call(t, http.MethodPost, alive+"/v1/sync", secret, stepsOneLine()); status != http.StatusAccepted {
					t.Errorf("sent again: status %d: %v", status, answer)
				}
			}
			waitForSteps(t, home, "10")
			want := "diurna_ingest_messages_total " + messages + "\n"
			for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				_, metrics := get(t, r.web+"/metrics")
				if strings.Contains(metrics, want) {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("Kafka has not %s messages", messages)
				}
			}
			waitForSteps(t, home, "10")
		})
	}
}

func TestARequeueThatDiedIsMadeAgainAndThenRemembered(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	r := startRun(t, home, "--flush-age", "50ms")
	r.produce(t, `{"batch_id":`)
	args := []string{"dlq", "requeue", "--reason", "decode", "--unreadable", "--home", home}
	for end := time.Now().Add(30 * time.Second); !strings.HasPrefix(diurna(t, append(args, "--dry-run")...), "1 dead letter"); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("there is no dead letter")
		}
	}
	dies := exec.CommandContext(t.Context(), binary, args...)
	dies.Env = append(os.Environ(), "DIURNA_FAILPOINTS=requeue.before_record=kill")
	if out, err := dies.CombinedOutput(); err == nil {
		t.Fatalf("it did not die: %s", out)
	}
	if said := diurna(t, args...); !strings.HasPrefix(said, "1 dead letter sent again") {
		t.Errorf("after it died: %s", said)
	}
	if said := diurna(t, args...); !strings.HasPrefix(said, "0 dead letters sent again; 3 were before") {
		t.Errorf("once it is remembered: %s", said)
	}
}

func TestADeadLetterIsShownAndSentAgainOnce(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	r := startRun(t, home, "--flush-age", "50ms")
	r.produce(t, stepsBatch("1", "07", "10"))
	r.produce(t, `{"batch_id":"canary-secret`)
	r.produce(t, "\xff\xfe")
	waitForSteps(t, home, "10")
	var list struct {
		Reasons []struct {
			Reason   string
			Messages int
		}
		Letters []struct {
			Position string
			Requeued bool
		} `json:"newest_dead_letters"`
	}
	look := func() {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			if err := json.Unmarshal([]byte(diurna(t, "dlq", "list", "--format", "json", "--reason", "decode", "--since", "24h", "--home", home)), &list); err != nil {
				t.Fatal(err)
			}
			if len(list.Letters) >= 2 {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("dead letters: %+v", list)
			}
		}
	}
	look()
	if len(list.Reasons) != 1 || list.Reasons[0].Reason != "decode" || list.Reasons[0].Messages != 2 {
		t.Errorf("by reason: %+v", list.Reasons)
	}
	raw := map[string]bool{}
	for _, letter := range list.Letters {
		if shown := diurna(t, "dlq", "show", letter.Position, "--home", home); strings.Contains(shown, "canary") || !strings.Contains(shown, "reason: decode") {
			t.Errorf("shown without being asked:\n%s", shown)
		}
		raw[diurna(t, "dlq", "show", letter.Position, "--raw", "--home", home)] = true
	}
	if !raw[`{"batch_id":"canary-secret`] || !raw["\xff\xfe"] {
		t.Errorf("the bytes differ from what was sent: %v", raw)
	}
	requeue := func(args ...string) string {
		t.Helper()
		return diurna(t, append([]string{"dlq", "requeue", "--reason", "decode", "--home", home}, args...)...)
	}
	if said := requeue(); !strings.HasPrefix(said, "0 dead letters sent again; 0 were before; 2 cannot be read yet") {
		t.Errorf("what cannot be read: %s", said)
	}
	if said := requeue("--unreadable", "--dry-run"); !strings.HasPrefix(said, "2 dead letters would be sent again; 0 were before") {
		t.Errorf("only asked: %s", said)
	}
	if said := requeue("--unreadable"); !strings.HasPrefix(said, "2 dead letters sent again; 0 were before") {
		t.Errorf("the first time: %s", said)
	}
	// They were set aside again, at other positions: four dead letters of two messages.
	if said := requeue("--unreadable"); !strings.HasPrefix(said, "0 dead letters sent again; 4 were before") {
		t.Errorf("the second time: %s", said)
	}
	look()
	for _, letter := range list.Letters {
		if !letter.Requeued {
			t.Errorf("%s is not said to be sent again", letter.Position)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"dlq", "show", "7:1", "--home", home}, 1, "nothing was set aside"},
		{[]string{"dlq", "show", "x", "--home", home}, 2, "must be PARTITION:OFFSET"},
		{[]string{"dlq", "list", "--reason", "bad", "--home", home}, 2, "must be one of decode"},
		{[]string{"dlq", "list", "--since", "soon", "--home", home}, 2, "must be as 24h"},
		{[]string{"dlq", "requeue", "--home", home}, 2, "required flag"},
		{[]string{"sync", "status", "--user", "nobody", "--home", home}, 1, "no sync of this person"},
	} {
		if _, stderr, code := diurnaCode(t, c.args...); code != c.code || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: exit code %d: %s", strings.Join(c.args, " "), code, stderr)
		}
	}
}

func TestAClientThatSendsSlowlyHoldsUpNobody(t *testing.T) {
	t.Parallel()
	home := filepath.Join(t.TempDir(), "home")
	secret := strings.TrimSpace(diurna(t, "token", "add", "app", "--scope", "sync:write", "--home", home))
	r := startRun(t, home, "--flush-age", "50ms")
	at, err := url.Parse(r.web)
	if err != nil {
		t.Fatal(err)
	}
	var slow []net.Conn
	for range 200 {
		c, err := net.Dial("tcp", at.Host)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "POST /v1/sync HTTP/1.1\r\nHost: %s\r\nX-Slow: ", at.Host) // and no end
		slow = append(slow, c)
	}
	if status, answer := call(t, http.MethodPost, r.web+"/v1/sync", secret, stepsOneLine()); status != http.StatusAccepted {
		t.Fatalf("among slow ones: status %d: %v", status, answer)
	}
	for _, c := range slow[:5] {
		if err := c.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&bytes.Buffer{}, c); err != nil {
			t.Errorf("a client that never finished its headers was not sent away: %v", err)
		}
	}
}

func stepsOneLine() string {
	return strings.NewReplacer("\n", "", "\t", "").Replace(stepsBatch("1", "07", "10"))
}
