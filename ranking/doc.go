// Package ranking says where a person stands among those who chose to take part: boards of counted steps per ISO week
// and per month, cut in each person's own local dates.
//
//	models/boards/ranking_days.sql   what of a day counts, and what is left out and why (built with the gold tables)
//	Load                             one board and period, ranked: from the gold tables, or as it was frozen -> Standings
//	Standings.View                   what one person, page or program may see of it -> View
//	WriteText, WriteJSON             a View for people and for programs
//	Publish                          freezes the boards that are due, and takes out who has left
//
// # Rules
//
// Only people who opted in are on a board: the latest consent event named ranking has value 1; of two at one instant the
// refusal wins. Profile events country (ISO 3166 code), birth_year and sex place a person in cohorts. What a profile says
// counts from the month after it was said, the first statement at once: changing country in the middle of a contest
// changes nothing.
//
// Evidence is what a person's own device counted: imports and notes are left out. So are minutes that nobody walks or runs
// (AC1); a day beyond belief waits for a person to look at it (AC5); a minute on two devices counts once (AC6). Each is
// named to the person it concerns, in MineExcluded, and stays in their own totals.
//
// A total is the sum of a person's closed days; the running day stands beside it as provisional and ranks nobody. A day
// is over when it is over at the westernmost offset its steps were recorded at. Ties share the rank (1, 2, 2, 4) and are
// listed by who reached the value first by the evidence, then by public id. The percentile is the share strictly below
// plus half of the ties, the person included; "top x %" is what is above it, rounded up and never below 1 %.
//
// A board closes when its last date is over at UTC-11, the westernmost inhabited zone. It is frozen 72 hours later, or 72
// hours after it was first seen when history was brought in after the fact. What comes later counts for the person, not
// for the board.
//
// A cohort below its minimum size widens, one step at a time: country, continent, everywhere; age band, the band with five
// more years on each side, all ages; sex; newcomers. So does one that leaves so few people out that setting it beside a
// wider one would tell who they are. A board that is too small even then names nobody.
//
// # Guarantees
//
//   - No user id leaves the package: people are known by a public id, a keyed hash of the user id with a secret of the
//     installation. Without that secret nobody can compute it, and it is the same on every board.
//   - Who opts out, or is erased from the lake, is on no open board from then on, and on no closed one after the next
//     Publish. Who comes back is on new boards alone.
//   - A frozen board is kept with a SHA-256 of its entries and is checked against it whenever it is read. It changes for
//     one reason: somebody left. Then it is a new revision with a new hash.
//   - The same gold rows, ledger and as-of time give the same standings.
//   - Who is known to be possibly younger than 16 is on no board. A year of birth leaves the birthday open, so the later
//     birthday is taken.
//
// # Decisions
//
// Whether a day is closed and who takes part depend on the time of asking, so neither is in the gold tables, which know no
// wall clock: the model judges days, the query of the board sums those that are over.
//
// The entries of a frozen board are one compressed value in the ledger, not a row each: they are written and read
// whole, and the hash is over exactly these bytes.
//
// A board is sorted once and cohorts are cut from it in memory: any of hundreds of cohorts is one pass over an array,
// where a query each would read the days again.
//
// Continents stand between a country and everywhere. They are the groups of UN M.49 that golang.org/x/text carries, so
// that no list of our own goes stale.
package ranking
