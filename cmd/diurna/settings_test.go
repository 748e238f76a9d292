package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/diurna-health/diurna/schemas"
)

// load returns the settings a command is given by its arguments and the variables.
func load(t *testing.T, env map[string]string, args ...string) (*settings, error) {
	t.Helper()
	a := newApp(strings.NewReader(""), io.Discard, io.Discard)
	a.lookupEnv = func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}
	var loaded *settings
	probe := &cobra.Command{Use: "probe", RunE: func(cmd *cobra.Command, _ []string) (err error) {
		loaded, err = loadSettings(cmd.Flags(), a.lookupEnv)
		return err
	}}
	addSettingFlag(probe.Flags(), "brokers", "kafka.brokers")
	root := newRootCommand(a)
	root.AddCommand(probe)
	root.SetArgs(append([]string{"probe"}, args...))
	err := root.ExecuteContext(t.Context())
	return loaded, err
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func settingsFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "diurna.yaml")
	writeFile(t, path, content)
	return path
}

func TestFlagsWinOverVariablesOverFileOverDefaults(t *testing.T) {
	t.Parallel()
	file := settingsFile(t, "home: /file\nlog:\n  level: warn\n  format: json\nkafka:\n  topic: file\n  brokers: [a:1, b:2]\n"+
		"ingest:\n  flush_age: 5s\n  flush_bytes: 1MiB\nduckdb:\n")
	s, err := load(t, map[string]string{
		"DIURNA_LOG_LEVEL": "error", "DIURNA_KAFKA_TOPIC": "env", "DIURNA_DUCKDB_THREADS": "3", "DIURNA_TESTDATA": "/data",
	}, "--config", file, "--log-level", "debug")
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Home = "/file"
	want.Log = LogConfig{Level: slog.LevelDebug, Format: logJSON}
	want.Kafka.Brokers, want.Kafka.Topic = []string{"a:1", "b:2"}, "env"
	want.Ingest.FlushAge, want.Ingest.FlushBytes = 5*time.Second, 1<<20
	want.DuckDB.Threads = 3
	if diff := cmp.Diff(want, s.config); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	for path, origin := range map[string]string{
		"home": file, "log.level": "--log-level", "kafka.topic": "DIURNA_KAFKA_TOPIC", "broker.address": "",
	} {
		if s.origin[path] != origin {
			t.Errorf("%s is said to come from %q, want %q", path, s.origin[path], origin)
		}
	}
}

func TestListsAreSeparatedByCommasInVariablesAndFlags(t *testing.T) {
	t.Parallel()
	s, err := load(t, map[string]string{"DIURNA_KAFKA_BROKERS": "x:1"}, "--brokers", "a:1, b:2,")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a:1", "b:2"}, s.config.Kafka.Brokers); diff != "" {
		t.Errorf("brokers (-want +got):\n%s", diff)
	}
}

func TestThePrintedConfigurationReadsBack(t *testing.T) {
	t.Parallel()
	env := map[string]string{"DIURNA_KAFKA_BROKERS": "[::1]:9092,b:2", "DIURNA_HOME": "# odd: name", "DIURNA_INGEST_FLUSH_AGE": "1m30s"}
	first, err := load(t, env)
	if err != nil {
		t.Fatal(err)
	}
	var printed strings.Builder
	if err := first.writeYAML(&printed); err != nil {
		t.Fatal(err)
	}
	again, err := load(t, nil, "--config", settingsFile(t, printed.String()))
	if err != nil {
		t.Fatalf("%v in\n%s", err, printed.String())
	}
	if diff := cmp.Diff(first.config, again.config); diff != "" {
		t.Errorf("settings (-first +again):\n%s", diff)
	}
	if !strings.Contains(printed.String(), "flush_age: 1m30s  # from DIURNA_INGEST_FLUSH_AGE\n") {
		t.Errorf("the origin is not said:\n%s", printed.String())
	}
}

