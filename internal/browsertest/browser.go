// Package browsertest looks at pages in headless Chromium, for tests only: whether anything reaches beyond the window of
// a phone or a desk, and whether text stands out from its ground.
package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A Layout is what a browser measured of a page: how far it reaches beyond its window, and how large the smallest text is.
type Layout struct {
	Width    int     `json:"width"`
	Open     bool    `json:"open"`
	Overflow int     `json:"overflow"`
	Height   int     `json:"height"`
	Smallest float64 `json:"smallest"`
	Outside  int     `json:"outside"` // elements with text that reach beyond the window
	Headings int     `json:"headings"`
}

// FitsEveryWindow holds pages, by name, against windows of 320, 390 and 1280 pixels, as they open and with all details
// open.
func FitsEveryWindow(t *testing.T, pages map[string]string) {
	t.Helper()
	for name, rendered := range pages {
		for _, got := range Measure(t, rendered, 320, 390, 1280) {
			if got.Overflow > 0 || got.Outside > 0 {
				t.Errorf("%s: %d pixels and %d elements beyond the window: %+v", name, got.Overflow, got.Outside, got)
			}
			if got.Smallest < 12 {
				t.Errorf("%s has text of %.1f pixels: %+v", name, got.Smallest, got)
			}
			if got.Headings == 0 || got.Height < 400 {
				t.Errorf("%s renders nothing to look at: %+v", name, got)
			}
		}
	}
}

// chromium returns the path of the browser. Where it is missing the test is left out, but not in CI.
func chromium(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err == nil {
		return path
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("chromium is not in PATH")
	}
	t.Skip("chromium is not in PATH: the page is not looked at in a browser")
	return ""
}

// The page has no script of its own, so it is set into frames of the asked widths and measured from outside, first as it
// opens, then with all details open.
const frames = `<!doctype html><body><script>
const page = %s, layouts = [];
const widths = %s;
function measure(f, open) {
  const d = f.contentDocument, root = d.documentElement;
  d.querySelectorAll('details').forEach(e => e.open = open);
  const own = e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  const seen = [...d.body.querySelectorAll('*')].filter(e => own(e) && e.checkVisibility() && !e.closest('.scroll, .unseen, svg'));
  const isOutside = r => r.right > root.clientWidth + 1 || r.left < -1;
  layouts.push({
    width: f.width * 1, open: open,
    overflow: root.scrollWidth - root.clientWidth,
    height: root.scrollHeight,
    smallest: Math.min(...seen.map(e => parseFloat(f.contentWindow.getComputedStyle(e).fontSize))),
    outside: seen.filter(e => isOutside(e.getBoundingClientRect())).length,
    headings: d.querySelectorAll('h1').length,
  });
}
function next() {
  if (!widths.length) { document.body.dataset.layouts = JSON.stringify(layouts); return; }
  const f = document.createElement('iframe');
  f.width = widths.shift(); f.height = 844; f.srcdoc = page;
  f.onload = () => { measure(f, false); measure(f, true); next(); };
  document.body.append(f);
}
next();
</script></body>`

var measured = regexp.MustCompile(`data-layouts="([^"]+)"`)

// Measure returns two layouts for each width: as the page opens, and with all details open.
func Measure(t *testing.T, rendered string, widths ...int) []Layout {
	t.Helper()
	// JSON as Go writes it holds no angle bracket, so that no page can end the script.
	text, err := json.Marshal(rendered)
	if err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(widths)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "frames.html")
	if err := os.WriteFile(path, fmt.Appendf(nil, frames, text, list), 0o600); err != nil {
		t.Fatal(err)
	}
	dom := dump(t, path)
	found := measured.FindSubmatch(dom)
	if found == nil {
		t.Fatal("the page was not measured")
	}
	var layouts []Layout
	if err := json.Unmarshal([]byte(html.UnescapeString(string(found[1]))), &layouts); err != nil {
		t.Fatal(err)
	}
	if len(layouts) != 2*len(widths) {
		t.Fatalf("%d layouts of %d widths", len(layouts), len(widths))
	}
	return layouts
}

// dump opens a file in the browser and returns the page as its script left it.
func dump(t *testing.T, path string, flags ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium(t), append(flags, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=1400,1000", //nolint:gosec // the browser that PATH names
		"--user-data-dir="+filepath.Join(t.TempDir(), "profile"), "--virtual-time-budget=30000", "--dump-dom", "file://"+path)...)
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("run chromium: %v", err)
	}
	return dom
}

// TextStandsOut holds pairs of colours of a stylesheet ("ink on ground") against a contrast of 4.5, in light and dark.
func TextStandsOut(t *testing.T, stylesheet string, pairs []string) {
	t.Helper()
	css, err := os.ReadFile(stylesheet)
	if err != nil {
		t.Fatal(err)
	}
	roots := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	if len(roots) != 2 {
		t.Fatalf("%d sets of colours, want light and dark", len(roots))
	}
	for i, name := range []string{"light", "dark"} {
		colours := map[string]float64{}
		for _, m := range regexp.MustCompile(`--([a-z0-9-]+): #([0-9a-f]{6})`).FindAllStringSubmatch(roots[i][1], -1) {
			colours[m[1]] = luminance(t, m[2])
		}
		for _, pair := range pairs {
			text, ground, _ := strings.Cut(pair, " on ")
			a, b := colours[text], colours[ground]
			if _, isThere := colours[text]; !isThere {
				t.Errorf("%s has no colour %s", name, text)
			}
			if _, isThere := colours[ground]; !isThere {
				t.Errorf("%s has no colour %s", name, ground)
			}
			if ratio := (max(a, b) + 0.05) / (min(a, b) + 0.05); ratio < 4.5 {
				t.Errorf("%s: %s has a contrast of %.2f, want 4.5", name, pair, ratio)
			}
		}
	}
}

// luminance is the relative luminance of WCAG 2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
