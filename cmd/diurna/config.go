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

	"github.com/diurna-health/diurna/ingest"
	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake/s3"
	"github.com/diurna-health/diurna/schemas"
)

// A Config is every setting there is. The name of a setting is its path of koanf tags (kafka.topic), its environment
// variable that path in capitals (DIURNA_KAFKA_TOPIC); doc is its line in help texts, with the flag's placeholder in
// single quotes.
type Config struct {
	Home   string       `koanf:"home" doc:"'DIR' of the lake, the ledger, the log of the embedded broker and the outbox"`
	Log    LogConfig    `koanf:"log"`
	Kafka  KafkaConfig  `koanf:"kafka"`
	Broker BrokerConfig `koanf:"broker"`
	Lake   LakeConfig   `koanf:"lake"`
	S3     S3Config     `koanf:"s3"`
	Ingest IngestConfig `koanf:"ingest"`
	DuckDB DuckDBConfig `koanf:"duckdb"`
	HTTP   HTTPConfig   `koanf:"http"`

	Gateway GatewayConfig `koanf:"gateway"`
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

	TLS           bool   `koanf:"tls" doc:"encrypt what is said to brokers and check who they are: 'BOOL'"`
	TLSCA         string `koanf:"tls_ca" doc:"PEM 'FILE' of the authorities that may sign a broker's certificate; none = those of the system"`
	TLSCert       string `koanf:"tls_cert" doc:"PEM 'FILE' of the certificate that brokers are shown"`
	TLSKey        string `koanf:"tls_key" doc:"PEM 'FILE' of the key of tls_cert"`
	SASLMechanism string `koanf:"sasl_mechanism" doc:"'HOW' to log in to brokers: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; none = not"`
	SASLUser      string `koanf:"sasl_user" doc:"'NAME' to log in with"`
	SASLPassword  Secret `koanf:"sasl_password" doc:"'PASSWORD' to log in with"`
	Insecure      bool   `koanf:"insecure" doc:"allow brokers on other machines without TLS: 'BOOL'"`
}

// BrokerConfig is about the embedded broker.
type BrokerConfig struct {
	Address    string `koanf:"address" doc:"'HOST:PORT' on the loopback where the embedded broker listens; port 0 = any free one"`
	Partitions int    `koanf:"partitions" doc:"'NUMBER' of partitions of the topic, when the embedded broker makes it"`
}

// LakeConfig is about the tables.
type LakeConfig struct {
	Location string `koanf:"location" doc:"'WHERE' the tables are: s3://bucket/prefix; none = the home's folder lake"`

	UserBuckets int `koanf:"user_buckets" doc:"'NUMBER' of partitions people are spread over, fixed when the home is made; 0 = as the home has it, 1 for a new one"`

	TrashFor time.Duration `koanf:"trash_for" doc:"'TIME' for which swept data files can be moved back from the lake's folder _trash; 0s = none"`
}

// S3Config is about the bucket of a lake that is in one.
type S3Config struct {
	Endpoint  string   `koanf:"endpoint" doc:"'URL' of the S3 server; none = Amazon's"`
	Region    string   `koanf:"region" doc:"'REGION' of the bucket"`
	AccessKey string   `koanf:"access_key" doc:"'KEY' to log in with; none = AWS_ACCESS_KEY_ID, ~/.aws/credentials or the role of the machine"`
	SecretKey Secret   `koanf:"secret_key" doc:"'SECRET' of the access key"`
	PathStyle bool     `koanf:"path_style" doc:"name the bucket in the path and not in the host: 'BOOL'; most servers but Amazon's want it"`
	Cache     ByteSize `koanf:"cache" doc:"'SIZE' on disk of local copies of the lake's files"`
}

