package stager

import (
	_ "embed" // the coefficients
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
)

// Coefficients are what the stager learned. They come from `diurna train sleep` and are data: versioned, checked in, and
// written to the last digit in use, so that a table read again stages as the one that was written.
type Coefficients struct {
	// Version names the table: the method and a hash of everything the stager reads from it.
	Version string `json:"version"`
	// Provenance says from what and how they were made.
	Provenance Provenance `json:"provenance"`
	// MotionScale is the mean feature of epochs with movement among the people learned from; nights from counts of
	// another device are brought to it.
	MotionScale decimal `json:"motion_scale"`
	// Networks holds the weights of each network, layer after layer.
	Networks []row `json:"networks"`
	// Guess is the forest's first guess, and each row of Trees three figures, three thresholds and eight values.
	Guess decimal `json:"guess"`
	Trees []row   `json:"trees"`
}

// Provenance says where coefficients come from.
type Provenance struct {
	Data   string `json:"data"`
	People int    `json:"people"`
	Epochs int    `json:"epochs"`
	Seed   int    `json:"seed"`
	Method string `json:"method"`
	// Trials are the cross-validations of the same method on the same people.
	Trials []Trial `json:"cross_validation,omitempty"`
}

// A decimal is a number of few digits.
type decimal float64

// MarshalJSON writes six significant digits.
func (d decimal) MarshalJSON() ([]byte, error) {
	return strconv.AppendFloat(nil, float64(d), 'g', 6, 64), nil
}

// A row is numbers on one line.
type row []float64

// MarshalJSON writes six significant digits each.
func (r row) MarshalJSON() ([]byte, error) {
	out := []byte{'['}
	for i, v := range r {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendFloat(out, v, 'g', 6, 64)
	}
	return append(out, ']'), nil
}

// rounded returns the number as it is written.
func rounded(v float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil {
		return math.NaN()
	}
	return r
}

//go:embed coefficients.json
var shippedCoefficients string

// Shipped returns the coefficients of this version of Diurna.
var Shipped = sync.OnceValues(func() (*Coefficients, error) {
	return ReadCoefficients(strings.NewReader(shippedCoefficients))
})

// ReadCoefficients reads a table that Write wrote.
func ReadCoefficients(r io.Reader) (*Coefficients, error) {
	c := &Coefficients{}
	in := json.NewDecoder(r)
	in.DisallowUnknownFields()
	if err := in.Decode(c); err != nil {
		return nil, fmt.Errorf("read coefficients: %w", err)
	}
	return c, c.check()
}

// check returns an error when the table cannot be one of this stager.
func (c *Coefficients) check() error {
	if len(c.Networks) == 0 || c.MotionScale <= 0 {
		return fmt.Errorf("coefficients %s: there is no network or no motion scale", c.Version)
	}
	for i, n := range c.Networks {
		if len(n) != networkWeights {
			return fmt.Errorf("coefficients %s: network %d has %d weights, want %d", c.Version, i+1, len(n), networkWeights)
		}
	}
	for i, t := range c.Trees {
		if len(t) != 2*treeDepth+treeLeaves {
			return fmt.Errorf("coefficients %s: tree %d has %d numbers, want %d", c.Version, i+1, len(t), 2*treeDepth+treeLeaves)
		}
		for _, f := range t[:treeDepth] {
			if f != math.Trunc(f) || f < 0 || f >= float64(figureCount) {
				return fmt.Errorf("coefficients %s: tree %d asks for a figure that is not there", c.Version, i+1)
			}
		}
	}
	if want := c.version(); c.Version != want {
		return fmt.Errorf("coefficients %s were changed by hand: their hash makes them %s", c.Version, want)
	}
	return nil
}

// Write writes the table, one network and one tree on a line.
func (c *Coefficients) Write(w io.Writer) error {
	rows := func(rows []row) string {
		lines := make([]string, len(rows))
		for i, r := range rows {
			text, _ := r.MarshalJSON() // has no error to return
			lines[i] = "    " + string(text)
		}
		return strings.Join(lines, ",\n")
	}
	provenance, err := json.Marshal(c.Provenance)
	if err != nil {
		return fmt.Errorf("write coefficients: %w", err)
	}
	number := func(d decimal) string { return strconv.FormatFloat(float64(d), 'g', 6, 64) }
	_, err = fmt.Fprintf(w, "{\n  \"version\": %q,\n  \"provenance\": %s,\n  \"motion_scale\": %s,\n"+
		"  \"networks\": [\n%s\n  ],\n  \"guess\": %s,\n  \"trees\": [\n%s\n  ]\n}\n",
		c.Version, provenance, number(c.MotionScale), rows(c.Networks), number(c.Guess), rows(c.Trees))
	if err != nil {
		return fmt.Errorf("write coefficients: %w", err)
	}
	return nil
}
