package samples

import (
	"slices"

	"github.com/diurna-health/diurna/transform/rows"
)

// restLists are the columns of a date's hours of rest and unrest: of each hour, and of each of its slots.
type restLists struct {
	hours, slots []restFigure
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
			ofHour("rest_motion_epoch_counts", func(h *restHour) int32 { return h.epochs }),
			ofHour("rest_motion_medians", func(h *restHour) int32 { return h.motionMedian }),
		},
		slots: []restFigure{
			ofSlot("rest_slot_heart_rate_sums_bpm", func(s *restSlot) int32 { return s.heartSum }),
			ofSlot("rest_slot_heart_rate_counts", func(s *restSlot) int32 { return s.hearts }),
			ofSlot("rest_slot_step_sample_counts", func(s *restSlot) int32 { return s.steps }),
			ofSlot("rest_slot_walking_sample_counts", func(s *restSlot) int32 { return s.walking }),
			ofSlot("rest_slot_motion_epoch_counts", func(s *restSlot) int32 { return int32(len(s.motions)) }),
			ofSlot("rest_slot_motion_medians", func(s *restSlot) int32 { return lowerMedian(s.motions) }),
		},
	}
}

func (l *restLists) columns() []rows.Column {
	var columns []rows.Column
	for _, f := range slices.Concat(l.hours, l.slots) {
		columns = append(columns, f.column)
	}
	return columns
}

// add adds the hours of a date.
func (l *restLists) add(hours []restHour) {
	for _, f := range l.hours {
		values := f.column.Extend(len(hours))
		for i := range values {
			values[i] = f.hour(&hours[i])
		}
		end(f.column, hours)
	}
	for _, f := range l.slots {
		values := f.column.Extend(len(hours) * hourSlots)
		for i := range values {
			values[i] = f.slot(&hours[i/hourSlots].slots[i%hourSlots])
		}
		end(f.column, hours)
	}
}

// end ends a row, which has no list without hours.
func end(column *rows.IntLists, hours []restHour) {
	if len(hours) > 0 {
		column.End()
	} else {
		column.Skip()
	}
}
