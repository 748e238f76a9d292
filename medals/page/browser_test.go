package page_test

import (
	"testing"

	"github.com/diurna-health/diurna/internal/browsertest"
)

func TestOnAPhoneAndOnADeskNothingReachesBeyondTheWindow(t *testing.T) {
	browsertest.FitsEveryWindow(t, pages(t))
}

func TestNothingBarsPeopleFromThePages(t *testing.T) {
	browsertest.HasNoBarriers(t, pages(t))
}

func TestTextStandsOutFromItsGroundInLightAndDark(t *testing.T) {
	browsertest.TextStandsOut(t, "templates/"+stylesheet, textOnGround)
}
