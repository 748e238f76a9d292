package transform

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/minutes"
)

// A Function is the Go part of a model, for what sets are the wrong tool: rolling medians, classifiers, tracks.
type Function struct {
	// Fingerprint changes whenever the function would make other rows of the same input: the version of its
	// coefficients, say. It is part of the model's fingerprint.
	Fingerprint string
	// Run turns the rows of the model's select, in the order of its header, into the rows of its outputs. It may read
	// while it is read from. Columns of both sides are found by name.
	Run func(ctx context.Context, rows array.RecordReader) (array.RecordReader, error)
}

// Functions are the Go parts that models may name, by name.
type Functions map[string]Function

// goFunctions are those of Diurna's own models.
func goFunctions() Functions {
	return Functions{
		"minutes": {Fingerprint: "1", Run: minutes.Run},
	}
}

// fingerprint is what of the functions decides the rows of a model.
func (f Functions) fingerprint(m *Model) string {
	if m.Function == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(m.Function + "\n" + f[m.Function].Fingerprint))
	return hex.EncodeToString(sum[:])
}

// check returns an error when the model names a function that is not there.
func (f Functions) check(m *Model) error {
	if _, ok := f[m.Function]; m.Function != "" && !ok {
		return fmt.Errorf("model %s: there is no Go function %q, only %q", m.Name, m.Function, slices.Sorted(maps.Keys(f)))
	}
	return nil
}
