package medals

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// Options narrow or change an evaluation. The zero value evaluates everybody by Diurna's own catalogue.
type Options struct {
	Catalogue *Catalogue // nil is DefaultCatalogue
	Users     []string   // nil is everybody who has days or medals
}

// A Result says what an evaluation did.
type Result struct {
	People   int // looked at
	Awarded  int
	Amended  int
	Revoked  int
	Restored int
	// News is what is worth telling people, sorted by person; those without news are left out.
	News []News
}

// News is what one person may be told: medals of the last days one by one, everything older in one sentence with its
// count. A revocation, a restoration and an amendment are shown where medals are shown, and not told.
type News struct {
	UserID     string
	Fresh      []Standing // earned within freshDays of the evaluation, the newest last
	Backfilled int        // awarded for days longer ago
}

// count adds what was appended for a person.
func (r *Result) count(user string, entries []Entry, today schemas.Date) {
	r.People++
	news := News{UserID: user}
	for _, e := range entries {
		switch e.Action {
		case ActionAward:
			r.Awarded++
			news.add(e, today)
		case ActionAmend:
			r.Amended++
		case ActionRevoke:
			r.Revoked++
		case ActionRestore:
			r.Restored++
		}
	}
	if len(news.Fresh)+news.Backfilled > 0 {
		slices.SortStableFunc(news.Fresh, func(a, b Standing) int { return int(a.EarnedOn - b.EarnedOn) })
		r.News = append(r.News, news)
	}
}

// add takes a new award into the news: of several levels by one feat the highest alone.
func (n *News) add(e Entry, today schemas.Date) {
	if e.EarnedOn <= today-freshDays {
		n.Backfilled++
		return
	}
	for i := range n.Fresh {
		told := &n.Fresh[i]
		if told.Medal == e.Medal && told.Period == e.Period && told.EarnedOn == e.EarnedOn {
			if e.Level > told.Level {
				*told = Standing{e, e.RecordedAt}
			}
			return
		}
	}
	n.Fresh = append(n.Fresh, Standing{e, e.RecordedAt})
}

func (r *Result) add(o Result) {
	r.People += o.People
	r.Awarded += o.Awarded
	r.Amended += o.Amended
	r.Revoked += o.Revoked
	r.Restored += o.Restored
	r.News = append(r.News, o.News...)
}

const (
	// freshDays is how old a feat may be to be told by itself.
	freshDays = 3
	// chunkPeople bounds how many people's days are in memory at once, and how many share a transaction of the ledger.
	chunkPeople = 200
	// attempts bounds how often a chunk is evaluated again because another evaluation came between.
	attempts = 4
)

// Evaluate compares what is true by the gold tables in db with what the ledger says, and appends what is missing to the
// ledger. It may be stopped anywhere and called again: evaluating twice appends nothing the second time. now is the
// time of the entries and decides what is news.
//
// db has the table medal_days and is only read. Two evaluations at once do not hurt each other; the one with the older
// tables may revoke what the other just awarded, and the next puts that right.
func Evaluate(ctx context.Context, db *sql.DB, ledger Ledger, now func() time.Time, opts Options) (Result, error) {
	var result Result
	catalogue := opts.Catalogue
	if catalogue == nil {
		var err error
		if catalogue, err = DefaultCatalogue(); err != nil {
			return result, err
		}
	}
	users, err := peopleToEvaluate(ctx, db, ledger, opts.Users)
	if err != nil {
		return result, err
	}
	for chunk := range slices.Chunk(users, chunkPeople) {
		done, err := evaluateChunk(ctx, db, ledger, catalogue, chunk, now())
		if err != nil {
			return result, fmt.Errorf("evaluate medals: %w", err)
		}
		result.add(done)
	}
	return result, nil
}

