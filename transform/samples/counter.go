package samples

import (
	"cmp"
	"slices"
)

// A counter makes steps of readings of running counters.
type counter struct {
	stepsPerMinMax float64 // more is a fault of the counter

	readings []reading
	steps    []counted
}

// A reading is what a counter showed.
type reading struct {
	hour  *Hour
	atMS  int64
	count int32
}

// counted is steps from one reading to the next.
type counted struct {
	hour            *Hour // of the earlier reading
	fromMS, untilMS int64
	count           int32
}

// stepsOf returns the steps that the counters of a person's date counted. Where any device sent steps, counters count
// nothing; of several counters the one read most often stands for the date. A reading below the one before it is a
// reset: what it shows was counted since.
func (c *counter) stepsOf(hours []Hour) []counted {
	c.steps = c.steps[:0]
	device := counterOf(hours)
	if device == nil || slices.ContainsFunc(hours, func(h Hour) bool { return h.Metric == Steps }) {
		return nil
	}
	c.read(hours, *device)
	for i := 0; i+1 < len(c.readings); i++ {
		earlier, later := c.readings[i], c.readings[i+1]
		if later.atMS == earlier.atMS {
			continue
		}
		count := later.count - earlier.count
		if count < 0 {
			count = later.count
		}
		begun := (later.atMS - earlier.atMS + minuteMS - 1) / minuteMS
		if float64(count) <= c.stepsPerMinMax*float64(begun) {
			c.steps = append(c.steps, counted{earlier.hour, earlier.atMS, later.atMS, count})
		}
	}
	return c.steps
}

// counterOf returns the device whose counter was read most often; nil when there is none.
func counterOf(hours []Hour) *string {
	var best *string
	most := 0
	for i := range hours {
		if hours[i].Metric != StepCounter {
			continue
		}
		n := 0
		for k := range hours {
			if hours[k].Metric == StepCounter && hours[k].Device == hours[i].Device {
				n += len(hours[k].Values)
			}
		}
		if best == nil || n > most || n == most && hours[i].Device < *best {
			best, most = &hours[i].Device, n
		}
	}
	return best
}

// read lists the readings of a device in the order of time.
func (c *counter) read(hours []Hour, device string) {
	c.readings = c.readings[:0]
	for i := range hours {
		h := &hours[i]
		if h.Metric != StepCounter || h.Device != device {
			continue
		}
		for k, v := range h.Values {
			c.readings = append(c.readings, reading{h, h.startMS(k), v})
		}
	}
	slices.SortFunc(c.readings, func(a, b reading) int { return cmp.Or(cmp.Compare(a.atMS, b.atMS), cmp.Compare(a.count, b.count)) })
}
