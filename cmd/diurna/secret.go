package main

import "log/slog"

const redacted = "[redacted]"

// A Secret is a setting that is used and never shown: however it is printed, encoded or logged, it says [redacted].
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String returns "[redacted]", or nothing when there is no secret to hide.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString keeps the secret out of %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText keeps the secret out of JSON, YAML and every other encoding.
func (s Secret) MarshalText() ([]byte, error) { //nolint:unparam // encoding.TextMarshaler
	return []byte(s.String()), nil
}

// LogValue keeps the secret out of the log.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
