// Package render turns a report's snapshot into what a person sees: a page, a text, a JSON document. Rendering is
// pure: the same snapshot and language give the same bytes, and nothing but the snapshot is read.
//
// # Guarantees
//
//   - A page is one file: style and drawings are inside, no script, no request to any host. It is laid out for a phone
//     first, follows the reader's light or dark setting, and prints.
//   - Every drawing has a name, a description made of the same figures, and the figures as a table beneath it.
//   - Every rendering ends with the disclaimer; JSON carries it as a field.
//
// # Decisions
//
// Page and text are made from one view (page.go), which holds finished sentences and drawings. The templates only
// place them, so the two cannot tell different things. Rounding happens here and nowhere earlier.
package render
