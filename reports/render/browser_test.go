package render_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/internal/browsertest"
)

// The goldens are what the renderer gives, so they are what is looked at.
func TestOnAPhoneAndOnADeskNothingReachesBeyondTheWindow(t *testing.T) {
	pages := map[string]string{}
	for _, name := range []string{"full", "thin", "empty", "month", "year"} {
		html, err := os.ReadFile(filepath.Join("testdata", name+".golden.html"))
		if err != nil {
			t.Fatal(err)
		}
		pages[name] = string(html)
	}
	browsertest.FitsEveryWindow(t, pages)
}

func TestTextStandsOutFromItsGroundInLightAndDark(t *testing.T) {
	css := filepath.Join("templates", "report.css")
	browsertest.TextStandsOut(t, css, strings.Split("ink on ground,ink on card,soft on ground,soft on card", ","))
}
