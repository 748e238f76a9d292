package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/diurna-health/diurna/transform"
)

// A step on the way that leads nowhere is work for whoever reads the models, and for nobody else.
func TestEveryStepOnTheWayIsReadByAModel(t *testing.T) {
	t.Parallel()
	project, err := loadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	models := project.Models()
	for _, step := range models {
		if strings.HasPrefix(step.Name, "stg_") && !slices.ContainsFunc(models, func(m *transform.Model) bool {
			return slices.Contains(m.Inputs, step.Name) || m.Dates == step.Name
		}) {
			t.Errorf("%s is read by no model", step.Name)
		}
	}
}
