package syncv1

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestADecoderReadsEachMessageAsIfItWereTheFirst(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	var d Decoder
	for range 300 {
		want := randomBatch(rng)
		for _, encode := range []func(*Batch) ([]byte, error){EncodeProto, EncodeJSON} {
			data, err := encode(want)
			if err != nil {
				t.Fatal(err)
			}
			if rng.IntN(5) == 0 { // a message that ends early leaves nothing behind
				_, _ = d.Decode("", data[:len(data)/2])
			}
			got, err := d.Decode("", data)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("-want +got:\n%s", diff)
			}
		}
	}
}

// TestNumbersReadTheSameWithAndWithoutWhiteSpace compares the two ways of reading an array of numbers: plain ones, and
// all others.
func TestNumbersReadTheSameWithAndWithoutWhiteSpace(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		want := randomBatch(rng)
		data, err := EncodeJSON(want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(ContentTypeJSON, bytes.ReplaceAll(data, []byte{','}, []byte(" ,\n")))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("-want +got:\n%s", diff)
		}
	}
}

func TestAnArrayThatIsNotOfWholeNumbersIsRefusedWhereverItGoesWrong(t *testing.T) {
	t.Parallel()
	message := func(values string) []byte {
		return []byte(`{"batch_id":"b","user_id":"u","device":{"id":"w"},"utc_offset":"Z","series":[{"metric":"steps",` +
			`"start":"2026-03-01T08:00:00Z","period_ms":1000,"values":` + values + `}]}`)
	}
	for _, good := range []string{"[]", "[1]", "[0,-0,-1,2147483647,-2147483648]", "[null,1,null,2]", "[1,2 ,3, 4]"} {
		if _, err := Decode(ContentTypeJSON, message(good)); err != nil {
			t.Errorf("%s is refused: %v", good, err)
		}
	}
	for _, wrong := range []string{
		"1,", "01,", "-,", "-01,", "1.0,", "1e2,", "2147483648,", "-2147483649,", "99999999999,", "99999999999999999999,", ",", "+1,",
		`"1",`, "true,", "nul,", "1;", "1",
	} {
		for _, before := range []string{"", "1,2,", "1,null,"} {
			for _, after := range []string{"", "3,4"} {
				values := "[" + before + wrong + after + "]"
				if wrong == "1," && after != "" || wrong == "1" && after == "" {
					continue // nothing is wrong with it
				}
				if wrong == "1" {
					values = "[" + before + wrong + " " + after + "]" // 1 3
				}
				_, err := Decode(ContentTypeJSON, message(values))
				if err == nil || !strings.Contains(err.Error(), "series[0].values") {
					t.Errorf("%s: %v", values, err)
				}
			}
		}
	}
}
