// Package messages says sentences in the languages of their readers: a package that has words keeps one file of them per
// language (en.json), and a Locale fills in their fields. What forms numbers and dates have is the affair of who says them.
//
// # Decisions
//
// A message is text with {{.Fields}}, or an object of plural forms of which .Count chooses one; that is the file form
// of nicksnyder/go-i18n, so that translators' tools know it. A sentence that a language does not have is said in
// English: one foreign sentence is better than a missing one. Sentences are whole, never glued from halves, because
// languages order their halves differently.
package messages
