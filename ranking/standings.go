package ranking

import (
	"cmp"
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

//go:embed queries/*.sql
var queryFiles embed.FS

// A Status says whether a board can still change.
type Status string

// The statuses.
const (
	StatusOpen     Status = "open"     // days of the period are still running somewhere
	StatusSettling Status = "settling" // closed; late data is waited for
	StatusFinal    Status = "final"    // frozen
)

// An Absence says why a person is not ranked.
type Absence string

// The absences.
const (
	AbsenceNotTakingPart Absence = "not_taking_part" // no consent, or nobody of that id
	AbsenceNoSteps       Absence = "no_steps"        // nothing that counts in the period's closed days
	AbsenceQuarantine    Absence = "quarantine"      // all that counts waits for a person to look at it
	AbsenceFewValidDays  Absence = "few_valid_days"  // fewer closed valid days than the board asks for
	AbsenceAge           Absence = "age"             // younger than the board's age, or possibly so
)

// Standings are one board and period, ranked. They do not change and are safe for concurrent use; View shows them.
type Standings struct {
	board     Board
	rules     string // version of the boards
	period    schemas.Period
	asOf      time.Time
	status    Status
	settlesAt time.Time
	limits    []Limit
	people    pseudonyms
	mark      publicationMark // of a frozen board

	ranked  []entry          // best first, in listing order
	absent  map[string]entry // by public id: those who take part and are not ranked
	indexOf map[string]int   // by public id, in ranked
	rosters rosterCache

	evidenceAtMS int64 // the latest step of anybody ranked; 0 = nobody
}

// An entry is one person on a board.
type entry struct {
	ID           string      `json:"id"`
	Value        int64       `json:"value"`
	Running      *int64      `json:"-"` // counted of the running day; nil = none
	Days         int         `json:"days"`
	ReachedAtMS  int64       `json:"reached_at_ms"`
	EvidenceAtMS int64       `json:"evidence_at_ms"`
	Absence      Absence     `json:"absence,omitempty"`
	Profile      profile     `json:"profile"`
	Excluded     []Exclusion `json:"excluded,omitempty"`
}

// Load returns the standings of a board in a period: as they were frozen, else as the gold tables have them at the time
// now. db has the gold tables under plain names; ledgerDB is migrated. Errors that a person may see are *schemas.Error:
// not_found for a board that does not exist, invalid for a period that is not the board's.
func Load(ctx context.Context, db, ledgerDB *sql.DB, boardID string, p schemas.Period, now time.Time) (*Standings, error) {
	board, rules, err := boardOf(boardID)
	if err != nil {
		return nil, err
	}
	if err := board.check(p); err != nil {
		return nil, err
	}
	people, err := openPseudonyms(ctx, ledgerDB)
	if err != nil {
		return nil, err
	}
	frozen, err := loadPublication(ctx, ledgerDB, board.ID, p)
	if err != nil {
		return nil, err
	}
	if frozen != nil {
		return frozen.standings(people)
	}
	seenAt, err := windowSeenAt(ctx, ledgerDB, board.ID, p)
	if err != nil {
		return nil, err
	}
	return rank(ctx, db, &Standings{
		board: board, rules: rules, period: p, asOf: now.UTC(), people: people, settlesAt: board.settlesAt(p, seenAt),
	})
}

// Period returns the period that is ranked.
func (s *Standings) Period() schemas.Period { return s.period }

// rank fills standings from the gold tables.
func rank(ctx context.Context, db *sql.DB, s *Standings) (*Standings, error) {
	s.status = StatusOpen
	if !s.asOf.Before(closesAt(s.period)) {
		s.status = StatusSettling
	}
	// One transaction, so that days and limits are of one state of the tables.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("begin ranking: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // nothing was written
	if s.limits, err = readLimits(ctx, tx); err != nil {
		return nil, err
	}
	entries, err := s.readEntries(ctx, tx)
	if err != nil {
		return nil, err
	}
	s.arrange(entries)
	return s, nil
}

// arrange puts those who are ranked in listing order and the others aside.
func (s *Standings) arrange(entries []entry) {
	s.absent = map[string]entry{}
	s.ranked = slices.Grow(s.ranked, len(entries))
	for _, e := range entries {
		e.Profile.region = continentOf(e.Profile.Country)
		if e.Absence != "" {
			s.absent[e.ID] = e
			continue
		}
		s.ranked = append(s.ranked, e)
	}
	slices.SortFunc(s.ranked, func(a, b entry) int {
		return cmp.Or(cmp.Compare(b.Value, a.Value), cmp.Compare(a.ReachedAtMS, b.ReachedAtMS), strings.Compare(a.ID, b.ID))
	})
	s.indexOf = make(map[string]int, len(s.ranked))
	for i, e := range s.ranked {
		s.indexOf[e.ID] = i
		s.evidenceAtMS = max(s.evidenceAtMS, e.EvidenceAtMS)
	}
}

func (s *Standings) readEntries(ctx context.Context, tx *sql.Tx) (entries []entry, err error) {
	first, last := s.period.Dates()
	year, month, _ := first.Civil()
	query, err := queryFiles.ReadFile("queries/standings.sql")
	if err != nil {
		return nil, fmt.Errorf("read query: %w", err)
	}
	rows, err := tx.QueryContext(ctx, string(query),
		sql.Named("first_date", first.String()), sql.Named("last_date", last.String()),
		sql.Named("month_date", schemas.NewDate(year, month, 1).String()), sql.Named("as_of_us", s.asOf.UnixMicro()))
	if err != nil {
		return nil, fmt.Errorf("query standings: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		r := standingRow{startYear: year}
		if err := r.scan(rows); err != nil {
			return nil, fmt.Errorf("read standings: %w", err)
		}
		entries = append(entries, r.entry(s.people.publicID(r.user), s.board.Minimum))
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read standings: %w", err)
	}
	return entries, nil
}

// A standingRow is a row of queries/standings.sql.
type standingRow struct {
	user                  string
	counted               int64
	running               *int64
	closedDays, validDays int
	reachedMS, evidenceMS *int64
	country, sex          string
	birthYear             *int
	daysSinceFirst        int
	fast, sustained       tally
	foreign               tally
	daySteps, dayWalking  tally
	overMaximum           tally
	startYear             int
}

// A tally is how much of something was left out: minutes or days, and the steps in them.
type tally struct{ n, steps int64 }

func (r *standingRow) scan(rows *sql.Rows) error {
	return rows.Scan(&r.user, &r.counted, &r.running, &r.closedDays, &r.validDays, &r.reachedMS, &r.evidenceMS,
		&r.country, &r.birthYear, &r.sex, &r.daysSinceFirst,
		&r.fast.n, &r.fast.steps, &r.sustained.n, &r.sustained.steps, &r.foreign.n, &r.foreign.steps,
		&r.daySteps.n, &r.daySteps.steps, &r.dayWalking.n, &r.dayWalking.steps, &r.overMaximum.n, &r.overMaximum.steps)
}

func (r *standingRow) entry(id string, minimum Minimum) entry {
	e := entry{
		ID: id, Value: r.counted, Running: r.running, Days: r.closedDays,
		Profile: profile{Country: countryCode(r.country), Sex: strings.ToLower(strings.TrimSpace(r.sex)),
			Newcomer: r.daysSinceFirst < newcomerDays},
		Excluded: r.excluded(),
	}
	if !sexSyntax.MatchString(e.Profile.Sex) {
		e.Profile.Sex = ""
	}
	if r.reachedMS != nil {
		e.ReachedAtMS = *r.reachedMS
	}
	if r.evidenceMS != nil {
		e.EvidenceAtMS = *r.evidenceMS
	}
	if r.birthYear != nil && *r.birthYear > 1900 && *r.birthYear <= r.startYear {
		e.Profile.Age = r.startYear - *r.birthYear
	}
	switch {
	// The birthday is not known: who was born in December is a year younger for most of the year.
	case r.birthYear != nil && r.startYear-*r.birthYear-1 < minimum.Age:
		e.Absence = AbsenceAge
	case r.counted == 0 && r.daySteps.n+r.dayWalking.n > 0:
		e.Absence = AbsenceQuarantine
	case r.counted == 0:
		e.Absence = AbsenceNoSteps
	case r.validDays < minimum.ValidDays:
		e.Absence = AbsenceFewValidDays
	}
	return e
}

func (r *standingRow) excluded() []Exclusion {
	var all []Exclusion
	minutes := func(reason Reason, t tally) {
		if t.n > 0 {
			all = append(all, Exclusion{Reason: reason, Minutes: t.n, Steps: t.steps})
		}
	}
	days := func(reason Reason, t tally) {
		if t.n > 0 {
			all = append(all, Exclusion{Reason: reason, Days: t.n, Steps: t.steps})
		}
	}
	minutes(ReasonFast, r.fast)
	minutes(ReasonSustained, r.sustained)
	minutes(ReasonForeign, r.foreign)
	days(ReasonDaySteps, r.daySteps)
	days(ReasonDayWalking, r.dayWalking)
	days(ReasonOverMaximum, r.overMaximum)
	return all
}

func readLimits(ctx context.Context, tx *sql.Tx) (limits []Limit, err error) {
	query, err := queryFiles.ReadFile("queries/limits.sql")
	if err != nil {
		return nil, fmt.Errorf("read query: %w", err)
	}
	rows, err := tx.QueryContext(ctx, string(query))
	if err != nil {
		return nil, fmt.Errorf("query limits: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var l Limit
		if err := rows.Scan(&l.Name, &l.Value, &l.Unit, &l.Version); err != nil {
			return nil, fmt.Errorf("read limits: %w", err)
		}
		limits = append(limits, l)
	}
	return limits, rows.Err()
}

// A roster is the people of a cohort as indices of Standings.ranked, in listing order.
type roster []int32

// maxRosters bounds the memory that cohorts take; beyond it they are made anew each time.
const maxRosters = 256

// A rosterCache keeps the rosters that were asked for.
type rosterCache struct {
	mu      sync.Mutex
	rosters map[Cohort]roster
}

func (s *Standings) roster(c Cohort) roster {
	s.rosters.mu.Lock()
	r, ok := s.rosters.rosters[c]
	s.rosters.mu.Unlock()
	if ok {
		return r
	}
	for i := range s.ranked {
		if c.holds(&s.ranked[i].Profile) {
			r = append(r, int32(i))
		}
	}
	s.rosters.mu.Lock()
	defer s.rosters.mu.Unlock()
	if s.rosters.rosters == nil {
		s.rosters.rosters = map[Cohort]roster{}
	}
	if len(s.rosters.rosters) < maxRosters {
		s.rosters.rosters[c] = r
	}
	return r
}

// above returns how many people of the roster have more than the value.
func (s *Standings) above(r roster, value int64) int {
	return sort.Search(len(r), func(i int) bool { return s.ranked[r[i]].Value <= value })
}

// atLeast returns how many people of the roster have the value or more.
func (s *Standings) atLeast(r roster, value int64) int {
	return sort.Search(len(r), func(i int) bool { return s.ranked[r[i]].Value < value })
}

// place returns where in the roster the person of that index stands, false when not in it.
func (r roster) place(index int) (int, bool) { return slices.BinarySearch(r, int32(index)) }

// shown returns the cohort itself, or the first wider one that may be shown; false when not even everybody are enough.
func (s *Standings) shown(c Cohort, size int) (Cohort, bool) {
	for {
		n := len(s.roster(c))
		if n >= size && s.tellsNobodyApart(c, n) {
			return c, true
		}
		if c == (Cohort{}) {
			return c, false
		}
		c = c.wider()
	}
}

// tellsNobodyApart reports whether no wider board differs from the cohort by so few people that setting the two side by
// side would tell who they are.
func (s *Standings) tellsNobodyApart(c Cohort, n int) bool {
	for _, g := range c.generalisations() {
		if more := len(s.roster(g)) - n; more > 0 && more < s.board.Minimum.Difference {
			return false
		}
	}
	return true
}
