// Package page makes the medal wall into a web page: what a person has earned and why, and what comes next.
//
// # Guarantees
//
//   - Rendering is pure: the same wall gives the same bytes, and nothing but the wall is read.
//   - A page is one file: style and drawings are inside, no script, no request to any host. It is laid out for a phone
//     first and follows the reader's light or dark setting.
//   - A metal is told by its word and its shape, never by colour alone. The drawings say nothing that the words beside
//     them do not.
//   - No user id and no award id is on the page.
//
// # Decisions
//
// A medal that was earned often is one card for each level, with the why of the last time and the dates of the others: a
// wall of 300 equal medals is nothing to look at. The cards begin with what was earned last.
//
// A streak is drawn as beads, two weeks to a row, a shield in the place of each day that kept it. Only the highest level
// of a streak is drawn, since the lower ones are its beginning.
//
// What comes next is ordered by how near it is, which the wall's own order is not; what cannot be reached any more in
// its period stands last and says so.
//
// The page speaks English. Names, levels and reasons come with the wall, in the wall's language.
package page