// peopleToEvaluate returns, sorted, those asked for, else everybody with days and everybody with medals: of people
// whose days are all gone the medals go too.
func peopleToEvaluate(ctx context.Context, db *sql.DB, ledger Ledger, users []string) ([]string, error) {
	if users == nil {
		withDays, err := listPeople(ctx, db)
		if err != nil {
			return nil, err
		}
		withMedals, err := ledger.People(ctx)
		if err != nil {
			return nil, err
		}
		users = slices.Concat(withDays, withMedals)
	}
	users = slices.Sorted(slices.Values(users))
	return slices.Compact(users), nil
}

func evaluateChunk(ctx context.Context, db *sql.DB, ledger Ledger, c *Catalogue, users []string, at time.Time) (Result, error) {
	days, err := readDays(ctx, db, users)
	if err != nil {
		return Result{}, err
	}
	for attempt := 1; ; attempt++ {
		standings, err := ledger.Standings(ctx, users)
		if err != nil {
			return Result{}, err
		}
		entriesOf := make(map[string][]Entry, len(users))
		var all []Entry
		for _, user := range users {
			entries, err := c.entries(user, days[user], standings[user], at)
			if err != nil {
				return Result{}, err
			}
			entriesOf[user] = entries
			all = append(all, entries...)
		}
		erased, err := ledger.Append(ctx, all)
		if errors.Is(err, ErrConflict) && attempt < attempts {
			continue
		}
		if err != nil {
			return Result{}, err
		}
		var result Result
		for _, user := range users {
			if !slices.Contains(erased, user) {
				result.count(user, entriesOf[user], schemas.NewDate(at.UTC().Date()))
			}
		}
		return result, nil
	}
}

// entries returns what has to be appended for a person so that the ledger says what is true.
func (c *Catalogue) entries(user string, days []day, standings []Standing, at time.Time) ([]Entry, error) {
	byID := make(map[string]*Standing, len(standings))
	held := map[feature]bool{} // whatever the rule's version
	for i := range standings {
		s := &standings[i]
		byID[s.AwardID] = s
		if s.Stands() {
			held[feature{s.Medal, s.Level, s.Period}] = true
		}
	}
	feats, err := c.feats(user, days, standings)
	if err != nil {
		return nil, err
	}

	var entries []Entry
	// Revocations first: what an older version loses, the current one may award.
	for i := range standings {
		s := &standings[i]
		rule := c.Rule(s.Medal, s.RuleVersion)
		if _, isTrue := feats[s.AwardID]; isTrue || !s.Stands() || rule == nil {
			continue // a rule that the catalogue has no more judges nobody
		}
		reason, isRevoked := s.revocation(days)
		if !isRevoked {
			continue
		}
		e := s.next(ActionRevoke, at)
		e.Reason = reason
		entries = append(entries, e)
		delete(held, feature{s.Medal, s.Level, s.Period})
	}
	// Then what was awarded before, so that what comes back is the same award and not a new one.
	ordered := sortedFeats(feats)
	for _, f := range ordered {
		s := byID[awardID(user, f.rule.ID, f.level, f.period, f.rule.Version)]
		if s == nil {
			continue
		}
		action, isNeeded, err := s.actionFor(f, held[f.feature()])
		if err != nil {
			return nil, err
		}
		if !isNeeded {
			continue
		}
		e := s.next(action, at)
		e.EarnedOn, e.Evidence = f.earnedOn, f.evidence
		entries = append(entries, e)
		held[f.feature()] = true
	}
	for _, f := range ordered {
		id := awardID(user, f.rule.ID, f.level, f.period, f.rule.Version)
		if byID[id] != nil || held[f.feature()] || f.rule.Version != c.newest(f.rule.ID) {
			continue
		}
		entries = append(entries, Entry{
			AwardID: id, Seq: 1, UserID: user, Medal: f.rule.ID, Level: f.level, Period: f.period,
			RuleVersion: f.rule.Version, Action: ActionAward, EarnedOn: f.earnedOn, Evidence: f.evidence, RecordedAt: at,
		})
		held[f.feature()] = true
	}
	return entries, nil
}

