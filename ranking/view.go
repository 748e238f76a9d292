package ranking

import (
	"math"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// Format names the form of a View's JSON.
const Format = "diurna.ranking/1"

// How much of a board a View shows unless it is asked for more.
const (
	DefaultTop    = 10
	MaxTop        = 100
	neighbourSpan = 3
)

// A Reason says why something does not count.
type Reason string

// The reasons.
const (
	ReasonFast        Reason = "fast"         // minutes faster than anybody walks or runs
	ReasonSustained   Reason = "sustained"    // minutes of a pace kept up for longer than can be
	ReasonForeign     Reason = "foreign"      // minutes that were imported or written in by hand
	ReasonDaySteps    Reason = "day_steps"    // days with more steps than can be: waiting for a person to look at them
	ReasonDayWalking  Reason = "day_walking"  // days with more walking than can be: waiting for a person to look at them
	ReasonOverMaximum Reason = "over_maximum" // days above what a day counts at most
)

// A View is what may be seen of a board: plain data for pages, programs and people. Rows and Me hold public ids and names,
// never a user id. A nil pointer is missing, not zero.
type View struct {
	Format       string             `json:"format"`
	Board        string             `json:"board"`
	Metric       string             `json:"metric"`
	Unit         string             `json:"unit"`
	PeriodKind   schemas.PeriodKind `json:"period_kind"`
	Period       string             `json:"period"`
	FirstDate    string             `json:"first_date"`
	LastDate     string             `json:"last_date"`
	Status       Status             `json:"status"`
	ClosesAt     time.Time          `json:"closes_at"`  // when the last date is over everywhere
	SettlesAt    time.Time          `json:"settles_at"` // when the board is frozen, or was due to be
	Freshness    Freshness          `json:"freshness"`
	Revision     *int               `json:"revision"` // of a frozen board
	SHA256       *string            `json:"sha256"`   // of a frozen board's entries
	Cohort       CohortShown        `json:"cohort"`
	Top          []Row              `json:"top"`        // empty when the board names nobody
	Neighbours   []Row              `json:"neighbours"` // the person with up to three on each side
	Me           *Me                `json:"me"`         // nil when nobody asked
	MineExcluded []Exclusion        `json:"mine_excluded"`
	Rules        Rules              `json:"rules"`
}

// Freshness says how new the figures are.
type Freshness struct {
	AsOf          time.Time  `json:"as_of"`          // the days that were over then are counted
	EvidenceUntil *time.Time `json:"evidence_until"` // the latest step of anybody on the board
}

// CohortShown says who is compared.
type CohortShown struct {
	Asked       string `json:"asked"`
	Shown       string `json:"shown"`        // a wider one when Asked was too small to be shown
	PeopleCount *int   `json:"people_count"` // nil when the board names nobody
}

// A Row is one person of a board.
type Row struct {
	Rank     int    `json:"rank"`
	PublicID string `json:"public_id"`
	Name     string `json:"name"`
	Value    int64  `json:"value"`
	DayCount int    `json:"day_count"` // closed days with steps
	IsMe     bool   `json:"is_me"`
}

// Me is where the person who asked stands.
type Me struct {
	PublicID         string     `json:"public_id"`
	Name             string     `json:"name"`
	Absence          *Absence   `json:"absence"` // why the person is not ranked
	Value            *int64     `json:"value"`
	RunningValue     *int64     `json:"running_value"` // of the running day: provisional, in no rank
	DayCount         *int       `json:"day_count"`
	Rank             *int       `json:"rank"`
	Of               *int       `json:"of"`
	Percentile       *float64   `json:"percentile"`        // share below and half of the ties, in percent
	TopPct           *int       `json:"top_pct"`           // "top x %"
	PercentileCohort *string    `json:"percentile_cohort"` // who it is among: the cohort shown, or a wider one
	GapUp            *int64     `json:"gap_up"`            // to the next better value; nil for the first
	GapDown          *int64     `json:"gap_down"`          // to the next lower value; nil for the last
	ReachedAt        *time.Time `json:"reached_at"`
	EvidenceUntil    *time.Time `json:"evidence_until"`
}

// An Exclusion is what of a person's own evidence does not count.
type Exclusion struct {
	Reason  Reason `json:"reason"`
	Minutes int64  `json:"minutes,omitempty"`
	Days    int64  `json:"days,omitempty"`
	Steps   int64  `json:"steps"`
}

// Rules are those the board was made by.
type Rules struct {
	Version    string  `json:"version"`
	Minimum    Minimum `json:"minimum"`
	GraceHours int     `json:"grace_hours"`
	Limits     []Limit `json:"limits"`
}

// A Limit is a figure by which a day was judged.
type Limit struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Unit    string  `json:"unit"`
	Version int     `json:"version"`
}

// A Question is what of the standings somebody wants to see.
type Question struct {
	User   string // who asks, "" for nobody
	Cohort string // "" is all
	Top    int    // 0 is DefaultTop, at most MaxTop
}

