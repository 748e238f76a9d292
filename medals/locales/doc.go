// Package locales holds the words of the medals: one file of messages per language, in the form of the reports' own, and
// the forms of numbers and dates that go into them.
//
// # Decisions
//
// A message is text with {{.Fields}}, or an object of plural forms of which .Count chooses one. Sentences are whole, never
// glued from halves. A language that lacks a message says it in English.
package locales
