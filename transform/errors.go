package transform

import (
	"fmt"
	"strings"
)

// A BuildError is returned by Build when some models could not be built. The others were, unless they read one that was
// not; their rows are committed and stay.
type BuildError struct {
	Built  []string // models that are up to date
	Failed []string // models that are not, those left out because of another included
	Err    error    // why, joined
}

// Error says what failed and why.
func (e *BuildError) Error() string {
	return fmt.Sprintf("build of %s: %v", strings.Join(e.Failed, ", "), e.Err)
}

// Unwrap returns the cause.
func (e *BuildError) Unwrap() error { return e.Err }

// An AuditError says that rows of a model break a rule, of so many people that the table stays as it was.
type AuditError struct {
	Model string
	Rule  string
	Count int64 // rows that break it
}

// Error names the model, the rule and the count, and no row.
func (e *AuditError) Error() string {
	return fmt.Sprintf("audit %s: %d rows break the rule %q", e.Model, e.Count, e.Rule)
}
