package checker

import (
	"fmt"
	"testing"
)

func TestManyFindingsOfAKindAreCounted(t *testing.T) {
	var f findings
	for i := range 100 {
		f.add(NoLoss, "t", fmt.Sprint("place ", i), "gone after %d", i)
		f.add(NoLoss, "t", fmt.Sprint("place ", i), "gone after %d", i) // looked at twice
	}
	f.add(NoLoss, "t", "place 7", "another")
	all := f.list()
	if len(all) != mostOfAKind+2 {
		t.Fatalf("%d findings: %v", len(all), all)
	}
	if got, want := all[0].String(), "I1 no loss: t: place 0: gone after 0"; got != want {
		t.Errorf("a finding reads %q, want %q", got, want)
	}
}

func TestStepsThatGoBackAreFound(t *testing.T) {
	before := &history{properties: map[string]string{"ingest.wm.0": "10", "ingest.ep.0": "3:a", "other": "1"}}
	for _, tt := range []struct {
		name  string
		after map[string]string
		want  Invariant // "" = nothing is wrong
	}{
		{"on", map[string]string{"ingest.wm.0": "11", "ingest.ep.0": "3:a", "ingest.by.0": "3:a"}, ""},
		{"a new owner", map[string]string{"ingest.wm.0": "10", "ingest.ep.0": "4:b"}, ""},
		{"moved by nobody", map[string]string{"ingest.wm.0": "11", "ingest.ep.0": "3:a"}, Fencing},
		{"moved by who was fenced off", map[string]string{"ingest.wm.0": "11", "ingest.ep.0": "4:b", "ingest.by.0": "3:a"}, Fencing},
		{"moved in the step that fences", map[string]string{"ingest.wm.0": "11", "ingest.ep.0": "4:b", "ingest.by.0": "4:b"}, Fencing},
		{"standing", map[string]string{"ingest.wm.0": "10", "ingest.ep.0": "3:a"}, ""},
		{"watermark back", map[string]string{"ingest.wm.0": "9", "ingest.ep.0": "3:a"}, Monotonic},
		{"watermark gone", map[string]string{"ingest.ep.0": "3:a"}, Monotonic},
		{"watermark no number", map[string]string{"ingest.wm.0": "x", "ingest.ep.0": "3:a"}, Monotonic},
		{"a new watermark below 0", map[string]string{"ingest.wm.0": "10", "ingest.ep.0": "3:a", "ingest.wm.1": "-4"}, Monotonic},
		{"epoch back", map[string]string{"ingest.wm.0": "10", "ingest.ep.0": "2:b"}, Monotonic},
		{"epoch gone", map[string]string{"ingest.wm.0": "10"}, Monotonic},
		{"two owners", map[string]string{"ingest.wm.0": "10", "ingest.ep.0": "3:b"}, Fencing},
	} {
		var f findings
		checkMarks(before, &version{table: "t", properties: tt.after}, &f)
		checkOwners(before, &version{table: "t", properties: tt.after}, &f)
		switch all := f.list(); {
		case tt.want == "" && len(all) > 0:
			t.Errorf("%s: found %v", tt.name, all)
		case tt.want != "" && (len(all) == 0 || all[0].Invariant != tt.want):
			t.Errorf("%s: found %v, want %s", tt.name, all, tt.want)
		}
	}
}

func TestOnlyTheVersionNextToTheLastSeenFollowsIt(t *testing.T) {
	c := &Checker{seen: map[string]*history{"t": {path: "v2"}}}
	for _, tt := range []struct {
		earlier []string
		paths   string
		follows bool
	}{
		{[]string{"v1", "v2", "v3"}, "[v3 v4]", true},
		{[]string{"v3"}, "[v3 v4]", false}, // v2 was forgotten, and so may be what came after it
	} {
		paths, follows := c.unseen(&table{version: &version{table: "t", path: "v4", earlier: tt.earlier}})
		if got := fmt.Sprint(paths); got != tt.paths || follows != tt.follows {
			t.Errorf("after %v come %s, next to the last: %t", tt.earlier, got, follows)
		}
	}
	if _, follows := (&Checker{seen: map[string]*history{}}).unseen(&table{version: &version{table: "t", path: "v4"}}); follows {
		t.Error("the first version that is seen follows something")
	}
}
