package broker

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"

	"github.com/diurna-health/diurna/schemas"
)

// childEnv makes the test binary be a broker on the folder it names, until it is killed.
const childEnv = "BROKER_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		b, err := Start(context.Background(), Config{Dir: dir, Addr: "127.0.0.1:0", Partitions: 1, Now: time.Now})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(b.Addr())
		select {}
	}
	os.Exit(m.Run())
}

func TestRecordsStayAcrossACleanRestart(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Config{Dir: dir, Partitions: 1})
	id := clusterID(t, b.Addr())
	produce(t, b.Addr(), "a", "b", "c")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}

	b = start(t, Config{Dir: dir, Partitions: 8})
	produce(t, b.Addr(), "d")
	if diff := cmp.Diff([]string{"0:a", "1:b", "2:c", "3:d"}, read(t, b, 0)); diff != "" {
		t.Error(diff)
	}
	if b.Partitions() != 1 {
		t.Errorf("an existing topic of 1 partition now has %d", b.Partitions())
	}
	if got := clusterID(t, b.Addr()); got != id {
		t.Errorf("the cluster id changed from %s to %s", id, got)
	}
	if other := clusterID(t, start(t, Config{Dir: t.TempDir()}).Addr()); other == id {
		t.Errorf("two logs have one cluster id %s", id)
	}
}

func TestWhatWasAcknowledgedSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	var want []string
	for round := range 3 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childEnv+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		addr, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			value := fmt.Sprintf("%d-%d", round, i)
			produce(t, strings.TrimSpace(addr), value)
			want = append(want, fmt.Sprintf("%d:%s", len(want), value))
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = child.Wait()
	}
	if diff := cmp.Diff(want, read(t, start(t, Config{Dir: dir}), 0)); diff != "" {
		t.Error(diff)
	}
}

func TestTrimDeletesOnlyWhatLiesBelowAndKeepsTheLastRecord(t *testing.T) {
	dir := t.TempDir()
	b := start(t, Config{Dir: dir, Partitions: 1})
	produce(t, b.Addr(), "a", "b", "c", "d")

	if err := b.Trim(t.Context(), 0, 2); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"2:c", "3:d"}, read(t, b, 2)); diff != "" {
		t.Error(diff)
	}
	if err := b.Trim(t.Context(), 0, 1); err != nil {
		t.Errorf("trim below what is already gone: %v", err)
	}
	if err := b.Trim(t.Context(), 0, 5); err == nil {
		t.Error("trim beyond the end is accepted")
	}
	if err := b.Trim(t.Context(), 7, 1); err == nil {
		t.Error("trim of a partition that does not exist is accepted")
	}
	if err := b.Trim(t.Context(), 0, 4); err != nil {
		t.Fatal(err)
	}
	first, end, err := b.bounds(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	if first != 3 || end != 4 {
		t.Errorf("after a full trim the partition spans [%d, %d), want [3, 4)", first, end)
	}
}

