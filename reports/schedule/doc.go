// Package schedule decides when a report is made, for each person in their own time, and has it made once.
//
//	Tick      plan -> look -> make -> correct -> deliver; everything that is to be done at an instant
//	Run       ticks until the context ends, in UTC
//	Changed   data of days already told came in, or went
//
// A report of a week, a month or a year is made when the period is closed and settled: it has ended wherever the person
// was, and the night after its last day was synced and ended two hours ago. At the deadline (Monday 18:00, the third
// day, 7 January) it is made with what there is. definitions/schedule.json has the rules.
//
// # Guarantees
//
//   - Never before the period's last date is over in the person's zone and at every offset recorded around its end.
//   - Once: the key of a report is (person, kind, period); it goes from waiting to made in the transaction that freezes
//     its snapshot and queues its deliveries. A process may die between any two steps.
//   - A report missed while nothing ran is made at the next tick, in the hours in which people are awake.
//   - Data that comes later makes revision n+1, at most once a day. The reader is told again only when a figure of the
//     headline moved by more than a tenth.
//   - What is not made says why: the reason is kept with the period.
//   - Nothing of a person is logged.
//
// # Decisions
//
// The tick is robfig/cron in UTC and nothing else: in a zone it skips or doubles runs at clock changes, and it forgets
// what it missed. What is due is worked out from the ledger at each tick. This package and the imports are the only
// places with zone arithmetic: everything else reads recorded offsets.
//
// Somebody seen for the first time is told of no period whose deadline has passed: an import of five years must not
// send 260 reports. Expect asks for one period all the same.
//
// A claim lasts ten minutes. It keeps two processes from composing the same report side by side; that it is made once
// does not rest on it.
//
// A correction looks at the reports whose own dates changed. The comparisons of later reports, which were made with
// the figures known then, are left as they were told.
package schedule