// actionFor says what a true feat does to its award; isHeld says that the person has it already, by this award or by
// that of another version.
func (s *Standing) actionFor(f feat, isHeld bool) (action Action, isNeeded bool, err error) {
	if !s.Stands() {
		return ActionRestore, !isHeld, nil
	}
	isSame, err := s.says(f)
	return ActionAmend, !isSame, err
}

// A feature is what a person sees of an award: two versions of a rule do not give it twice.
type feature struct {
	medal  string
	level  int64
	period string
}

func (f *feat) feature() feature { return feature{f.rule.ID, f.level, f.period} }

// feats returns what is true, by award id: of the current rules, and of older ones that awarded something.
func (c *Catalogue) feats(user string, days []day, standings []Standing) (map[string]feat, error) {
	rules := c.Current()
	for i := range standings {
		if r := c.Rule(standings[i].Medal, standings[i].RuleVersion); r != nil && !slices.Contains(rules, r) {
			rules = append(rules, r)
		}
	}
	feats := map[string]feat{}
	for _, r := range rules {
		for _, f := range r.tally(days, c.Shields).feats {
			id := awardID(user, r.ID, f.level, f.period, r.Version)
			if _, twice := feats[id]; twice {
				return nil, fmt.Errorf("rule %s version %d gives one award twice", r.ID, r.Version)
			}
			feats[id] = f
		}
	}
	return feats, nil
}

// sortedFeats returns the feats in an order that does not change: by catalogue names, then date, then level.
func sortedFeats(feats map[string]feat) []feat {
	sorted := make([]feat, 0, len(feats))
	for _, f := range feats {
		sorted = append(sorted, f)
	}
	slices.SortFunc(sorted, func(a, b feat) int {
		switch {
		case a.rule.ID != b.rule.ID:
			return compare(a.rule.ID < b.rule.ID)
		case a.rule.Version != b.rule.Version:
			return compare(a.rule.Version > b.rule.Version) // the current one first: it wins over an older one
		case a.earnedOn != b.earnedOn:
			return compare(a.earnedOn < b.earnedOn)
		default:
			return compare(a.level < b.level)
		}
	})
	return sorted
}

func compare(isLess bool) int {
	if isLess {
		return -1
	}
	return 1
}

// revocation says whether an award that is not true any more is to be revoked, and why. It is not when its days are
// there and only their formulas have changed: a better algorithm takes nothing away.
func (s *Standing) revocation(days []day) (Reason, bool) {
	e := &s.Evidence
	at := func(d schemas.Date) *day {
		i, found := slices.BinarySearchFunc(days, d, func(d day, date schemas.Date) int { return int(d.date - date) })
		if !found {
			return nil
		}
		return &days[i]
	}
	for _, item := range e.Items {
		if d := at(item.Date); d == nil || d.sourceMethod(e.Metric) == "" {
			return ReasonErased, true
		}
	}
	for d := e.First; d <= e.Last; d++ {
		day := at(d)
		if day == nil || day.sourceMethod(e.Metric) == "" {
			continue
		}
		for _, m := range day.methods(e.Metric) {
			if !slices.Contains(e.Methods, m) {
				return "", false
			}
		}
	}
	return ReasonCorrected, true
}

// says reports whether an award's date and evidence are those of the feat. By other formulas they may differ: the award
// was made by those of its time.
func (s *Standing) says(f feat) (bool, error) {
	if !slices.Equal(s.Evidence.Methods, f.evidence.Methods) {
		return true, nil
	}
	said, err := json.Marshal(s.Evidence)
	if err != nil {
		return false, fmt.Errorf("compare evidence: %w", err)
	}
	isTrue, err := json.Marshal(f.evidence)
	if err != nil {
		return false, fmt.Errorf("compare evidence: %w", err)
	}
	return s.EarnedOn == f.earnedOn && bytes.Equal(said, isTrue), nil
}

// next returns the next entry of an award, which says what the last one said.
func (s *Standing) next(action Action, at time.Time) Entry {
	e := s.Entry
	e.Seq++
	e.Action, e.Reason, e.RecordedAt = action, "", at
	return e
}
