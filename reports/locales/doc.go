// Package locales holds the words of the reports: one file of messages per language, and the forms of numbers, dates
// and durations that go into them. It is the only place with prose.
//
// # Decisions
//
// A message is text with {{.Fields}}, or an object of plural forms of which .Count chooses one; that is the file form
// of nicksnyder/go-i18n, so that translators' tools know it. A sentence that a language does not have is said in
// English: one foreign sentence is better than a missing one. Sentences are whole, never glued from halves, because
// languages order their halves differently.
//
// Texts are for wearers: wellness wording, neutral, no word of a diagnosis. A test holds every message against a list.
package locales
