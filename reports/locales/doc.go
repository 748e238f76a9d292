// Package locales holds the words of the reports: one file of messages per language, and the forms of numbers, dates
// and durations that go into them. It is the only place with prose. Package messages says what a message is.
//
// Texts are for wearers: wellness wording, neutral, no word of a diagnosis. A test holds every message against a list.
package locales
