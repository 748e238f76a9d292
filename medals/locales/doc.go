// Package locales holds the words of the medals: one file of messages per language, and the forms of numbers and dates that
// go into them. Package messages says what a message is.
package locales