// View answers a question. A cohort that cannot be read is a *schemas.Error with CodeInvalid.
func (s *Standings) View(q Question) (*View, error) {
	var me *entry
	var id string
	index := -1
	if q.User != "" {
		id = s.people.publicID(q.User)
		if i, ok := s.indexOf[id]; ok {
			index, me = i, &s.ranked[i]
		} else if e, ok := s.absent[id]; ok {
			me = &e
		}
	}
	asked, err := parseCohort(q.Cohort, profileOf(me))
	if err != nil {
		return nil, err
	}
	shown, named := s.shown(asked, s.board.Minimum.Named)
	v := s.frame(asked, shown)
	var people roster
	if named {
		people = s.roster(shown)
		v.Cohort.PeopleCount = new(len(people))
		v.Top = s.rows(people, 0, topOf(q.Top), index)
	}
	if q.User == "" {
		return v, nil
	}
	v.Me = s.me(id, me)
	if me != nil && len(me.Excluded) > 0 {
		v.MineExcluded = me.Excluded
	}
	if index < 0 {
		return v, nil
	}
	if place, ok := people.place(index); ok {
		v.Neighbours = s.rows(people, place-neighbourSpan, place+neighbourSpan+1, index)
		s.rankIn(v.Me, people, me.Value)
	}
	s.percentile(v.Me, shown, index)
	return v, nil
}

func profileOf(e *entry) *profile {
	if e == nil {
		return nil
	}
	return &e.Profile
}

func topOf(n int) int {
	if n <= 0 {
		return DefaultTop
	}
	return min(n, MaxTop)
}

// frame returns a view without people.
func (s *Standings) frame(asked, shown Cohort) *View {
	first, last := s.period.Dates()
	v := &View{
		Format: Format, Board: s.board.ID, Metric: s.board.Metric, Unit: s.board.Unit,
		PeriodKind: s.period.Kind(), Period: s.period.String(), FirstDate: first.String(), LastDate: last.String(),
		Status: s.status, ClosesAt: closesAt(s.period), SettlesAt: s.settlesAt,
		Freshness: Freshness{AsOf: s.asOf},
		Cohort:    CohortShown{Asked: asked.String(), Shown: shown.String()},
		Top:       []Row{}, Neighbours: []Row{}, MineExcluded: []Exclusion{},
		Rules: Rules{Version: s.rules, Minimum: s.board.Minimum, GraceHours: s.board.GraceHours, Limits: s.limits},
	}
	if s.status == StatusFinal {
		v.Revision, v.SHA256 = &s.mark.revision, &s.mark.sha256
	}
	if s.evidenceAtMS > 0 {
		v.Freshness.EvidenceUntil = new(time.UnixMilli(s.evidenceAtMS).UTC())
	}
	return v
}

// rows returns the people of the roster from one place up to another, clipped to the roster.
func (s *Standings) rows(r roster, from, to, me int) []Row {
	from, to = max(from, 0), min(to, len(r))
	rows := make([]Row, 0, to-from)
	for _, i := range r[from:to] {
		e := &s.ranked[i]
		rows = append(rows, Row{
			Rank: s.above(r, e.Value) + 1, PublicID: e.ID, Name: publicName(e.ID), Value: e.Value, DayCount: e.Days,
			IsMe: int(i) == me,
		})
	}
	return rows
}

// me returns what a person may know of themselves whatever the size of the board.
func (s *Standings) me(id string, e *entry) *Me {
	m := &Me{PublicID: id, Name: publicName(id)}
	if e == nil {
		m.Absence = new(AbsenceNotTakingPart)
		return m
	}
	if e.Absence != "" {
		m.Absence = new(e.Absence)
	}
	m.Value, m.RunningValue, m.DayCount = new(e.Value), e.Running, new(e.Days)
	if e.ReachedAtMS > 0 {
		m.ReachedAt = new(time.UnixMilli(e.ReachedAtMS).UTC())
	}
	if e.EvidenceAtMS > 0 {
		m.EvidenceUntil = new(time.UnixMilli(e.EvidenceAtMS).UTC())
	}
	return m
}

func (s *Standings) rankIn(m *Me, r roster, value int64) {
	above, below := s.above(r, value), s.atLeast(r, value)
	m.Rank, m.Of = new(above+1), new(len(r))
	if above > 0 {
		m.GapUp = new(s.ranked[r[above-1]].Value - value)
	}
	if below < len(r) {
		m.GapDown = new(value - s.ranked[r[below]].Value)
	}
}

// percentile is given among the cohort shown, or the first wider one that is large enough.
func (s *Standings) percentile(m *Me, shown Cohort, index int) {
	c, ok := s.shown(shown, s.board.Minimum.Percentile)
	if !ok {
		return
	}
	r := s.roster(c)
	if _, in := r.place(index); !in {
		return
	}
	value := s.ranked[index].Value
	m.Percentile, m.TopPct = percentileOf(s.above(r, value), s.atLeast(r, value), len(r))
	m.PercentileCohort = new(c.String())
}

// percentileOf returns the mid-rank percentile of a value that above people of n exceed and that atLeast people reach,
// and the "top x %" that follows. Whole numbers decide the rounding up: a float would make 90 % into "top 11 %".
func percentileOf(above, atLeast, n int) (*float64, *int) {
	halvesAbove := above + atLeast // twice (above + half of the ties)
	top := max(1, (100*halvesAbove+2*n-1)/(2*n))
	pct := 100 * float64(2*n-halvesAbove) / float64(2*n)
	return new(math.Round(pct*100) / 100), &top
}
