package browsertest

import (
	"encoding/json"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// A Barrier is a rule of accessibility that a page breaks.
type Barrier struct {
	Page   string `json:"page"`
	Width  int    `json:"width"`
	Scheme string `json:"scheme"` // light or dark
	Rule   string `json:"rule"`
	Impact string `json:"impact"`
	Nodes  int    `json:"nodes"`
}

// HasNoBarriers holds pages, by name, against the rules of axe-core, on a phone and on a desk, in light and dark, with all
// details open.
func HasNoBarriers(t *testing.T, pages map[string]string) {
	t.Helper()
	for _, b := range Barriers(t, pages) {
		t.Errorf("%s, %d pixels wide, %s: %d elements break %s (%s)", b.Page, b.Width, b.Scheme, b.Nodes, b.Rule, b.Impact)
	}
}

// axe returns the source of axe-core. Where it is missing the test is left out, but not in CI.
func axe(t *testing.T) string {
	t.Helper()
	path := os.Getenv("DIURNA_AXE")
	if path == "" && os.Getenv("CI") == "true" {
		t.Fatal("DIURNA_AXE does not name axe-core's axe.min.js")
	}
	if path == "" {
		t.Skip("DIURNA_AXE does not name axe-core's axe.min.js: barriers are not looked for")
	}
	source, err := os.ReadFile(path) //nolint:gosec // whoever runs the tests names it
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// The rules run within each frame, one after the other: axe-core does one thing at a time.
const axeFrames = `<!doctype html><body><script>
const pages = %s, axe = %s, scheme = %q, barriers = [];
const todo = Object.keys(pages).flatMap(page => [390, 1280].map(width => ({page, width})));
let looked = 0;
async function look(f, {page, width}) {
  f.contentDocument.querySelectorAll('details').forEach(e => e.open = true);
  const script = f.contentDocument.createElement('script');
  script.textContent = axe;
  f.contentDocument.head.append(script);
  const found = await f.contentWindow.axe.run(f.contentDocument);
  for (const v of found.violations)
    barriers.push({page, width, scheme, rule: v.id, impact: v.impact, nodes: v.nodes.length});
  looked += found.passes.length > 0;
}
function next() {
  if (!todo.length) { document.body.dataset.looked = looked; document.body.dataset.barriers = JSON.stringify(barriers); return; }
  const what = todo.shift(), f = document.createElement('iframe');
  f.width = what.width; f.height = 844; f.srcdoc = pages[what.page];
  f.onload = () => look(f, what).then(() => { f.remove(); next(); });
  document.body.append(f);
}
next();
</script></body>`

var barred = regexp.MustCompile(`data-looked="(\d+)" data-barriers="([^"]*)"`)

// Barriers returns what axe-core finds in the pages.
func Barriers(t *testing.T, pages map[string]string) []Barrier {
	t.Helper()
	source, err := json.Marshal(axe(t))
	if err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(pages)
	if err != nil {
		t.Fatal(err)
	}
	var all []Barrier
	for i, scheme := range []string{"dark", "light"} { // as the browser counts them
		path := filepath.Join(t.TempDir(), "axe.html")
		if err := os.WriteFile(path, fmt.Appendf(nil, axeFrames, list, source, scheme), 0o600); err != nil {
			t.Fatal(err)
		}
		dom := dump(t, path, fmt.Sprintf("--blink-settings=preferredColorScheme=%d", i))
		found := barred.FindSubmatch(dom)
		if found == nil || string(found[1]) != fmt.Sprint(2*len(pages)) {
			t.Fatalf("not every page was looked at: %q", slices.Concat(found...))
		}
		var barriers []Barrier
		if err := json.Unmarshal([]byte(html.UnescapeString(string(found[2]))), &barriers); err != nil {
			t.Fatal(err)
		}
		all = append(all, barriers...)
	}
	return all
}
