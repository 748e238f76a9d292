package ranking_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/ranking/rankingtest"
)

// fixedSecret makes public ids, and with them the names, the same in every run.
func fixedSecret(t *testing.T, g *rankingtest.Gold) {
	t.Helper()
	_, err := g.Ledger.ExecContext(t.Context(), "insert into secrets (name, value) values ('ranking_pseudonyms', ?)", []byte("a secret for tests"))
	if err != nil {
		t.Fatal(err)
	}
}

func TestTextAndJSONOfAView(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	fixedSecret(t, g)
	g.Crowd("p", 60, monday, map[string]string{"country": "GR"})
	g.AddDay(rankingtest.Day{User: "p030", Date: monday + 1, Counted: 2, FastMin: 4})
	g.AddDay(rankingtest.Day{User: "p030", Date: monday + 2, Counted: 1234})
	alone := rankingtest.Open(t)
	fixedSecret(t, alone)
	alone.Crowd("p", 1, monday, nil)
	for name, v := range map[string]*ranking.View{
		"running": week(t, g, during, ranking.Question{User: "p030", Cohort: "country:GR", Top: 3}),
		"nobody":  week(t, g, after, ranking.Question{Cohort: "country:SE", Top: 3}),
		"alone":   week(t, alone, during, ranking.Question{User: "p000"}),
		"guest":   week(t, alone, during, ranking.Question{User: "stranger"}),
	} {
		for ext, write := range map[string]func(*bytes.Buffer) error{
			"txt":  func(b *bytes.Buffer) error { return ranking.WriteText(b, v) },
			"json": func(b *bytes.Buffer) error { return ranking.WriteJSON(b, v) },
		} {
			var got bytes.Buffer
			if err := write(&got); err != nil {
				t.Fatal(err)
			}
			golden := "testdata/" + name + ".golden." + ext
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s differs (-want +got):\n%s", golden, diff)
			}
		}
	}
}
