package ingest

import (
	"strings"
	"testing"
	"time"

	"github.com/diurna-health/diurna/ingest/kafka"
	"github.com/diurna-health/diurna/ingest/lake"
	"github.com/diurna-health/diurna/schemas"
	syncv1 "github.com/diurna-health/diurna/schemas/sync/v1"
)

func TestAMessageThatIsTooLargeIsADeadLetterUnread(t *testing.T) {
	t.Parallel()
	m := kafka.Message{Partition: 3, Offset: 7, TimeMS: 1_700_000_000_000, Value: make([]byte, syncv1.MaxMessageBytes+1)}
	rows, samples := new(intake).rows(m, 1)
	if len(rows) != 1 || samples != 0 || rows[0].Kind != schemas.KindDeadLetter || rows[0].Reason != string(schemas.RejectOversize) ||
		len(rows[0].Payload) != len(m.Value) || rows[0].Partition != 3 || rows[0].Offset != 7 {
		t.Errorf("it became %d rows, the first a %s for %s", len(rows), rows[0].Kind, rows[0].Reason)
	}
	if !rejected(rows) {
		t.Error("it does not count as rejected")
	}
}

func TestABatchWithoutItsKeysCountsAsRejected(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		user string
		want bool
	}{{"ann", false}, {"", true}} {
		rows := Rows(&syncv1.Batch{BatchID: "b", UserID: tt.user, Device: syncv1.Device{ID: "watch"}}, Position{}, 1)
		if got := rejected(rows); got != tt.want {
			t.Errorf("a batch of the user %q counts as rejected: %v, want %v", tt.user, got, tt.want)
		}
	}
}

func TestAStormIsAFifthOfManyMessagesWithinAMinute(t *testing.T) {
	t.Parallel()
	start := time.Unix(1_700_000_000, 0)
	for _, tt := range []struct {
		name          string
		messages, nth int
		apart         time.Duration
		want          bool
	}{
		{"a third of many", 2000, 3, time.Millisecond, true},
		{"a tenth of many", 20_000, 10, time.Millisecond, false},
		{"all of few", 999, 1, time.Millisecond, false},
		{"all of many, over an hour", 2000, 1, 2 * time.Second, false},
	} {
		var s storm
		blows := false
		for i := range tt.messages {
			blows = blows || s.count(i%tt.nth == 0, start.Add(time.Duration(i)*tt.apart))
		}
		if blows != tt.want {
			t.Errorf("%s: storm %v, want %v", tt.name, blows, tt.want)
		}
	}
}

func TestRunsTileTheOffsetsOfABuffer(t *testing.T) {
	t.Parallel()
	b := newBuffer(10, newSimPile)
	for offset := int64(12); offset < 20_000; offset += 1 + offset%3 {
		rows := make([]schemas.SyncRecord, 1+offset%5)
		for i := range rows {
			rows[i] = schemas.SyncRecord{Offset: offset, ItemIndex: int32(i), IngestDate: int32(offset / 7000)}
		}
		b.add(arrival{offset: offset, next: offset + 1 + offset%3, rows: rows, weight: weigh(rows)}, time.Time{})
	}
	next, rows, last := b.start, 0, int64(-1)
	for _, r := range b.runs {
		if r.start != next || r.end <= r.start {
			t.Errorf("a run covers [%d, %d), and the one before ends at %d", r.start, r.end, next)
		}
		next = r.end
		for _, row := range r.rows.(*simPile).rows {
			if row.IngestDate != r.date || row.Offset < r.start || row.Offset >= r.end || row.Offset < last {
				t.Fatalf("offset %d of date %d lies in the run [%d, %d) of date %d", row.Offset, row.IngestDate, r.start, r.end, r.date)
			}
			last = row.Offset
			rows++
		}
	}
	if next != b.end || rows != b.rows || len(b.runs) != 3 {
		t.Errorf("%d runs end at %d with %d rows, want 3, %d and %d", len(b.runs), next, rows, b.end, b.rows)
	}
}

func FuzzMarks(f *testing.F) {
	f.Add("86851", "17:owner", "1")
	f.Add("", "", "")
	f.Add("-1", ":", "-1")
	f.Fuzz(func(t *testing.T, watermark, owner, generation string) {
		m, err := readMarks(map[string]string{
			lake.IngestWatermark + "3": watermark, propertyEpoch + "3": owner, propertyGeneration: generation,
			lake.IngestWatermark + "1000003": watermark, propertyEpoch + "1000003": owner,
		})
		if err != nil {
			return
		}
		at, err := m.of(3)
		if err != nil {
			return
		}
		if at.watermark < 0 {
			t.Errorf("the watermark %q was read as %d", watermark, at.watermark)
		}
		if at.epoch != (epoch{}) {
			if again, err := parseEpoch(at.epoch.String()); err != nil || again != at.epoch {
				t.Errorf("the epoch %v was read again as %v, %v", at.epoch, again, err)
			}
		}
	})
}

func TestAPartitionCannotGoWhereThereIsNoWay(t *testing.T) {
	t.Parallel()
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), "cannot go from fenced to committing") {
			t.Errorf("it was stopped by %v", r)
		}
	}()
	p := &partition{state: StateFenced}
	p.enter(StateCommitting, time.Time{})
}
