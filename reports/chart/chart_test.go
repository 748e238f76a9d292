package chart_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/diurna-health/diurna/reports/chart"
)

var update = flag.Bool("update", false, "write the golden files")

func TestEveryChartIsItsGolden(t *testing.T) {
	for name, drawing := range drawings() {
		path := filepath.Join("testdata", name+".golden.svg")
		if *update {
			if err := os.WriteFile(path, []byte(drawing+"\n"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), drawing+"\n"); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
}

func TestEveryChartIsWellFormedAndNamed(t *testing.T) {
	for name, drawing := range drawings() {
		d := xml.NewDecoder(strings.NewReader(drawing))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		for _, want := range []string{`role="img"`, "<title id=", "<desc id="} {
			if !strings.Contains(drawing, want) {
				t.Errorf("%s lacks %s", name, want)
			}
		}
		if strings.Contains(drawing, "NaN") || strings.Contains(drawing, "Inf") {
			t.Errorf("%s has a coordinate that is no number", name)
		}
	}
}

func TestAMissingDayHasASlotWithItsWordsAndNoBar(t *testing.T) {
	drawing := chart.Bars{
		Head: chart.Head{ID: "b"}, Colours: []string{"#000"}, Top: 10,
		Columns: []chart.Bar{{Label: "Mon", Missing: "not measured", Parts: []float64{5}, Figure: "5"}},
	}.SVG()
	if strings.Contains(drawing, `class="part`) || strings.Contains(drawing, ">5<") || strings.Contains(drawing, `class="zero"`) {
		t.Error("a missing day is drawn as if it were measured")
	}
	if !strings.Contains(drawing, `class="slot"`) || !strings.Contains(drawing, ">not measured<") {
		t.Error("a missing day has no slot or no words")
	}
}

func TestAMeasuredZeroHasALineAndItsFigure(t *testing.T) {
	drawing := chart.Bars{
		Head: chart.Head{ID: "b"}, Colours: []string{"#000"}, Top: 10,
		Columns: []chart.Bar{{Label: "Mon", Parts: []float64{0}, Figure: "0"}},
	}.SVG()
	if !strings.Contains(drawing, `class="zero"`) || !strings.Contains(drawing, ">0<") || strings.Contains(drawing, `class="slot"`) {
		t.Error("a measured zero is not drawn as one")
	}
}

func TestADateOfAMapIsASquareALineASlotOrNothing(t *testing.T) {
	for name, c := range map[string]struct {
		cell chart.MapCell
		want string
	}{
		"a value":              {chart.MapCell{IsDate: true, Day: chart.CellValid, Level: 0.5}, `class="part`},
		"a measured zero":      {chart.MapCell{IsDate: true, Day: chart.CellValid}, `class="zero"`},
		"not measured":         {chart.MapCell{IsDate: true, Day: chart.CellNone, Level: 0.5}, `class="slot"`},
		"to come":              {chart.MapCell{IsDate: true, Day: chart.CellToCome, Level: 0.5}, ""},
		"a place with no date": {chart.MapCell{Day: chart.CellValid, Level: 0.5}, ""},
	} {
		for _, columns := range []int{7, 31} {
			drawing := chart.Map{Head: chart.Head{ID: "m"}, Colour: "#000", Columns: make([]string, columns),
				Rows: []chart.MapRow{{Cells: []chart.MapCell{c.cell}}}}.SVG()
			for _, mark := range []string{`class="part`, `class="zero"`, `class="slot"`} {
				if got, want := strings.Contains(drawing, mark), mark == c.want; got != want {
					t.Errorf("%s in %d columns: %s drawn %t, want %t", name, columns, mark, got, want)
				}
			}
		}
	}
}

func TestBarsAreAsHighAsTheirValues(t *testing.T) {
	height := func(v float64) float64 {
		drawing := chart.Bars{
			Head: chart.Head{ID: "b"}, Colours: []string{"#000"}, Top: 100,
			Columns: []chart.Bar{{Label: "Mon", Parts: []float64{v}}},
		}.SVG()
		m := regexp.MustCompile(`class="part part-1"[^>]* height="([0-9.]+)"`).FindStringSubmatch(drawing)
		if m == nil {
			t.Fatalf("no bar for %v", v)
		}
		h, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	full := height(100)
	for _, v := range []float64{25, 50, 75} {
		if got, want := height(v), full*v/100; got < want-0.02 || got > want+0.02 {
			t.Errorf("the bar of %v is %v high, want %v", v, got, want)
		}
	}
}

func TestARingBeyondItsGoalHasASecondLap(t *testing.T) {
	for value, want := range map[float64]int{0: 0, 75: 1, 150: 1, 184: 2, 900: 2} {
		drawing := chart.Ring{Head: chart.Head{ID: "r"}, Colour: "#000", Value: value, Goal: 150}.SVG()
		if got := strings.Count(drawing, `class="lap"`); got != want {
			t.Errorf("%v of 150 has %d laps, want %d", value, got, want)
		}
	}
}

func TestWordsAreEscaped(t *testing.T) {
	const hostile = `"><script>alert(1)</script>`
	head := chart.Head{ID: hostile, Title: hostile, Desc: hostile}
	for name, drawing := range map[string]string{
		"bars": chart.Bars{Head: head, Colours: []string{"#000"}, Ticks: []chart.Tick{{Label: hostile}},
			Columns: []chart.Bar{{Label: hostile, Note: hostile, Missing: hostile}, {Parts: []float64{1}, Figure: hostile, Faint: true}}}.SVG(),
		"spans": chart.Spans{Head: head, Columns: []chart.Span{{Label: hostile, Missing: hostile},
			{MinFigure: hostile, MeanFigure: hostile, MaxFigure: hostile, Faint: true}}}.SVG(),
		"map": chart.Map{Head: head, Columns: make([]string, 1), Rows: []chart.MapRow{{Label: hostile,
			Cells: []chart.MapCell{{IsDate: true, Note: hostile}}}}}.SVG(),
		"ring":  chart.Ring{Head: head, Goal: 1, Figure: hostile, Note: hostile}.SVG(),
		"cells": chart.Cells{Head: head, DayName: hostile, NightName: hostile, Columns: []chart.Cell{{Label: hostile, Note: hostile}}}.SVG(),
	} {
		if strings.Contains(drawing, "<script") {
			t.Errorf("%s lets markup through", name)
		}
	}
}

func TestTicksAreRoundAndFew(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      []float64
	}{
		{0, 540, []float64{0, 120, 240, 360, 480}},
		{0, 610, []float64{0, 180, 360, 540}},
		{0, 1500, []float64{0, 360, 720, 1080, 1440}},
	} {
		if diff := cmp.Diff(c.want, chart.Ticks(c.low, c.high, 4, 120, 180, 240, 360)); diff != "" {
			t.Errorf("%v to %v (-want +got):\n%s", c.low, c.high, diff)
		}
	}
	if diff := cmp.Diff([]float64{50, 100, 150}, chart.Ticks(37, 160, 4, 50)); diff != "" {
		t.Errorf("from 37 (-want +got):\n%s", diff)
	}
}

// drawings are one of each chart, with every case in it.
func drawings() map[string]string {
	return map[string]string{
		"bars": chart.Bars{
			Head:  chart.Head{ID: "sleep", Title: "Sleep by night", Desc: "Mon 2: 7:12; Tue 3: not measured"},
			Class: "sleep", Colours: []string{"#4a559f", "#7d87c9"}, Top: 540,
			Ticks: []chart.Tick{{Value: 0, Label: "0 h"}, {Value: 240, Label: "4 h"}}, Mean: &chart.Tick{Value: 400},
			Columns: []chart.Bar{
				{Label: "Mon", Note: "2", Parts: []float64{100, 332}, Frame: 470, Figure: "7:12"},
				{Label: "Tue", Note: "3", Missing: "not measured"},
				{Label: "Wed", Note: "4", Parts: []float64{171}, Frame: 190, Figure: "2:51", Faint: true},
				{Label: "Thu", Note: "5", Parts: []float64{0}, Figure: "0:00"},
			},
		}.SVG(),
		"spans": chart.Spans{
			Head:  chart.Head{ID: "heart", Title: "Heart rate by day", Desc: "Mon 2: 48 to 150"},
			Class: "heart", Colour: "#b8452f", Low: 40, High: 160, Ticks: []chart.Tick{{Value: 100, Label: "100"}},
			Columns: []chart.Span{
				{Label: "Mon", Note: "2", Min: 48, Mean: 66.4, Max: 150, MinFigure: "48", MeanFigure: "66", MaxFigure: "150"},
				{Label: "Tue", Note: "3", Missing: "not measured"},
				{Label: "Wed", Note: "4", Min: 60, Mean: 60, Max: 60, MinFigure: "60", MeanFigure: "60", MaxFigure: "60", Faint: true},
			},
		}.SVG(),
		"ring": chart.Ring{
			Head:  chart.Head{ID: "ring", Title: "Active minutes", Desc: "184 of 150"},
			Class: "goal", Colour: "#17806b", Value: 184, Goal: 150, Figure: "184", Note: "of 150 min",
		}.SVG(),
		"map": chart.Map{
			Head: chart.Head{ID: "map", Title: "Steps, day by day", Desc: "The steps of 3 days"}, Class: "steps", Colour: "#17806b",
			Columns: []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"},
			Rows: []chart.MapRow{{Cells: []chart.MapCell{
				{}, {IsDate: true, Note: "1", Day: chart.CellValid, Level: 1}, {IsDate: true, Note: "2", Day: chart.CellNone},
				{IsDate: true, Note: "3", Day: chart.CellShort, Level: 0.25}, {IsDate: true, Note: "4", Day: chart.CellValid},
				{IsDate: true, Note: "5", Day: chart.CellToCome},
			}}},
		}.SVG(),
		"halves": chart.Map{
			Head: chart.Head{ID: "halves", Title: "Coverage", Desc: "1 of 4"}, Class: "coverage", Halves: true,
			Colour: "#c08423", NightColour: "#4a559f",
			Columns: []string{"1", "", "", "", "5", "", "", "", "", "10", "", "", "", "", "15"},
			Rows: []chart.MapRow{{Label: "Jan", Cells: []chart.MapCell{
				{IsDate: true, Day: chart.CellValid, Night: chart.CellNone}, {IsDate: true, Day: chart.CellShort, Night: chart.CellShort},
				{IsDate: true, Day: chart.CellNone, Night: chart.CellValid}, {IsDate: true, Day: chart.CellToCome, Night: chart.CellToCome},
			}}},
		}.SVG(),
		"cells": chart.Cells{
			Head: chart.Head{ID: "coverage", Title: "Coverage", Desc: "1 of 4"}, Class: "coverage",
			DayColour: "#c08423", NightColour: "#4a559f", DayName: "Day", NightName: "Night",
			Columns: []chart.Cell{
				{Label: "Mon", Note: "2", Day: chart.CellValid, Night: chart.CellNone},
				{Label: "Tue", Note: "3", Day: chart.CellShort, Night: chart.CellShort},
				{Label: "Wed", Note: "4", Day: chart.CellNone, Night: chart.CellValid},
				{Label: "Thu", Note: "5", Day: chart.CellToCome, Night: chart.CellToCome},
			},
		}.SVG(),
	}
}
