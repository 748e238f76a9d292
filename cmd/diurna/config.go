package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"github.com/diurna-health/diurna/schemas"
)

// A Config is every setting there is. The name of a setting is its path of koanf tags (kafka.topic), its environment
// variable that path in capitals (DIURNA_KAFKA_TOPIC); doc is its line in help texts, with the flag's placeholder in
// back quotes.
type Config struct {
	Home   string       `koanf:"home" doc:"'DIR' of the lake, the ledger, the log of the embedded broker and the outbox"`
	Log    LogConfig    `koanf:"log"`
	Kafka  KafkaConfig  `koanf:"kafka"`
	Broker BrokerConfig `koanf:"broker"`
	Lake   LakeConfig   `koanf:"lake"`
	Ingest IngestConfig `koanf:"ingest"`
	DuckDB DuckDBConfig `koanf:"duckdb"`
	HTTP   HTTPConfig   `koanf:"http"`
}

// LogConfig is about the log on standard error.
type LogConfig struct {
	Level  slog.Level `koanf:"level" doc:"lowest 'LEVEL' that is logged: debug, info, warn or error"`
	Format string     `koanf:"format" doc:"'FORMAT' of the log: text, json, or auto (text on a terminal, else json)"`
}

// The formats of the log.
const (
	logAuto = "auto"
	logText = "text"
	logJSON = "json"
)

// KafkaConfig is about where sync batches come from.
type KafkaConfig struct {
	Brokers []string `koanf:"brokers" doc:"'HOST:PORT,...' of a Kafka cluster; none = the embedded broker"`
	Topic   string   `koanf:"topic" doc:"'TOPIC' of the sync batches"`
}

// BrokerConfig is about the embedded broker.
type BrokerConfig struct {
	Address    string `koanf:"address" doc:"'HOST:PORT' on the loopback where the embedded broker listens; port 0 = any free one"`
	Partitions int    `koanf:"partitions" doc:"'NUMBER' of partitions of the topic, when the embedded broker makes it"`
}

// LakeConfig is about the tables.
type LakeConfig struct {
	UserBuckets int `koanf:"user_buckets" doc:"'NUMBER' of partitions people are spread over, fixed when the home is made; 0 = as the home has it, 1 for a new one"`
}

// IngestConfig says when received batches are written: whatever comes first.
type IngestConfig struct {
	FlushSamples int           `koanf:"flush_samples" doc:"'NUMBER' of samples of a partition after which they are written"`
	FlushBytes   ByteSize      `koanf:"flush_bytes" doc:"'SIZE' of messages of a partition after which they are written"`
	FlushAge     time.Duration `koanf:"flush_age" doc:"'TIME' after which the oldest message that waits is written"`
}

// DuckDBConfig bounds every DuckDB the process opens.
type DuckDBConfig struct {
	Memory  ByteSize `koanf:"memory" doc:"'SIZE' of memory one database may use"`
	Threads int      `koanf:"threads" doc:"'NUMBER' of threads one database may use; 0 = one for each processor"`
	Temp    ByteSize `koanf:"temp" doc:"'SIZE' on disk one database may use for what does not fit in memory"`
}

// HTTPConfig is about health, metrics, pages and the API.
type HTTPConfig struct {
	Address string `koanf:"address" doc:"'HOST:PORT' on which health, metrics, pages and the API are served; port 0 = any free one"`
}

// DefaultConfig returns the settings of an installation that sets none.
func DefaultConfig() Config {
	return Config{
		Home:   "./diurna-home",
		Log:    LogConfig{Level: slog.LevelInfo, Format: logAuto},
		Kafka:  KafkaConfig{Topic: "diurna.sync"},
		Broker: BrokerConfig{Address: "127.0.0.1:9092", Partitions: 4},
		Ingest: IngestConfig{FlushSamples: 8 << 20, FlushBytes: 32 << 20, FlushAge: 30 * time.Second},
		DuckDB: DuckDBConfig{Memory: 1 << 30, Temp: 16 << 30},
		HTTP:   HTTPConfig{Address: "127.0.0.1:8080"},
	}
}

