package stager

import (
	"github.com/diurna-health/diurna/schemas"
)

// What becomes of the parts' opinions (our choice; nothing published prescribes it). The forest sees single epochs, the
// network hours: wake is what both say.
const (
	forestShare   = 0.7
	wakeFrom      = 0.32 // probability from which an epoch is wake: missing wake is the commoner error
	deepAdvantage = 1.15 // of deep sleep and REM over light sleep, which is half of every night
	remAdvantage  = 1.15
)

// A Stager tells the stages of nights. It keeps the memory of the last night: it is for one goroutine.
type Stager struct {
	// Rules may be changed between nights.
	Rules Rules

	version     string
	motionScale float64
	networks    [][]convolution
	forest      forest
	figures     []figure

	features   *FeatureMaker
	inputs     inputMaker
	wakeInputs wakeInputMaker
	pass       pass
	cells      []Probabilities
	forestWake []float64
	names      []schemas.SleepStage

	stages        []int
	probabilities []Probabilities
}

// New returns a stager with coefficients from ReadCoefficients, Shipped or Fit.
func New(c *Coefficients) *Stager {
	s := &Stager{
		Rules:   DefaultRules,
		version: c.Version, motionScale: float64(c.MotionScale), figures: figures(), features: NewFeatureMaker(),
	}
	for _, n := range c.Networks {
		s.networks = append(s.networks, layersOf(n))
	}
	s.forest.guess = float64(c.Guess)
	for _, r := range c.Trees {
		var t tree
		for k := range treeDepth {
			t.figure[k], t.threshold[k] = int(r[k]), r[treeDepth+k]
		}
		copy(t.value[:], r[2*treeDepth:])
		s.forest.trees = append(s.forest.trees, t)
	}
	return s
}

// A Hypnogram is a night's stages. The slices are as long as the night.
type Hypnogram struct {
	// Stages are schemas.StageAwake, StageLight, StageDeep and StageREM, or StageAsleep where the night is too short for
	// more. The empty stage is of an epoch that was not observed: null, not guessed.
	Stages []schemas.SleepStage
	// Probabilities are those before any rule of plausibility; all 0 where the stage is empty.
	Probabilities []Probabilities
}

// Version names the coefficients: rows made with other ones are other rows.
func (s *Stager) Version() string { return s.version }

// Stage returns the stages of a night, valid until the next call. ok is false when too little was observed to tell.
func (s *Stager) Stage(night Night) (h Hypnogram, ok bool) {
	f, ok := s.features.Make(night)
	if !ok {
		return Hypnogram{}, false
	}
	// Counts are a device's own units.
	if mean := meanMovement(f); mean > 0 {
		for i := range f.Activity {
			f.Activity[i] *= s.motionScale / mean
			f.Counts[i] *= s.motionScale / mean
		}
	}
	s.predict(f)
	s.Rules.apply(s.stages, s.probabilities)
	short := float64(len(s.stages)*epochS) < s.Rules.ShortNightMin*60
	s.names = resize(s.names, len(s.stages))
	for i, stage := range s.stages {
		switch {
		case stage == noStage:
			s.names[i], s.probabilities[i] = "", Probabilities{}
		case short && stage != wake:
			s.names[i] = schemas.StageAsleep
		default:
			s.names[i] = stageNames[stage]
		}
	}
	return Hypnogram{Stages: s.names, Probabilities: s.probabilities}, true
}

// movementShare is the share of a night's highest activity from which an epoch counts as moved in.
const movementShare = 0.001

// meanMovement returns the mean activity of epochs with movement, 0 of a night without.
func meanMovement(f Features) float64 {
	top := 0.0
	for i, a := range f.Activity {
		if f.Observed[i] {
			top = max(top, a)
		}
	}
	sum, n := 0.0, 0
	for i, a := range f.Activity {
		if f.Observed[i] && a > movementShare*top {
			sum += a
			n++
		}
	}
	return sum / float64(max(1, n))
}

// predict fills the stager's probabilities and stages from features.
func (s *Stager) predict(f Features) {
	n := len(f.Activity)
	s.probabilities, s.stages = resize(s.probabilities, n), resize(s.stages, n)
	x, t := s.inputs.make(f)
	s.cells = resize(s.cells, t)
	clear(s.cells)
	share := 1 / float64(len(s.networks))
	for _, layers := range s.networks {
		s.pass.run(layers, x, t, nil)
		out := s.pass.out
		for j := range s.cells {
			p := softmax([stageCount]float64{out[j], out[t+j], out[2*t+j], out[3*t+j]})
			for k := range p {
				s.cells[j][k] += p[k] * share
			}
		}
	}
	s.forestWake = resize(s.forestWake, n)
	s.wakeInputs.make(f, &s.inputs)
	s.forest.wake(s.forestWake, &s.wakeInputs, s.figures)
	s.blend()
	for i, p := range s.probabilities {
		s.stages[i] = noStage
		if f.Observed[i] {
			s.stages[i] = decide(p)
		}
	}
}

// blend brings the network's cells to epochs, by straight lines between their middles, and the forest's wake into them.
func (s *Stager) blend() {
	last := len(s.cells) - 1
	for i := range s.probabilities {
		at := min(max((float64(i)+0.5)/cellEpochs-0.5, 0), float64(last))
		left := min(int(at), max(0, last-1))
		share := at - float64(left)
		a, b := &s.cells[left], &s.cells[min(left+1, last)]
		var p Probabilities
		for k := range p {
			p[k] = a[k]*(1-share) + b[k]*share
		}
		s.probabilities[i] = p.withWake(forestShare*s.forestWake[i] + (1-forestShare)*p[wake])
	}
}

// withWake returns the probabilities with another one of wake; the others keep their proportions.
func (p Probabilities) withWake(w float64) Probabilities {
	const tiny = 1e-9
	w = min(max(w, tiny), 1-tiny)
	scale := (1 - w) / max(1-p[wake], tiny)
	return Probabilities{w, p[light] * scale, p[deep] * scale, p[rem] * scale}
}

// decide returns the stage of an epoch.
func decide(p Probabilities) int {
	if p[wake] >= wakeFrom {
		return wake
	}
	stage, best := light, p[light]
	if v := p[deep] * deepAdvantage; v > best {
		stage, best = deep, v
	}
	if p[rem]*remAdvantage > best {
		stage = rem
	}
	return stage
}
