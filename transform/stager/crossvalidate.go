package stager

import "context"

// folds is into how many parts people are divided: each part is staged by what was learned from the others. A person
// belongs to the part of their place in the order of ids.
const folds = 5

// A Trial is one cross-validation: for each fold what its people's epochs are (row: awake, light, deep, REM) and what
// they were taken for (column).
type Trial struct {
	Seed   int                           `json:"seed"`
	Folds  [][stageCount][stageCount]int `json:"confusion_by_fold"`
	Kappa2 float64                       `json:"kappa_2"`
	Kappa3 float64                       `json:"kappa_3"`
	Kappa4 float64                       `json:"kappa_4"`
}

// CrossValidate returns the agreement of people's nights with what a stager makes of them that did not learn from them.
// progress is called before each fold.
func CrossValidate(ctx context.Context, recordings []Recording, seed int, progress func(fold, of int)) (Trial, *Agreement, error) {
	trial := Trial{Seed: seed}
	stages := make([][]int, len(recordings))
	for fold := range folds {
		progress(fold+1, folds)
		confusion, err := stageFold(recordings, stages, fold, func(others []Recording) (*Coefficients, error) {
			return Fit(ctx, others, seed)
		})
		if err != nil {
			return trial, nil, err
		}
		trial.Folds = append(trial.Folds, confusion)
	}
	a := newAgreement(recordings, stages)
	trial.Kappa2, trial.Kappa3, trial.Kappa4 = rounded(a.Pooled.Kappa2), rounded(a.Pooled.Kappa3), rounded(a.Pooled.Kappa4)
	return trial, a, nil
}

// stageFold stages the people of a fold by what was learned from the others.
func stageFold(recordings []Recording, stages [][]int, fold int, fit func([]Recording) (*Coefficients, error)) (c [stageCount][stageCount]int, err error) {
	if len(recordings) < folds {
		return c, invalid("cross-validation needs %d people or more: the file has %d", folds, len(recordings))
	}
	var others []Recording
	for i, rec := range recordings {
		if i%folds != fold {
			others = append(others, rec)
		}
	}
	learned, err := fit(others)
	if err != nil {
		return c, err
	}
	s := New(learned)
	for i := fold; i < len(recordings); i += folds {
		s.predict(recordings[i].Features)
		stages[i] = append([]int(nil), s.stages...)
		for k, l := range recordings[i].labels {
			if l != noStage {
				c[l][stages[i][k]]++
			}
		}
	}
	return c, nil
}

// Evaluate returns the agreement of recordings with what a stager makes of them.
func Evaluate(c *Coefficients, recordings []Recording) *Agreement {
	s := New(c)
	stages := make([][]int, len(recordings))
	for i, rec := range recordings {
		s.predict(rec.Features)
		stages[i] = append([]int(nil), s.stages...)
	}
	return newAgreement(recordings, stages)
}
