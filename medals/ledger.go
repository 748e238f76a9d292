package medals

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// An Action is what an entry of the ledger does to an award.
type Action string

// The actions.
const (
	ActionAward   Action = "award"   // the first entry of every award
	ActionAmend   Action = "amend"   // the award stands, its date or evidence became known better
	ActionRevoke  Action = "revoke"  // the evidence is gone or corrected
	ActionRestore Action = "restore" // the evidence is back, and with it the same award
)

// A Reason says why an award was revoked.
type Reason string

// The reasons.
const (
	ReasonErased    Reason = "evidence_erased"    // a day it rested on has no such figure any more
	ReasonCorrected Reason = "evidence_corrected" // the figures of its days changed
)

// An Entry is a line of the ledger. Entries are appended and never changed.
type Entry struct {
	AwardID     string
	Seq         int // from 1 within the award
	UserID      string
	Medal       string
	Level       int64
	Period      string
	RuleVersion int
	Action      Action
	Reason      Reason
	EarnedOn    schemas.Date
	Evidence    Evidence
	RecordedAt  time.Time
}

// A Standing is how an award stands: its last entry, and when it was first made.
type Standing struct {
	Entry
	AwardedAt time.Time
}

// Stands reports whether the award is the person's.
func (s *Standing) Stands() bool { return s.Action != ActionRevoke }

// ErrConflict is returned by Ledger.Append when somebody else appended to one of the awards meanwhile.
var ErrConflict = errors.New("medal ledger has moved on")

// A Ledger remembers what was awarded. It is safe for concurrent use, by several processes too.
type Ledger interface {
	// People returns everybody who ever had an award and was not erased, sorted.
	People(ctx context.Context) ([]string, error)
	// Standings returns how every award of these people stands, revoked ones included, in the order of their ids.
	Standings(ctx context.Context, users []string) (map[string][]Standing, error)
	// Append writes all entries or none, and returns ErrConflict when one of them is not the next of its award. Entries
	// of people who were erased are left out; it returns these people.
	Append(ctx context.Context, entries []Entry) (erased []string, err error)
	// Erase forgets everything of a person. Evaluations that are under way cannot bring it back.
	Erase(ctx context.Context, user string) error
	// Readmit lets a person who was erased earn medals again.
	Readmit(ctx context.Context, user string) error
}

// awardID names an award after what it is for, so that the same feat has the same id whenever and wherever it is found.
func awardID(user, medal string, level int64, period string, ruleVersion int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d %q %d", user, medal, level, period, ruleVersion))
	return hex.EncodeToString(sum[:12])
}
