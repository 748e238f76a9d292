package schemas

import "strings"

// longestName is the length of the longest id.
const longestName = 64

// ValidUserID reports whether the id of a person is 1 to 64 of [A-Za-z0-9_.-].
func ValidUserID(s string) bool { return ValidName(s) && !strings.Contains(s, ":") }

// ValidName reports whether the id of a device or batch is 1 to 64 of [A-Za-z0-9_.:-].
func ValidName(s string) bool {
	if len(s) == 0 || len(s) > longestName {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '.', c == ':', c == '-':
		default:
			return false
		}
	}
	return true
}