// IngestConfig says when received batches are written (whatever comes first), who reads which partitions, and what is
// done when something is not as it should be.
type IngestConfig struct {
	FlushSamples int           `koanf:"flush_samples" doc:"'NUMBER' of samples of a partition after which they are written"`
	FlushBytes   ByteSize      `koanf:"flush_bytes" doc:"'SIZE' of messages of a partition after which they are written"`
	FlushAge     time.Duration `koanf:"flush_age" doc:"'TIME' after which the oldest message that waits is written"`
	Memory       ByteSize      `koanf:"memory" doc:"'SIZE' of what all partitions together may hold; beyond it the largest is written"`

	Group       string              `koanf:"group" doc:"'NAME' of the consumer group whose members share the topic; none = this process reads all of it"`
	Session     time.Duration       `koanf:"session" doc:"'TIME' after which the group gives the partitions of a member that fell silent to the others; brokers refuse less than 6s unless they were told otherwise"`
	OnGap       ingest.GapPolicy    `koanf:"on_gap" doc:"'WHAT' to do when Kafka deleted messages before they were read: halt, or record and go on"`
	OnStorm     ingest.StormPolicy  `koanf:"on_storm" doc:"'WHAT' to do when more than a fifth of many messages cannot be read: pause or go-on"`
	OnFenced    ingest.FencedPolicy `koanf:"on_fenced" doc:"'WHAT' to do when another process claims a partition: wait, and take over when it stands still, or stop"`
	NewSource   bool                `koanf:"new_source" doc:"accept that the topic is another one than the lake was filled from: 'BOOL'; what the lake has is kept"`
	DiskReserve ByteSize            `koanf:"disk_reserve" doc:"'SIZE' that stays free on the disk; of a small disk at most a 20th part"`
	Ballast     ByteSize            `koanf:"ballast" doc:"'SIZE' of a file that is given up when the disk is full; none on a disk below 10GiB"`
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

// GatewayConfig bounds what apps may send over HTTP.
type GatewayConfig struct {
	PackedBytes    ByteSize      `koanf:"packed_bytes" doc:"'SIZE' of a request's body as it is sent"`
	BodyBytes      ByteSize      `koanf:"body_bytes" doc:"'SIZE' of a request's body unpacked"`
	Batches        int           `koanf:"batches" doc:"'NUMBER' of sync batches in a request"`
	Memory         ByteSize      `koanf:"memory" doc:"'SIZE' of the bodies of all requests under way; who comes when it is full is told to come again"`
	TokenRate      int           `koanf:"token_rate" doc:"'NUMBER' of sync batches a second that one token may send for long"`
	TokenBurst     int           `koanf:"token_burst" doc:"'NUMBER' of sync batches that one token may send at once"`
	DeviceRate     int           `koanf:"device_rate" doc:"'NUMBER' of sync batches a minute that one device may send for long"`
	DeviceBurst    int           `koanf:"device_burst" doc:"'NUMBER' of sync batches that one device may send at once"`
	MaxLag         int           `koanf:"max_lag" doc:"'NUMBER' of messages that may wait for ingest before apps are told to come again; 0 = any"`
	PublishTimeout time.Duration `koanf:"publish_timeout" doc:"'TIME' Kafka may take for a request"`
	Remember       time.Duration `koanf:"remember" doc:"'TIME' for which a sync batch that is sent again is known again"`
}

// DefaultConfig returns the settings of an installation that sets none.
func DefaultConfig() Config {
	return Config{
		Home:   "./diurna-home",
		Log:    LogConfig{Level: slog.LevelInfo, Format: logAuto},
		Kafka:  KafkaConfig{Topic: "diurna.sync"},
		Broker: BrokerConfig{Address: "127.0.0.1:9092", Partitions: 4},
		Lake:   LakeConfig{TrashFor: 24 * time.Hour},
		Ingest: IngestConfig{
			FlushSamples: ingest.DefaultFlushSamples, FlushBytes: ingest.DefaultFlushBytes, FlushAge: ingest.DefaultFlushAge,
			Memory: ingest.DefaultMemoryBytes, OnGap: ingest.GapHalt, OnStorm: ingest.StormPause, OnFenced: ingest.FencedWait,
			DiskReserve: 512 << 20, Ballast: 256 << 20, Session: kafka.DefaultSessionTimeout,
		},
		S3:     S3Config{Cache: 16 << 30},
		DuckDB: DuckDBConfig{Memory: 1 << 30, Temp: 16 << 30},
		HTTP:   HTTPConfig{Address: "127.0.0.1:8080"},
		Gateway: GatewayConfig{
			PackedBytes: 32 << 20, BodyBytes: 64 << 20, Batches: 1000, Memory: 512 << 20,
			TokenRate: 500, TokenBurst: 5000, DeviceRate: 60, DeviceBurst: 600,
			MaxLag: 1_000_000, PublishTimeout: 15 * time.Second, Remember: 30 * 24 * time.Hour,
		},
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
	check(slices.Contains([]string{"", kafka.MechanismPlain, kafka.MechanismScramSHA256, kafka.MechanismScramSHA512}, c.Kafka.SASLMechanism),
		"kafka.sasl_mechanism", c.Kafka.SASLMechanism, "it must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	check(isHostPort(c.Broker.Address), "broker.address", c.Broker.Address, "it must be HOST:PORT")
	check(isHostPort(c.HTTP.Address), "http.address", c.HTTP.Address, "it must be HOST:PORT")
	check(c.Broker.Partitions >= 1, "broker.partitions", c.Broker.Partitions, "it must be 1 or more")
	if c.Lake.Location != "" {
		_, _, err := s3.ParseLocation(c.Lake.Location)
		check(err == nil, "lake.location", c.Lake.Location, "it must be s3://bucket/prefix, or empty for the home's own folder")
	}
	check(c.S3.Cache >= 64<<20, "s3.cache", c.S3.Cache, "it must be 64MiB or more")
	check(c.Lake.UserBuckets >= 0, "lake.user_buckets", c.Lake.UserBuckets, "it must be 0 or more")
	check(c.Lake.TrashFor == 0 || c.Lake.TrashFor >= time.Second, "lake.trash_for", c.Lake.TrashFor, "it must be 0s, or 1s or more")
	check(c.Ingest.FlushSamples >= 1, "ingest.flush_samples", c.Ingest.FlushSamples, "it must be 1 or more")
	check(c.Ingest.FlushBytes >= 1, "ingest.flush_bytes", c.Ingest.FlushBytes, "it must be 1B or more")
	// A number without a unit is read as nanoseconds: no one means that.
	check(c.Ingest.FlushAge >= time.Millisecond, "ingest.flush_age", c.Ingest.FlushAge,
		"it must be 1ms or more, with its unit (30s)")
	check(c.Ingest.Memory >= 16<<20, "ingest.memory", c.Ingest.Memory, "it must be 16MiB or more")
	check(c.Ingest.Session >= time.Second, "ingest.session", c.Ingest.Session, "it must be 1s or more")
	check(slices.Contains([]ingest.GapPolicy{ingest.GapHalt, ingest.GapRecord}, c.Ingest.OnGap), "ingest.on_gap", c.Ingest.OnGap,
		"it must be halt or record")
	check(slices.Contains([]ingest.StormPolicy{ingest.StormPause, ingest.StormGoOn}, c.Ingest.OnStorm), "ingest.on_storm",
		c.Ingest.OnStorm, "it must be pause or go-on")
	check(slices.Contains([]ingest.FencedPolicy{ingest.FencedWait, ingest.FencedStop}, c.Ingest.OnFenced), "ingest.on_fenced",
		c.Ingest.OnFenced, "it must be wait or stop")
	check(c.Ingest.DiskReserve >= 0, "ingest.disk_reserve", c.Ingest.DiskReserve, "it must be 0B or more")
	check(c.Ingest.Ballast >= 0, "ingest.ballast", c.Ingest.Ballast, "it must be 0B or more")
	check(c.DuckDB.Memory >= 64<<20, "duckdb.memory", c.DuckDB.Memory, "it must be 64MiB or more")
	check(c.DuckDB.Threads >= 0, "duckdb.threads", c.DuckDB.Threads, "it must be 0 or more")
	check(c.DuckDB.Temp >= 0, "duckdb.temp", c.DuckDB.Temp, "it must be 0B or more")
	for _, bound := range []struct {
		setting string
		value   ByteSize
	}{{"gateway.packed_bytes", c.Gateway.PackedBytes}, {"gateway.body_bytes", c.Gateway.BodyBytes}, {"gateway.memory", c.Gateway.Memory}} {
		check(bound.value >= 1<<20, bound.setting, bound.value, "it must be 1MiB or more")
	}
	// A buffer that grows may take twice its bytes.
	check(c.Gateway.Memory >= 2*c.Gateway.BodyBytes+1<<20, "gateway.memory", c.Gateway.Memory, "it must have room for two of gateway.body_bytes, and 1MiB")
	for _, bound := range []struct {
		setting string
		value   int
	}{
		{"gateway.batches", c.Gateway.Batches}, {"gateway.token_rate", c.Gateway.TokenRate}, {"gateway.token_burst", c.Gateway.TokenBurst},
		{"gateway.device_rate", c.Gateway.DeviceRate}, {"gateway.device_burst", c.Gateway.DeviceBurst},
	} {
		check(bound.value >= 1, bound.setting, bound.value, "it must be 1 or more")
	}
	check(c.Gateway.MaxLag >= 0, "gateway.max_lag", c.Gateway.MaxLag, "it must be 0 or more")
	check(c.Gateway.PublishTimeout >= time.Second && c.Gateway.PublishTimeout <= 50*time.Second, "gateway.publish_timeout",
		c.Gateway.PublishTimeout, "it must be between 1s and 50s: an answer takes a minute at most")
	check(c.Gateway.Remember >= time.Hour, "gateway.remember", c.Gateway.Remember, "it must be 1h or more")
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
