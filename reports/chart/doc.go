// Package chart draws a report's figures as SVG: bars, ranges, a ring, and the coverage of a week. Every function is
// pure: the same data gives the same bytes, on every machine.
//
// # Guarantees
//
//   - What was not measured is drawn as a dashed slot with the caller's words in it, never as a bar of height zero. A
//     measured zero is drawn as a line on the axis with its figure.
//   - Every drawing is role="img" with a title and a description, so that it can be heard as well as seen.
//   - A drawing holds no script, no link, no font and no reference to another file.
//   - Nothing is told by colour alone: what is set apart by colour is also set apart by shape, hatching or a written
//     figure.
//
// # Decisions
//
// Colours are presentation attributes, so that a drawing taken out of its page still shows; each shape also carries a
// class, and a page that wants other colours (a dark one) overrides the attributes in its own style sheet. The words
// come from the caller: a chart knows no language.
//
// The drawings are written by hand and not through a drawing library. A page needs text that stays text (to be heard,
// searched and scaled), classes for its style sheet, and titles that name each drawing; libraries that draw once for
// SVG, PNG and PDF turn letters into outlines and drop the rest. Pictures for mail are to be made from these drawings,
// which is why they carry their own colours.
package chart
