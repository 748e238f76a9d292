package samples

import (
	"slices"

	"github.com/diurna-health/diurna/transform/rows"
)

// restLists are the columns of a date's hours of rest and unrest: of each hour, of each of its slots, and the motion epochs
// of all slots in order.
type restLists struct {
	hours, slots []restFigure
	motions      *rows.IntLists
}

// A restFigure is a column of hours, or of their slots.
type restFigure struct {
	column *rows.IntLists
	hour   func(*restHour) int32
	slot   func(*restSlot) int32
}

func newRestLists() *restLists {
	ofHour := func(name string, of func(*restHour) int32) restFigure {
		return restFigure{column: rows.Int32Lists(name), hour: of}
	}
	ofSlot := func(name string, of func(*restSlot) int32) restFigure {
		return restFigure{column: rows.Int32Lists(name), slot: of}
	}
	return &restLists{
		hours: []restFigure{
			ofHour("rest_first_slots", func(h *restHour) int32 { return int32(h.slot) }),
			ofHour("rest_utc_offsets_min", func(h *restHour) int32 { return h.utcOffsetMin }),
			ofHour("rest_measured_mins", (*restHour).measuredMin),
			ofHour("rest_heart_rate_sums_bpm", func(h *restHour) int32 { return h.heartSum }),
			ofHour("rest_heart_rate_counts", func(h *restHour) int32 { return h.hearts }),
			ofHour("rest_heart_rate_mins_bpm", func(h *restHour) int32 { return h.lowestBPM }),
			ofHour("rest_motion_sums", func(h *restHour) int32 { return h.motionSum }),
			ofHour("rest_motion_epoch_counts", func(h *restHour) int32 { return int32(len(h.motions)) }),
			ofHour("rest_motion_medians", func(h *restHour) int32 { return h.motionMedian }),
		},
		slots: []restFigure{
			ofSlot("rest_slot_heart_rate_sums_bpm", func(s *restSlot) int32 { return s.heartSum }),
			ofSlot("rest_slot_heart_rate_counts", func(s *restSlot) int32 { return s.hearts }),
			ofSlot("rest_slot_step_sample_counts", func(s *restSlot) int32 { return s.steps }),
			ofSlot("rest_slot_walking_sample_counts", func(s *restSlot) int32 { return s.walking }),
			ofSlot("rest_slot_motion_epoch_counts", func(s *restSlot) int32 { return s.epochs }),
		},
		motions: rows.Int32Lists("rest_motion_counts"),
	}
}

func (l *restLists) columns() []rows.Column {
	columns := []rows.Column{l.motions}
	for _, f := range slices.Concat(l.hours, l.slots) {
		columns = append(columns, f.column)
	}
	return columns
}

// add adds the hours of a date.
func (l *restLists) add(hours []restHour) {
	if len(hours) == 0 {
		for _, f := range slices.Concat(l.hours, l.slots) {
			f.column.Skip()
		}
		l.motions.Skip()
		return
	}
	for i := range hours {
		h := &hours[i]
		for _, f := range l.hours {
			f.column.Append(f.hour(h))
		}
		for _, f := range l.slots {
			for k := range h.slots {
				f.column.Append(f.slot(&h.slots[k]))
			}
		}
		for _, e := range h.motions {
			l.motions.Append(e.count)
		}
	}
	for _, f := range slices.Concat(l.hours, l.slots) {
		f.column.End()
	}
	l.motions.End()
}
