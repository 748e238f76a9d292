// Package medals gives people medals for what their own days show, and can always say why.
//
//	models/          SQL: what of each day counts (table medal_days)
//	catalogue.json   the medals as data: rule, levels, shields
//	Evaluate         medal_days + catalogue -> what is true; compared with the ledger -> entries
//	Ledger           award, amend, revoke, restore: append-only
//	ReadWall         ledger + medal_days -> medals with their why, next levels, forecast
//	locales          the words
//
// # Guarantees
//
//   - What is true is worked out from the gold tables each time, never from counters: whatever order data came in, the
//     same days give the same medals with the same dates, and the same award ids.
//   - A medal is dated by the local date of the day that completed its rule, and apart from that by when it was awarded.
//   - Evaluating again appends nothing. A medal that was given is taken away only when a day it rests on is erased or
//     its figures were corrected; when they come back, the same award does.
//   - Neither a new version of a rule nor a new formula of a model takes a medal away or gives one twice.
//   - An invalid day or night is no data, neither a success nor a miss; a streak shows the days that shielded it.
//   - Nothing of a person who was erased comes back by an evaluation that was under way.
//
// # The medals
//
// Ten of the catalogue, over steps, active minutes, sleep and wear. A rule adds up a metric, counts days or longer
// units that have enough of it, or counts days in a row (RuleSum, RuleCount, RuleStreak); all else is parameters. What a
// person could dispute is in the model medal_days, in SQL: which days are valid, which samples are the device's own,
// which goal held, when the clock moved.
//
// # Decisions
//
// Rules are folds in Go over a person's days in order of date, not SQL. Streaks with shields are sequential (a shield
// used changes what the next day may use), and with them the other two kinds are a page of Go, tested against SQL that
// says the same in another way.
//
// A cumulative medal and a streak are earned once per level, a streak by the first run that reaches it: a key with the
// start of the run would change whenever a late day joins two runs.
//
// A level's evidence ends with the day that reached it. Later days do not change it; an earlier day that becomes known
// does, and then the award is amended: same id, same awarded_at, other earned_on.
//
// An award that is not true any more is kept when its days are there but by other formulas: it cannot be told whether the
// formula or the data made the difference, and the person gets the benefit.
//
// A shield for a day without data is counted when it is used, at most one in any 14 days. Days that nobody can be asked
// to fill cost nothing: travel days shield without limit. The last date of a person's records is neither success nor
// miss until it succeeds: it is not over, or its sync is not.
//
// Wear medals rest on worn minutes, whatever else the day has: wear is what validity is made of.
//
// A goal counts from the day after it was told, so that lowering it in the evening does not make the day. Goals are
// dated by the event and not by its arrival, because a watch may be away for weeks and the order of arrival must not
// matter.
//
// Every level a day reaches is awarded, not the highest alone: late steps then add a level, and take none away.
//
// Progress is read from the gold tables and not kept in the ledger, which holds promises alone.
package medals
