package schedule

import (
	"context"
	"iter"
	"time"
	_ "time/tzdata" // a machine without zone files must not move anybody's Monday
)

// A Person is somebody who is to get reports.
type Person struct {
	UserID string
	// Zone is the IANA zone the person is in; empty or unknown to the zone tables when only an offset is known.
	Zone string
	// OffsetMin is the last recorded offset, in minutes east of UTC.
	OffsetMin int32
	// Language is the tag of the language they read, such as en; empty for the fallback.
	Language string
}

// People says who is to get reports. Whoever was erased, or does not want any, is not there.
type People interface {
	// All yields everybody, in any order.
	All(ctx context.Context) iter.Seq2[Person, error]
	// Find returns those of these people who are there, by id.
	Find(ctx context.Context, userIDs []string) (map[string]Person, error)
}

// location is the zone in which the person's calendar is kept.
func (p Person) location() *time.Location {
	if p.Zone != "" && p.Zone != "Local" { // the machine's own zone is nobody's
		if loc, err := time.LoadLocation(p.Zone); err == nil {
			return loc
		}
	}
	return time.FixedZone("", int(p.OffsetMin)*60)
}
