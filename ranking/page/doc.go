// Package page makes a view of a ranking into a web page: the reader's own place, the people around it, the top, what was
// left out of the reader's score, and the rules.
//
// # Guarantees
//
//   - Rendering is pure: the same view gives the same bytes, and nothing but the view is read.
//   - A page is one file: style and drawings are inside, no script, no request to any host. It is laid out for a phone
//     first and follows the reader's light or dark setting.
//   - People have the names that the view gives them. No id is on the page, neither a user's nor a public one.
//   - Somebody without a place is told why, and what to do about it.
//
// # Decisions
//
// Instants are in UTC: a board closes at one instant for everybody, and the view knows no reader's zone.
//
// Whether a place is shared is read from the neighbours: whoever shares it stands next to the reader.
//
// The page speaks English, as the other ways to write a view do.
package page
