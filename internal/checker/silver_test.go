package checker

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func said(offset, seq int64, epoch int32, values ...int32) Message {
	s := Series{Metric: "heart_rate", StartMS: 1000, PeriodMS: 1000}
	for _, v := range values {
		if v == 0 {
			s.Values = append(s.Values, nil)
		} else {
			s.Values = append(s.Values, &v)
		}
	}
	return Message{Offset: offset, AtMS: 5, Batch: &Batch{ID: "b", User: "u", Device: "d", Epoch: epoch, Seq: seq, Series: []Series{s}}}
}

func TestTheHighestRevisionWinsWhateverCameFirst(t *testing.T) {
	messages := []Message{
		said(0, 2, 0, 60, 61, 0, 63),
		said(1, 1, 0, 50, 51, 52),      // older, and late
		said(2, 1, 1, 0, 71),           // after a reset
		said(3, 2, 0, 80),              // the same number: the later offset
		said(4, 9, 9, 99, 99, 99, 99),  // above the watermark
		{Offset: 5, Refused: "decode"}, // nothing
	}
	_, best := winners(messages, map[int32]int64{0: 4})
	got := map[int64]int32{}
	for key, w := range best {
		got[key.atMS] = w.value
	}
	if diff := cmp.Diff(map[int64]int32{1000: 80, 2000: 71, 3000: 52, 4000: 63}, got); diff != "" {
		t.Errorf("what won (-want +got):\n%s", diff)
	}
}

func TestADeletionIsARevisionOfItsDeviceAndFinalForOthers(t *testing.T) {
	deleting := func(offset, seq int64, device string, all bool) Message {
		return Message{Offset: offset, Batch: &Batch{User: "u", Device: device, Seq: seq,
			Deletions: []Deletion{{Metric: "heart_rate", FromMS: 1000, ToMS: 2000, AllDevices: all}}}}
	}
	marks := map[int32]int64{0: 10}
	for _, tt := range []struct {
		name    string
		message Message
		device  string
		atMS    int64
		seq     int64
		want    verdict
	}{
		{"of the device, newer", deleting(1, 5, "d", false), "d", 1000, 4, mustHide},
		{"of the device, older", deleting(1, 5, "d", false), "d", 1000, 6, mustShow},
		{"of another device alone", deleting(1, 5, "e", false), "d", 1000, 4, mustShow},
		{"of another device for all", deleting(1, 5, "e", true), "d", 1000, 6, mustHide},
		{"of the device for all, older", deleting(1, 5, "d", true), "d", 1000, 6, mustShow},
		{"after its end", deleting(1, 5, "d", false), "d", 2000, 4, mustShow},
		{"before its start", deleting(1, 5, "d", false), "d", 999, 4, mustShow},
		{"not come to, but known", deleting(15, 5, "d", false), "d", 1000, 4, mayShow},
		{"not come to", deleting(25, 5, "d", false), "d", 1000, 4, mustShow},
	} {
		hide := deletionsIn([]Message{tt.message})
		hide.applied = map[int32]int64{0: 20}
		if got := hide.judge("u", tt.device, "heart_rate", tt.atMS, revision{seq: tt.seq}, marks); got != tt.want {
			t.Errorf("a deletion %s: verdict %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestAJournalReadsAsItWasWritten(t *testing.T) {
	var file bytes.Buffer
	j := NewJournal(&file)
	if err := j.Add(said(3, 1, 0, 60, 0, 61), Message{Partition: 2, Offset: 7, AtMS: 9, Refused: "decode", SHA256: "00"}); err != nil {
		t.Fatal(err)
	}
	again, err := ReadJournal(&file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(j.sorted(), again.sorted()); diff != "" {
		t.Errorf("journal (-written +read):\n%s", diff)
	}
	if diff := cmp.Diff(map[int32]int64{0: 4, 2: 8}, again.Ends()); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
	if _, err := ReadJournal(bytes.NewReader([]byte(`{"partition":`))); err == nil {
		t.Error("half a line was read")
	}
}

func TestALocalDateIsTheOneOnTheClockThere(t *testing.T) {
	for _, tt := range []struct {
		atMS      int64
		offsetMin int32
		want      int32
	}{{0, 0, 0}, {-1, 0, -1}, {0, -1, -1}, {dayMS - 1, 0, 0}, {dayMS - 1, 1, 1}, {-dayMS, 0, -1}, {dayMS, -330, 0}} {
		if got := dateOf(tt.atMS, tt.offsetMin); got != tt.want {
			t.Errorf("date of %d at %d min is %d, want %d", tt.atMS, tt.offsetMin, got, tt.want)
		}
	}
}

func TestANewerVersionOfAWorkoutReplacesAllOfIt(t *testing.T) {
	one := int32(1)
	workout := func(offset, seq int64, workouts ...Workout) Message {
		return Message{Offset: offset, Batch: &Batch{User: "u", Device: "d", Seq: seq, Workouts: workouts}}
	}
	track := []Series{{Metric: "altitude", StartMS: 1000, PeriodMS: 1000, Values: []*int32{&one, nil, &one}}}
	messages := []Message{
		workout(0, 2, Workout{ID: "w", Sport: "running", Totals: map[string]int32{"steps": 2, "distance": 1}}),
		workout(1, 1, Workout{ID: "w", Track: track}), // older, and late
		workout(2, 3, Workout{ID: "x", Track: track}, Workout{ID: "x", Sport: "walking"}),
		workout(3, 4, Workout{ID: "y", Track: track}),
		workout(4, 9, Workout{ID: "w"}), // above the watermark
	}
	points, texts := 0, map[string]string{}
	for key, v := range editions(messages, map[int32]int64{0: 4}) {
		v.points(key, func(point) { points++ })
		only := Batch{Workouts: []Workout{*v.workout}}
		only.wholeWorkouts(func(f fact) { texts[key.id] = f.text })
	}
	if points != 2 {
		t.Errorf("the tracks have %d points, want the 2 of y", points)
	}
	if diff := cmp.Diff(map[string]string{"w": "running distance=1 steps=2", "x": "walking", "y": ""}, texts); diff != "" {
		t.Errorf("what won (-want +got):\n%s", diff)
	}
}
