package schemas_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/schemas"
)

func TestEveryReasonHasARemedyInPlainSentences(t *testing.T) {
	t.Parallel()
	sentence := regexp.MustCompile(`^[A-Z][^.]*[a-z0-9](\. [A-Z][^.]*)*\.$`)
	medical := regexp.MustCompile(`(?i)diagnos|disease|patient|abnormal|arrhythmia|doctor|treat`)
	seen := map[string]schemas.RejectReason{}
	for _, reason := range schemas.RejectReasons() {
		for _, year := range []int{0, 2029} {
			remedy := reason.Remedy(year)
			if !sentence.MatchString(remedy) || medical.MatchString(remedy) || len(remedy) > 160 {
				t.Errorf("%s: %q is no plain sentence", reason, remedy)
			}
		}
		if other, ok := seen[reason.Remedy(0)]; ok {
			t.Errorf("%s and %s have the same remedy", reason, other)
		}
		seen[reason.Remedy(0)] = reason
	}
	if got := schemas.RejectReason("no_such_reason").Remedy(0); got != "" {
		t.Errorf("a reason that is none has the remedy %q", got)
	}
}

func TestARemedyForAWrongClockSaysItsYear(t *testing.T) {
	t.Parallel()
	if got, want := schemas.RejectFutureTime.Remedy(2029), "The watch's clock is in 2029: charge it and pair it again."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := schemas.RejectAncientTime.Remedy(1970); !strings.Contains(got, "1970") {
		t.Errorf("got %q", got)
	}
	if got := schemas.RejectValueRange.Remedy(2029); strings.Contains(got, "2029") {
		t.Errorf("a year that is not to blame is named: %q", got)
	}
}
