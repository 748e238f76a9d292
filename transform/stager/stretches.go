package stager

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/diurna-health/diurna/transform/rows"
)

// A stretchReader makes stretches of the epochs that it reads.
type stretchReader struct {
	ctx    context.Context //nolint:containedctx // a RecordReader's methods take none; it lives as long as the call that made it
	rows   array.RecordReader
	in     epochColumns
	stager *Stager
	out    *rows.Builder

	begun bool // there is a night in hand
	key   nightKey
	night Night
}

// fill adds the stretches of the next batch of epochs, but for those of the last night, which may go on.
func (r *stretchReader) fill() (more bool, err error) {
	if err := r.ctx.Err(); err != nil {
		return false, err
	}
	if r.rows.Next() {
		return true, r.take(r.rows.RecordBatch())
	}
	if err := r.rows.Err(); err != nil {
		return false, err
	}
	if r.begun {
		r.endNight()
	}
	return false, nil
}
