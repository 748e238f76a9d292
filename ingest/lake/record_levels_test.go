package lake

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/rle"
)

func TestLevelsAreReadAsTheyWereAdded(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 1))
	decoder := rle.Encoding{BitWidth: 1}
	var l levels
	for range 2000 {
		l.reset()
		var want []byte
		for range rng.IntN(30) {
			level, n := byte(rng.IntN(2)), 1+rng.IntN([]int{1, 3, 20, 300}[rng.IntN(4)])
			l.add(level, n)
			want = append(want, bytes.Repeat([]byte{level}, n)...)
		}
		for range 2 { // looking at them changes nothing
			got, err := decoder.DecodeLevels(nil, l.appendTo(nil))
			if err != nil {
				t.Fatal(err)
			}
			// Levels that are packed are filled up to eight.
			if len(got) < len(want) || len(got) > len(want)+7 || !bytes.Equal(got[:len(want)], want) {
				t.Fatalf("%d levels are read as %d", want, got)
			}
		}
	}
}
