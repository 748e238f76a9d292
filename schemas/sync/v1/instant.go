package syncv1

import (
	"fmt"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// parseInstant reads RFC 3339 with a UTC offset and at most milliseconds: 2026-03-01T08:00:00+01:00. time.Parse is not
// used because it lets a comma and any number of digits pass as a fraction. problem is "" when
// the text is one, or says what is wrong with it.
func parseInstant(s []byte) (ms int64, offsetMin int32, problem string) {
	const shape = "is not a time such as 2026-03-01T08:00:00+01:00"
	if len(s) < len("2026-03-01T08:00:00") || s[10] != 'T' || s[13] != ':' || s[16] != ':' {
		return 0, 0, shape
	}
	date, ok := parseDate(s[:10])
	hour, okHour := twoDigits(s[11:], 23)
	minute, okMinute := twoDigits(s[14:], 59)
	second, okSecond := twoDigits(s[17:], 59)
	if !ok || !okHour || !okMinute || !okSecond {
		return 0, 0, shape
	}
	fraction, rest, ok := parseMillis(s[19:])
	if !ok {
		return 0, 0, "has a fraction of a second that is not 1 to 3 digits"
	}
	if len(rest) == 0 {
		return 0, 0, missingOffset
	}
	offsetMin, problem = parseOffset(rest)
	ms = int64(date)*schemas.MillisPerDay + int64(hour*3600+minute*60+second)*1000 + int64(fraction)
	return ms - int64(offsetMin)*60_000, offsetMin, problem
}

// missingOffset is the one problem of a time that has its own reason: what is missing is mandatory.
const missingOffset = "has no UTC offset"

func parseMillis(s []byte) (ms int32, rest []byte, ok bool) {
	if len(s) == 0 || s[0] != '.' {
		return 0, s, true
	}
	i, scale := 1, int32(100)
	for ; i < len(s) && isDigit(s[i]); i++ {
		ms += int32(s[i]-'0') * scale
		scale /= 10
	}
	return ms, s[i:], i >= 2 && i <= 4
}

// parseOffset reads Z, +01:00 or -09:30. RFC 3339 gives -00:00 the meaning "the offset is not known", which is none.
func parseOffset(s []byte) (offsetMin int32, problem string) {
	const shape = "has an offset that is neither Z nor such as +01:00"
	if string(s) == "Z" {
		return 0, ""
	}
	if len(s) != len("+01:00") || s[3] != ':' || (s[0] != '+' && s[0] != '-') {
		return 0, shape
	}
	hours, okHours := twoDigits(s[1:], 23)
	minutes, okMinutes := twoDigits(s[4:], 59)
	if !okHours || !okMinutes {
		return 0, shape
	}
	offsetMin = hours*60 + minutes
	if s[0] == '+' {
		return offsetMin, ""
	}
	if offsetMin == 0 {
		return 0, missingOffset
	}
	return -offsetMin, ""
}

func parseDate(s []byte) (schemas.Date, bool) {
	if len(s) != len("2026-03-01") || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	century, okCentury := twoDigits(s, 99)
	decade, okDecade := twoDigits(s[2:], 99)
	month, okMonth := twoDigits(s[5:], 12)
	day, okDay := twoDigits(s[8:], 31)
	if !okCentury || !okDecade || !okMonth || !okDay {
		return 0, false
	}
	date := schemas.NewDate(int(century*100+decade), time.Month(month), int(day))
	// A day that the month does not have carries over into the next one.
	_, m, d := date.Civil()
	return date, m == time.Month(month) && d == int(day) && date >= schemas.MinDate
}

func twoDigits(s []byte, most int32) (int32, bool) {
	if !isDigit(s[0]) || !isDigit(s[1]) {
		return 0, false
	}
	v := int32(s[0]-'0')*10 + int32(s[1]-'0')
	return v, v <= most
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// appendInstant writes what parseInstant reads, the fraction only where there is one.
func appendInstant(dst []byte, ms int64, offsetMin int32) []byte {
	local := time.UnixMilli(ms + int64(offsetMin)*60_000).UTC()
	layout := "2006-01-02T15:04:05"
	if local.Nanosecond() != 0 {
		layout += ".000"
	}
	return appendOffset(local.AppendFormat(dst, layout), offsetMin)
}

func appendOffset(dst []byte, offsetMin int32) []byte {
	sign := '+'
	if offsetMin < 0 {
		sign, offsetMin = '-', -offsetMin
	}
	return fmt.Appendf(dst, "%c%02d:%02d", sign, offsetMin/60, offsetMin%60)
}
