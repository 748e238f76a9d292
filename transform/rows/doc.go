// Package rows helps the Go parts of models to read the rows of a select and to make rows of their own: both are batches
// of Arrow columns, so that DuckDB and Go hand each other numbers by the thousand and not one by one.
//
// Bind finds the columns of a batch by name, and a Cursor steps through the rows of all batches. A Stream is the record
// reader that a Go part returns: it asks for some more rows until they fill a batch, so that memory holds one batch and
// what they were made of.
package rows
