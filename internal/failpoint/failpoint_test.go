package failpoint_test

import (
	"errors"
	"slices"
	"syscall"
	"testing"

	"github.com/diurna-health/diurna/internal/failpoint"
)

func arm(t *testing.T, list string) {
	t.Helper()
	if err := failpoint.Arm(list); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = failpoint.Arm("") })
}

func TestAPointThatIsNotArmedDoesNothing(t *testing.T) {
	arm(t, "other=error")
	if err := failpoint.Hit("seal.mid"); err != nil {
		t.Error(err)
	}
}

func TestAnArmedPointFailsAfterTheHitsThatPass(t *testing.T) {
	arm(t, "seal.mid=error@2, seal.end=enospc")
	for range 2 {
		if err := failpoint.Hit("seal.mid"); err != nil {
			t.Fatal(err)
		}
	}
	if err := failpoint.Hit("seal.mid"); !errors.Is(err, failpoint.ErrInjected) {
		t.Errorf("third hit: %v", err)
	}
	if err := failpoint.Hit("seal.end"); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk: %v", err)
	}
}

func TestAPointCanFailAFewTimesOnly(t *testing.T) {
	arm(t, "seal.mid=error@1x2")
	var failed []bool
	for range 5 {
		failed = append(failed, failpoint.Hit("seal.mid") != nil)
	}
	if !slices.Equal(failed, []bool{false, true, true, false, false}) {
		t.Errorf("five hits fail %v", failed)
	}
}

func TestAPointCanPanic(t *testing.T) {
	arm(t, "decode=panic")
	defer func() {
		if recover() == nil {
			t.Error("it did not panic")
		}
	}()
	_ = failpoint.Hit("decode")
}

func TestListsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, list := range []string{"a", "=kill", "a=explode", "a=kill:now", "a=sleep", "a=sleep:soon", "a=kill@x", "a=kill@-1", "a=kill@1x", "a=kill@1x0", "a=kill@x1"} {
		if failpoint.Arm(list) == nil {
			t.Errorf("%q was taken", list)
		}
	}
}