func TestEveryProblemIsNamed(t *testing.T) {
	t.Parallel()
	file := settingsFile(t, "kafka:\n  topik: x\nlog: loud\n")
	_, err := load(t, map[string]string{"DIURNA_DUCKDB_THREADS": "many", "DIURNA_INGEST_FLUSH_BYTES": "5MB"}, "--config", file)
	wantInvalid(t, err, "4 settings are wrong:", "kafka.topik in "+file+" is unknown", "log in "+file+" is unknown",
		"duckdb.threads from DIURNA_DUCKDB_THREADS: ", `ingest.flush_bytes from DIURNA_INGEST_FLUSH_BYTES: "5MB" is no size`)

	file = settingsFile(t, "home: ' '\nlake: {user_buckets: -1}\nlog: {format: xml}\nkafka: {topic: '', brokers: [there]}\n"+
		"broker: {address: here, partitions: 0}\ningest: {flush_samples: 0, flush_bytes: 0, flush_age: 30}\nduckdb: {memory: 1KiB, threads: -1, temp: 0}\n")
	_, err = load(t, nil, "--config", file)
	wantInvalid(t, err, "12 settings are wrong:", `home is " "`, `lake.user_buckets is "-1"`, `log.format is "xml"`,
		`kafka.topic is ""`, `broker.address is "here"`, `broker.partitions is "0"`, `kafka.brokers is "there"`, `ingest.flush_samples is "0"`,
		`ingest.flush_bytes is "0B"`, `ingest.flush_age is "30ns"`, `duckdb.memory is "1KiB"`, `duckdb.threads is "-1"`)

	_, err = load(t, nil, "--log-level", "loud")
	wantInvalid(t, err, "setting log.level from --log-level: ")
	_, err = load(t, nil, "--config", "/nowhere/diurna.yaml")
	wantInvalid(t, err, "there is no file /nowhere/diurna.yaml")
	_, err = load(t, nil, "--config", settingsFile(t, "a: [\n"))
	wantInvalid(t, err, "not valid YAML")
}

func wantInvalid(t *testing.T, err error, parts ...string) {
	t.Helper()
	if schemas.ErrorCode(err) != schemas.CodeInvalid {
		t.Fatalf("got %v, want an error with code invalid", err)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in:\n%s", part, err)
		}
	}
}

func TestTheDefaultsAreValidAndEverySettingIsDescribed(t *testing.T) {
	t.Parallel()
	if err := DefaultConfig().Validate(); err != nil {
		t.Error(err)
	}
	for _, s := range knownSettings() {
		if s.name() == "" || s.doc == "" {
			t.Errorf("setting %q has doc %q", s.path, s.doc)
		}
	}
	if n := reflect.TypeFor[Config]().NumField(); len(knownSettings()) < n {
		t.Errorf("%d settings in %d fields", len(knownSettings()), n)
	}
}

func TestASecretIsNeverShown(t *testing.T) {
	t.Parallel()
	type login struct{ Password Secret }
	secret := login{"hunter2"}
	var shown strings.Builder
	fmt.Fprintf(&shown, "%v %+v %#v %s %q", secret, secret, secret, secret.Password, secret.Password)
	for _, encode := range []func(any) ([]byte, error){json.Marshal, yaml.Marshal} {
		data, err := encode(secret)
		if err != nil {
			t.Fatal(err)
		}
		shown.Write(data)
	}
	slog.New(slog.NewTextHandler(&shown, nil)).Info("login", "password", secret.Password, "all", secret)
	if strings.Contains(shown.String(), "hunter2") || strings.Count(shown.String(), redacted) != 9 {
		t.Errorf("shown: %s", shown.String())
	}
	if secret.Password.Reveal() != "hunter2" || Secret("").String() != "" {
		t.Error("a secret must be of use, and none must not look like one")
	}
}

func TestSizesAreWrittenAsTheyAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		size ByteSize
		text string
	}{
		"0": {0, "0B"}, "1": {1, "1B"}, "1024": {1024, "1KiB"}, "1536 KiB": {1536 << 10, "1536KiB"}, "32MiB": {32 << 20, "32MiB"},
		"2GiB": {2 << 30, "2GiB"}, "1TiB": {1 << 40, "1TiB"}, "7B": {7, "7B"},
	} {
		var b ByteSize
		if err := b.UnmarshalText([]byte(text)); err != nil || b != want.size || b.String() != want.text {
			t.Errorf("%q: got %d %s, %v", text, b, b, err)
		}
	}
	for _, text := range []string{"", "x", "-1", "1.5GiB", "5MB", "9223372036854775807KiB", "GiB"} {
		var b ByteSize
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was read as %s", text, b)
		}
	}
}
