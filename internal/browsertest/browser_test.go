package browsertest_test

import (
	"testing"

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
