// Package transformtest runs the cases that lie beside SQL models: given rows in, wanted rows out. Any package with
// models of its own can run its cases against the whole project; see the package comment of transform for their form.
package transformtest
