package medals_test

import (
	"flag"
	"testing"

	"github.com/diurna-health/diurna/medals"
	"github.com/diurna-health/diurna/transform/transformtest"
)

var update = flag.Bool("update", false, "rewrite wanted rows and goldens")

func TestModels(t *testing.T) {
	transformtest.RunModels(t, transformtest.Load(t, medals.Models), "models", *update)
}
