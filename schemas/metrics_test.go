package schemas_test

import (
	"regexp"
	"testing"

	"github.com/diurna-health/diurna/schemas"
)

func TestEveryMetricSaysWhatItIsOnce(t *testing.T) {
	t.Parallel()
	loinc, name := regexp.MustCompile(`^\d{4,6}-\d$`), regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)
	seen := map[string]bool{}
	for _, m := range schemas.Metrics() {
		key := m.Name + " as " + string(m.Shape)
		if seen[key] {
			t.Errorf("%s stands twice in the table", key)
		}
		seen[key] = true
		if !name.MatchString(m.Name) || m.Unit == "" || m.Meaning == "" || m.Min >= m.Max {
			t.Errorf("%s is not whole: %+v", key, m)
		}
		if m.LOINC != "" && (!loinc.MatchString(m.LOINC) || !luhn(m.LOINC)) {
			t.Errorf("%s has the LOINC code %s, whose check digit is wrong", key, m.LOINC)
		}
		if got, ok := schemas.LookupMetric(m.Name, m.Shape); !ok || got != m || !schemas.IsMetric(m.Name) {
			t.Errorf("%s cannot be looked up", key)
		}
	}
	if _, ok := schemas.LookupMetric(schemas.Steps, schemas.ShapeReading); ok || schemas.IsMetric("mood") {
		t.Error("a metric that is not in the table was found")
	}
}

// luhn checks the digit after the dash, which LOINC computes from those before it by the Luhn formula.
func luhn(code string) bool {
	sum, double := 0, false
	for i := len(code) - 1; i >= 0; i-- {
		if code[i] == '-' {
			continue
		}
		d := int(code[i] - '0')
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum, double = sum+d, !double
	}
	return sum%10 == 0
}