// Validate returns everything that is wrong with the settings, joined, each with its name and value; nil when nothing
// is.
func (c Config) Validate() error {
	var problems []error
	check := func(ok bool, setting string, value any, rule string) {
		if !ok {
			problems = append(problems, fmt.Errorf("%s is %q: %s", setting, fmt.Sprint(value), rule))
		}
	}
	check(strings.TrimSpace(c.Home) != "", "home", c.Home, "it must name a folder")
	check(slices.Contains([]string{logAuto, logText, logJSON}, c.Log.Format), "log.format", c.Log.Format,
		"it must be auto, text or json")
	for _, b := range c.Kafka.Brokers {
		check(isHostPort(b), "kafka.brokers", b, "each must be HOST:PORT")
	}
	check(c.Kafka.Topic != "", "kafka.topic", c.Kafka.Topic, "it must name a topic")
	check(isHostPort(c.Broker.Address), "broker.address", c.Broker.Address, "it must be HOST:PORT")
	check(isHostPort(c.HTTP.Address), "http.address", c.HTTP.Address, "it must be HOST:PORT")
	check(c.Broker.Partitions >= 1, "broker.partitions", c.Broker.Partitions, "it must be 1 or more")
	check(c.Lake.UserBuckets >= 0, "lake.user_buckets", c.Lake.UserBuckets, "it must be 0 or more")
	check(c.Ingest.FlushSamples >= 1, "ingest.flush_samples", c.Ingest.FlushSamples, "it must be 1 or more")
	check(c.Ingest.FlushBytes >= 1, "ingest.flush_bytes", c.Ingest.FlushBytes, "it must be 1B or more")
	// A number without a unit is read as nanoseconds: no one means that.
	check(c.Ingest.FlushAge >= time.Millisecond, "ingest.flush_age", c.Ingest.FlushAge,
		"it must be 1ms or more, with its unit (30s)")
	check(c.DuckDB.Memory >= 64<<20, "duckdb.memory", c.DuckDB.Memory, "it must be 64MiB or more")
	check(c.DuckDB.Threads >= 0, "duckdb.threads", c.DuckDB.Threads, "it must be 0 or more")
	check(c.DuckDB.Temp >= 0, "duckdb.temp", c.DuckDB.Temp, "it must be 0B or more")
	return errors.Join(problems...)
}

func isHostPort(s string) bool {
	_, port, err := net.SplitHostPort(s)
	return err == nil && port != ""
}

func newConfigCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "config",
		Short: "Print the effective configuration",
		Long: `Print every setting with its effective value, as a file that --config can read. A value that is not the
default says where it comes from; secrets are not shown.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := loadSettings(cmd.Flags(), a.lookupEnv)
			if err != nil {
				return err
			}
			return s.writeYAML(a.stdout)
		},
	}
}

// writeYAML writes the settings in the order of Config, sections indented, each below its description.
func (s *settings) writeYAML(w io.Writer) error {
	var out strings.Builder
	section := ""
	for _, st := range knownSettings() {
		indent := ""
		if parent, _, ok := strings.Cut(st.path, "."); ok {
			if parent != section {
				fmt.Fprintf(&out, "%s:\n", parent)
				section = parent
			}
			indent = "  "
		}
		value, err := yaml.Marshal(s.value(st))
		if err != nil {
			return fmt.Errorf("print %s: %w", st.path, err)
		}
		line := flowYAML(string(value))
		fmt.Fprintf(&out, "%s# %s\n%s%s: %s", indent, st.plainDoc(), indent, st.name(), line)
		if origin := s.origin[st.path]; origin != "" {
			fmt.Fprintf(&out, "  # from %s", origin)
		}
		out.WriteByte('\n')
	}
	_, err := io.WriteString(w, out.String())
	return err
}

// flowYAML brings a list, the only value of several lines that settings have, into one line.
func flowYAML(value string) string {
	value = strings.TrimSpace(value)
	if !strings.HasPrefix(value, "- ") {
		return value
	}
	items := strings.Split(value, "\n")
	for i := range items {
		items[i] = strings.TrimPrefix(strings.TrimSpace(items[i]), "- ")
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// problemsError turns what is wrong with the settings into the one error a person sees.
func problemsError(err error) error {
	problems := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		problems = joined.Unwrap()
	}
	if len(problems) == 1 {
		return &schemas.Error{Code: schemas.CodeInvalid, Message: "setting " + problems[0].Error()}
	}
	var list strings.Builder
	for _, p := range problems {
		list.WriteString("\n  " + p.Error())
	}
	return &schemas.Error{
		Code:    schemas.CodeInvalid,
		Message: fmt.Sprintf("%d settings are wrong:%s", len(problems), list.String()),
	}
}