func TestOffsetsGoOnAfterAFullTrimAndAKill(t *testing.T) {
	dir := t.TempDir()
	live := start(t, Config{Dir: dir, Partitions: 1})
	produce(t, live.Addr(), "a", "b", "c")
	if err := live.Trim(t.Context(), 0, 3); err != nil {
		t.Fatal(err)
	}
	// A copy of the folder as it lies on the disk is what a kill leaves behind.
	left := t.TempDir()
	if err := os.CopyFS(left, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	b := start(t, Config{Dir: left})
	produce(t, b.Addr(), "d")
	if got := read(t, b, 2); !slices.Equal(got, []string{"2:c", "3:d"}) {
		t.Errorf("after the restart the partition ends with %q", got)
	}
}

func TestTimesAreTheBrokers(t *testing.T) {
	brokerTime := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	past := time.Date(2016, 4, 12, 8, 0, 0, 0, time.UTC)
	for name, times := range map[string][]time.Time{
		"producer's clock is years behind":        {past},
		"producer's clock is years ahead":         {past.AddDate(40, 0, 0)},
		"one batch tells of several years":        {past, past.AddDate(3, 0, 0), past.AddDate(-1, 0, 0)},
		"one batch tells of several years, later": {past, past.AddDate(0, 0, -9)},
	} {
		for _, codec := range []kafka.Compression{0, kafka.Gzip, kafka.Snappy, kafka.Lz4, kafka.Zstd} {
			t.Run(name+"/"+codec.String(), func(t *testing.T) {
				dir := t.TempDir()
				b := start(t, Config{Dir: dir, Partitions: 1, Now: func() time.Time { return brokerTime }})
				var msgs []kafka.Message
				for i, at := range times {
					msgs = append(msgs, kafka.Message{Key: []byte("k"), Value: []byte(strconv.Itoa(i)), Time: at,
						Headers: []kafka.Header{{Key: "h", Value: []byte("v")}}})
				}
				write(t, b.Addr(), codec, msgs...)
				if err := b.Close(); err != nil {
					t.Fatal(err)
				}
				b = start(t, Config{Dir: dir}) // the checksums must fit, or the restart refuses them
				for i, m := range readMessages(t, b, 0) {
					if !m.Time.Equal(brokerTime) {
						t.Errorf("record %d has time %s, want %s", i, m.Time.UTC(), brokerTime)
					}
					if string(m.Value) != strconv.Itoa(i) || string(m.Key) != "k" || len(m.Headers) != 1 {
						t.Errorf("record %d came back changed", i)
					}
				}
			})
		}
	}
}

func TestAProducerThatClaimsTheBrokersTimeDoesNotSpoilTheLog(t *testing.T) {
	batch := batchAt(0)
	batch[batchAttributesAt+1] = attributeLogAppendTime
	sealBatch(batch)

	got := stamped(slices.Clone(batch), 1_000)
	if !soundBatch(got) {
		t.Fatal("the stamped batch's checksum does not fit")
	}
	if got[batchAttributesAt+1]&attributeLogAppendTime != 0 {
		t.Error("the producer's flag is still there")
	}
	broken := slices.Clone(batch)
	broken[len(broken)-2] ^= 1
	if got := stamped(slices.Clone(broken), 1_000); !slices.Equal(got, broken) {
		t.Error("a broken batch was given a fitting checksum")
	}
}

func TestStampingGoesOnAfterManyRequests(t *testing.T) {
	brokerTime := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b := start(t, Config{Dir: t.TempDir(), Partitions: 1, Now: func() time.Time { return brokerTime }})
	n := 2*renewEvery + 3
	for i := range n {
		produce(t, b.Addr(), strconv.Itoa(i))
	}
	msgs := readMessages(t, b, 0)
	if len(msgs) != n {
		t.Fatalf("%d records, want %d", len(msgs), n)
	}
	for _, m := range msgs {
		if !m.Time.Equal(brokerTime) {
			t.Fatalf("record %d has time %s", m.Offset, m.Time.UTC())
		}
	}
}

func TestADamagedLogIsRefusedAndATornEndIsNot(t *testing.T) {
	whole := t.TempDir()
	b := start(t, Config{Dir: whole, Partitions: 1})
	for _, v := range []string{"a", "b", "c"} {
		produce(t, b.Addr(), v)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	segment := func(dir string) string {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(dir, "partitions", "*", "0.dat"))
		if err != nil || len(found) != 1 {
			t.Fatalf("segments: %v, %v", found, err)
		}
		return found[0]
	}
	for name, tc := range map[string]struct {
		spoil func(data []byte) []byte
		want  []string // nil = refused
	}{
		"a bit flipped in the first batch": {func(d []byte) []byte { d[70] ^= 1; return d }, nil},
		"a bit flipped in the last batch":  {func(d []byte) []byte { d[len(d)-2] ^= 1; return d }, nil},
		"the first batch cut out":          {func(d []byte) []byte { return d[len(d)/3:] }, nil},
		"the last write unfinished":        {func(d []byte) []byte { return d[:len(d)-5] }, []string{"0:a", "1:b"}},
		"zeros after the last write":       {func(d []byte) []byte { return append(d, make([]byte, 500)...) }, []string{"0:a", "1:b", "2:c"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			data, err := os.ReadFile(segment(dir))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(segment(dir), tc.spoil(data), 0o600); err != nil {
				t.Fatal(err)
			}
			b, err := Start(t.Context(), Config{Dir: dir, Addr: "127.0.0.1:0", Now: time.Now})
			if tc.want == nil {
				if schemas.ErrorCode(err) != schemas.CodeInternal || err == nil || !strings.Contains(err.Error(), "0.dat") {
					t.Fatalf("error = %v, want one that names the file", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = b.Close() })
			if diff := cmp.Diff(tc.want, read(t, b, 0)); diff != "" {
				t.Error(diff)
			}
		})
	}

	t.Run("the cluster's own file gone", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(filepath.Join(dir, "meta.json")); err != nil {
			t.Fatal(err)
		}
		if _, err := Start(t.Context(), Config{Dir: dir, Addr: "127.0.0.1:0", Now: time.Now}); err == nil {
			t.Error("a log without its meta.json would begin at 0 again, and is accepted")
		}
	})
}

func TestSegmentsMustFollowEachOther(t *testing.T) {
	two := slices.Concat(batchAt(0), batchAt(1))
	for name, tc := range map[string]struct {
		files map[string][]byte
		sound bool
	}{
		"two files":                       {map[string][]byte{"0.dat": two, "2.dat": batchAt(2)}, true},
		"what was trimmed is not missed":  {map[string][]byte{"2.dat": batchAt(2), "3.dat": batchAt(3)}, true},
		"the last file unfinished":        {map[string][]byte{"0.dat": two, "2.dat": batchAt(2)[:30]}, true},
		"a file in between unfinished":    {map[string][]byte{"0.dat": two[:len(two)-3], "2.dat": batchAt(2)}, false},
		"a file in between without end":   {map[string][]byte{"0.dat": append(slices.Clone(two), 0, 0, 0), "2.dat": batchAt(2)}, false},
		"a file missing":                  {map[string][]byte{"0.dat": two, "3.dat": batchAt(3)}, false},
		"a file with others' offsets":     {map[string][]byte{"0.dat": two, "2.dat": batchAt(7)}, false},
		"a file shorter than it once was": {map[string][]byte{"0.dat": batchAt(0), "2.dat": batchAt(2)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, data := range tc.files {
				if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := checkPartition(dir); (err == nil) != tc.sound {
				t.Errorf("error: %v", err)
			}
		})
	}
}

func TestAddressesThatCannotServeAreRefused(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for addr, want := range map[string]schemas.Code{
		taken.Addr().String(): schemas.CodeConflict,
		"0.0.0.0:0":           schemas.CodeInvalid,
		"192.0.2.1:9092":      schemas.CodeInvalid,
		":9092":               schemas.CodeInvalid,
		"127.0.0.1":           schemas.CodeInvalid,
		"127.0.0.1:http":      schemas.CodeInvalid,
		"127.0.0.1:70000":     schemas.CodeInvalid,
	} {
		_, err := Start(t.Context(), Config{Dir: t.TempDir(), Addr: addr, Now: time.Now})
		if got := schemas.ErrorCode(err); got != want {
			t.Errorf("%s: error %v has code %q, want %q", addr, err, got, want)
		}
	}
	if _, err := Start(t.Context(), Config{Dir: os.Args[0], Addr: "127.0.0.1:0", Now: time.Now}); schemas.ErrorCode(err) != schemas.CodeInvalid {
		t.Errorf("a file as folder: %v", err)
	}
}

func TestMessagesUpToTheLimitAreTaken(t *testing.T) {
	b := start(t, Config{Dir: t.TempDir(), Partitions: 1})
	produce(t, b.Addr(), strings.Repeat("x", MaxMessageBytes-1024))
	w := writer(b.Addr(), 0)
	defer w.Close()
	err := w.WriteMessages(t.Context(), kafka.Message{Value: make([]byte, MaxMessageBytes)})
	var many kafka.WriteErrors
	if !errors.As(err, &many) || !errors.Is(many[0], kafka.MessageSizeTooLarge) {
		t.Errorf("a message beyond the limit: %v", err)
	}
}

// batchAt returns a record batch of one record with the value x.
func batchAt(offset uint64) []byte {
	batch := append(make([]byte, 0, batchHeaderBytes+8), make([]byte, batchHeaderBytes)...)
	binary.BigEndian.PutUint64(batch, offset)
	batch[batchMagicAt] = 2
	batch[batchHeaderBytes-1] = 1                    // one record:
	batch = append(batch, 14, 0, 0, 0, 1, 2, 'x', 0) // 7 bytes, no key, value "x", no headers
	sealBatch(batch)
	return batch
}

func start(t *testing.T, cfg Config) *Broker {
	t.Helper()
	cfg.Addr = "127.0.0.1:0"
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	b, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func writer(addr string, codec kafka.Compression) *kafka.Writer {
	return &kafka.Writer{
		Addr: kafka.TCP(addr), Topic: DefaultTopic, RequiredAcks: kafka.RequireAll, BatchTimeout: time.Millisecond,
		BatchBytes: 2 * MaxMessageBytes, Compression: codec, MaxAttempts: 2, Transport: &kafka.Transport{},
	}
}

func write(t *testing.T, addr string, codec kafka.Compression, msgs ...kafka.Message) {
	t.Helper()
	w := writer(addr, codec)
	defer w.Close()
	defer w.Transport.(*kafka.Transport).CloseIdleConnections()
	if err := w.WriteMessages(t.Context(), msgs...); err != nil {
		t.Fatal(err)
	}
}

func produce(t *testing.T, addr string, values ...string) {
	t.Helper()
	var msgs []kafka.Message
	for _, v := range values {
		msgs = append(msgs, kafka.Message{Value: []byte(v)})
	}
	write(t, addr, 0, msgs...)
}

// readMessages returns what partition 0 holds from an offset on.
func readMessages(t *testing.T, b *Broker, from int64) []kafka.Message {
	t.Helper()
	_, end, err := b.bounds(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{b.Addr()}, Topic: DefaultTopic, MaxBytes: 2 * MaxMessageBytes, MaxWait: 10 * time.Millisecond})
	defer r.Close()
	if err := r.SetOffset(from); err != nil {
		t.Fatal(err)
	}
	var msgs []kafka.Message
	for next := from; next < end; {
		m, err := r.FetchMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		msgs = append(msgs, m)
		next = m.Offset + 1
	}
	return msgs
}

func read(t *testing.T, b *Broker, from int64) []string {
	t.Helper()
	var got []string
	for _, m := range readMessages(t, b, from) {
		got = append(got, fmt.Sprintf("%d:%s", m.Offset, m.Value))
	}
	return got
}

func clusterID(t *testing.T, addr string) string {
	t.Helper()
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	meta, err := (&kafka.Client{Addr: kafka.TCP(addr), Transport: transport}).Metadata(t.Context(), &kafka.MetadataRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return meta.ClusterID
}
