package ranking

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

//go:embed boards.json
var boardsFile []byte

// A Board is one kind of contest; each of its periods is ranked by itself.
type Board struct {
	ID         string             `json:"id"`
	Metric     string             `json:"metric"`
	Unit       string             `json:"unit"`
	Period     schemas.PeriodKind `json:"period"`
	Minimum    Minimum            `json:"minimum"`
	GraceHours int                `json:"grace_hours"`
}

// Minimum holds what a board asks for before it says something.
type Minimum struct {
	Named      int `json:"named"`      // people, before anybody is listed
	Percentile int `json:"percentile"` // people, before a percentile is given
	Difference int `json:"difference"` // people, that two cohorts must differ by when they differ
	ValidDays  int `json:"valid_days"` // closed valid days, before a person is ranked; 0 = any
	Age        int `json:"age"`        // years, of those whose year of birth is known
}

type boardSet struct {
	Version string  `json:"version"`
	Boards  []Board `json:"boards"`
}

// Boards returns every board there is.
func Boards() ([]Board, error) {
	set, err := readBoards()
	return set.Boards, err
}

func readBoards() (boardSet, error) {
	var set boardSet
	if err := json.Unmarshal(boardsFile, &set); err != nil {
		return set, fmt.Errorf("read boards: %w", err)
	}
	return set, nil
}

// boardOf returns the board of that id and the version of the rules. Its error is an *Error with CodeNotFound that names
// the boards there are.
func boardOf(id string) (Board, string, error) {
	set, err := readBoards()
	if err != nil {
		return Board{}, "", err
	}
	i := slices.IndexFunc(set.Boards, func(b Board) bool { return b.ID == id })
	if i < 0 {
		ids := make([]string, len(set.Boards))
		for i, b := range set.Boards {
			ids[i] = b.ID
		}
		return Board{}, "", &schemas.Error{Code: schemas.CodeNotFound,
			Message: fmt.Sprintf("there is no board %q: the boards are %s", id, strings.Join(ids, ", "))}
	}
	return set.Boards[i], set.Version, nil
}

// PeriodAt returns the board's period that is running at the instant in UTC.
func (b Board) PeriodAt(at time.Time) schemas.Period {
	today := schemas.DateOf(at.UnixMilli(), 0)
	if b.Period == schemas.PeriodMonth {
		return schemas.MonthOf(today)
	}
	return schemas.ISOWeekOf(today)
}

// check refuses a period of another length than the board's.
func (b Board) check(p schemas.Period) error {
	if p.Kind() == b.Period {
		return nil
	}
	example := "2016-W16"
	if b.Period == schemas.PeriodMonth {
		example = "2016-04"
	}
	return &schemas.Error{Code: schemas.CodeInvalid,
		Message: fmt.Sprintf("the board %s is ranked by the %s: give one as in %s", b.ID, b.Period, example)}
}

// lastZoneOffset is that of the westernmost inhabited zone, where a date ends last.
const lastZoneOffset = -11 * time.Hour

// closesAt returns when the last date of the period is over everywhere people live.
func closesAt(p schemas.Period) time.Time {
	_, last := p.Dates()
	return time.Unix(int64(last+1)*24*60*60, 0).UTC().Add(-lastZoneOffset)
}

// settlesAt returns when the board is frozen. A board that was first seen after it closed has its grace from then: history
// that is brought in arrives in parts.
func (b Board) settlesAt(p schemas.Period, seenAt time.Time) time.Time {
	at := closesAt(p)
	if seenAt.After(at) {
		at = seenAt
	}
	return at.Add(time.Duration(b.GraceHours) * time.Hour)
}
