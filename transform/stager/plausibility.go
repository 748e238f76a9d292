package stager

// Rules are what stages are held to after they were told apart (methods 1.5; our choice). They are for the nights of
// wearers; agreement with scored nights is measured without them.
type Rules struct {
	// EarlyREMMin is how long after falling asleep there is no REM: such epochs get the likeliest other stage. 0 is no rule.
	EarlyREMMin float64
	// ShortNightMin is how long an episode must be for its sleep to have stages: in a shorter one it is asleep. 0 is no rule.
	ShortNightMin float64
	// SingleEpochs says that a stage of sleep lasts a minute at least: an epoch alone becomes what was before it. Wake may
	// be short.
	SingleEpochs bool
}

// DefaultRules are those a new stager has.
var DefaultRules = Rules{EarlyREMMin: 30, ShortNightMin: 180, SingleEpochs: true}

// apply changes the stages.
func (r Rules) apply(stages []int, probabilities []Probabilities) {
	const perMin = 60 / epochS
	onset := len(stages)
	for i, s := range stages {
		if s != noStage && s != wake {
			onset = i
			break
		}
	}
	for i := onset; i < min(len(stages), onset+int(r.EarlyREMMin*perMin)); i++ {
		if stages[i] == rem {
			p := probabilities[i]
			p[rem] = 0
			stages[i] = decide(p)
		}
	}
	if !r.SingleEpochs {
		return
	}
	for i := 1; i+1 < len(stages); i++ {
		s, before := stages[i], stages[i-1]
		if s != wake && s != noStage && before != wake && before != noStage && s != before && s != stages[i+1] {
			stages[i] = before
		}
	}
}
