package browsertest_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/internal/browsertest"
)

func TestTheMeasureSeesAPageThatIsTooWide(t *testing.T) {
	t.Parallel()
	const tooWide = `<!doctype html><h1>Wide</h1><details><summary>More</summary><div style="width:600px">text</div></details>`
	closed, open := 0, 1
	got := browsertest.Measure(t, tooWide, 390)
	if got[closed].Overflow > 0 || got[open].Overflow < 200 || got[open].Outside == 0 {
		t.Errorf("details of 600 pixels measure %+v in a window of 390", got)
	}
}

func TestTheBrowserFindsWhatBarsPeopleFromAPage(t *testing.T) {
	barred, err := os.ReadFile("testdata/barred.html")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range browsertest.Barriers(t, map[string]string{"barred": string(barred)}) {
		got = append(got, fmt.Sprint(b.Rule, " ", b.Scheme, " ", b.Width))
	}
	want := []string{"color-contrast light 390", "color-contrast light 1280"} //nolint:misspell // as axe-core spells it
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("barriers (-want +got):\n%s", diff)
	}
}
