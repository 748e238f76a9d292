package stager

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// method is the stager's method and its version: what features, inputs and rules make of coefficients.
const method = "walch_net_forest/1"

// version returns the name of the table: the method and a hash of its numbers.
func (c *Coefficients) version() string {
	h := sha256.New()
	fmt.Fprintf(h, "%.6g %.6g", c.MotionScale, c.Guess)
	for _, rows := range [][]row{c.Networks, c.Trees} {
		for _, r := range rows {
			for _, v := range r {
				fmt.Fprintf(h, " %.6g", v)
			}
		}
		fmt.Fprintln(h)
	}
	return method + "-" + hex.EncodeToString(h.Sum(nil)[:6])
}
