package schemas

import "errors"

// A Code classifies an error for the person or program that caused it.
type Code string

// The codes.
const (
	CodeInvalid  Code = "invalid"   // the request or the command line is wrong; doing it again will not help
	CodeNotFound Code = "not_found" // what was asked for is not there
	CodeConflict Code = "conflict"  // somebody else holds or changed the thing
	CodeInternal Code = "internal"  // ours to mend

	CodeUnauthorized Code = "unauthorized" // who asks did not show that they may
	CodeForbidden    Code = "forbidden"    // who asks is known, and may not
)

// An Error is one that a person may see: what happened, where, and what to do about it. Anything that is not an Error
// is internal.
type Error struct {
	Code    Code
	Message string
	Err     error
}

// Error returns the sentence, with its cause when there is one.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// ErrorCode returns the code of the outermost Error in err's chain, CodeInternal when there is none, and "" for nil.
func ErrorCode(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}
