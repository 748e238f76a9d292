package regularity

import "github.com/apache/arrow-go/v18/arrow/array"

const minuteUS = 60_000_000

// timeColumns are when sleep began and ended, as rows go into a function.
type timeColumns struct {
	onset, offset           *array.Timestamp // us since 1970 UTC
	onsetAhead, offsetAhead *array.Int32     // min east of UTC
}

func (c *timeColumns) columns() map[string]any {
	return map[string]any{
		"sleep_onset_at": &c.onset, "sleep_offset_at": &c.offset,
		"onset_utc_offset_min": &c.onsetAhead, "offset_utc_offset_min": &c.offsetAhead,
	}
}

// isKnown reports whether anybody knows when the sleep of a row began.
func (c *timeColumns) isKnown(row int) bool { return c.onset.IsValid(row) }

// night returns the sleep of a row as the person's clock showed it.
func (c *timeColumns) night(row int, date int32) night {
	return night{
		date:         date,
		onsetMinute:  onClock(c.onsetMin(row)),
		offsetMinute: onClock(minuteOf(c.offset, row) + int(c.offsetAhead.Value(row))),
	}
}

// onsetMin returns how many minutes the person's clock was past the first of 1970 at onset.
func (c *timeColumns) onsetMin(row int) int {
	return minuteOf(c.onset, row) + int(c.onsetAhead.Value(row))
}

// lengthMin returns how many minutes of the clock began between onset and offset.
func (c *timeColumns) lengthMin(row int) int { return minuteOf(c.offset, row) - minuteOf(c.onset, row) }

// minuteOf returns the minute since 1970 UTC in which a moment lies.
func minuteOf(moments *array.Timestamp, row int) int {
	us := int(moments.Value(row))
	return (us - (us%minuteUS+minuteUS)%minuteUS) / minuteUS
}
