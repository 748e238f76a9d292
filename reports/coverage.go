package reports

import "github.com/diurna-health/diurna/schemas"

func (f *frame) coverage(e *evidence) Coverage {
	c := Coverage{OfDays: f.daysOver(), OfNights: f.nightsOver()}
	for _, date := range f.dates() {
		d := e.days[date]
		day := CoverageDay{
			Date: date, Day: f.dayState(e, date), Night: f.nightState(e, date),
		}
		if day.Day != CellToCome {
			day.WornMin, day.WearSource = d.wornMin, d.wearSource
		}
		if day.Day == CellValid {
			c.ValidDays++
		}
		if day.Night == CellValid {
			c.ValidNights++
		}
		c.Days = append(c.Days, day)
	}
	return c
}

// dayState says how much of a day was measured. A day whose samples show that the watch lay on a table is as good as
// none.
func (f *frame) dayState(e *evidence, date schemas.Date) CellState {
	d := e.days[date]
	switch {
	case date > f.closedDay:
		return CellToCome
	case d.isValidDay:
		return CellValid
	case d.wornMin != nil && *d.wornMin > 0:
		return CellShort
	default:
		return CellNone
	}
}

// nightState says how much of the night that ended on the date was measured.
func (f *frame) nightState(e *evidence, date schemas.Date) CellState {
	d := e.days[date]
	switch {
	case date > f.closedNight:
		return CellToCome
	case d.isValidNight:
		return CellValid
	case d.hasSleep:
		return CellShort
	default:
		return CellNone
	}
}

// state reduces a date's state for one section: a day without a row of that section's table has nothing to show.
func state(cell CellState, isMeasured bool) CellState {
	if !isMeasured && cell != CellToCome {
		return CellNone
	}
	if isMeasured && cell == CellNone {
		return CellShort
	}
	return cell
}
