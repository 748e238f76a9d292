package browsertest_test

import (
	"fmt"
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
	const barred = `<!doctype html><html lang="en"><head><title>Barred</title><style>
		p { color: #777; background: #888 } @media (prefers-color-scheme: dark) { p { color: #000; background: #fff } }</style>
		</head><body><main><h1>Barred</h1><p>Text as grey as its ground.</p></main></body></html>`
	var got []string
	for _, b := range browsertest.Barriers(t, map[string]string{"barred": barred}) {
		got = append(got, fmt.Sprint(b.Rule, " ", b.Scheme, " ", b.Width))
	}
	want := []string{"color-contrast light 390", "color-contrast light 1280"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("barriers (-want +got):\n%s", diff)
	}
}
