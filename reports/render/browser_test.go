package render_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/internal/browsertest"
)

// The goldens are what the renderer gives, so they are what is looked at.
func goldens(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	for _, name := range []string{"full", "thin", "empty", "month", "year"} {
		html, err := os.ReadFile(filepath.Join("testdata", name+".golden.html"))
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = string(html)
	}
	return pages
}

func TestOnAPhoneAndOnADeskNothingReachesBeyondTheWindow(t *testing.T) {
	browsertest.FitsEveryWindow(t, goldens(t))
}

func TestNothingBarsPeopleFromAReport(t *testing.T) {
	browsertest.HasNoBarriers(t, goldens(t))
}

func TestTextStandsOutFromItsGroundInLightAndDark(t *testing.T) {
	css := filepath.Join("templates", "report.css")
	browsertest.TextStandsOut(t, css, strings.Split("ink on ground,ink on card,soft on ground,soft on card", ","))
}
