package stager

import "github.com/diurna-health/diurna/schemas"

// The stages told apart, in the order of every array of four.
const (
	wake = iota
	light
	deep
	rem
	stageCount
	noStage = -1 // not observed
)

// stageNames are the stages' names in the lake.
var stageNames = [stageCount]schemas.SleepStage{schemas.StageAwake, schemas.StageLight, schemas.StageDeep, schemas.StageREM}

// Probabilities are those of awake, light, deep and REM, in this order; they sum to 1.
type Probabilities [stageCount]float64
