package stager

import (
	"fmt"
	"io"
	"math"
)

// An Agreement says how well stages agree with those somebody scored: over all epochs, beside what calling every epoch
// by the commonest class would give, and person by person.
type Agreement struct {
	Pooled   Figures  `json:"pooled"`
	Baseline Figures  `json:"baseline"`
	Bias     Biases   `json:"bias"`
	People   []Person `json:"people"`
}

// Figures are those of some epochs. Two classes are wake and sleep; three are wake, REM and the rest of sleep; four are
// wake, light, deep and REM.
type Figures struct {
	Epochs    int     `json:"epochs"`
	Accuracy2 float64 `json:"accuracy_2"`
	Accuracy3 float64 `json:"accuracy_3"`
	Accuracy4 float64 `json:"accuracy_4"`
	Kappa2    float64 `json:"kappa_2"`
	Kappa3    float64 `json:"kappa_3"`
	Kappa4    float64 `json:"kappa_4"`
	Recall2   Recall  `json:"recall_2"`
	Recall3   Recall  `json:"recall_3"`
	Recall4   Recall  `json:"recall_4"`
}

// A Recall is the share of each class's epochs that were taken for it; null where there is none.
type Recall struct {
	Wake   *float64 `json:"wake"`
	Sleep  *float64 `json:"sleep,omitempty"`
	NonREM *float64 `json:"non_rem,omitempty"`
	Light  *float64 `json:"light,omitempty"`
	Deep   *float64 `json:"deep,omitempty"`
	REM    *float64 `json:"rem,omitempty"`
}

// A Person is one person's figures and how many minutes more than scored the stages add up to.
type Person struct {
	Person string `json:"person"`
	Figures
	Difference Sums `json:"difference"`
}

// Sums are a night's sums in minutes. WASO is wake between sleep onset (the first of three epochs of sleep in a row) and
// the last epoch of sleep; it is null in a night without onset.
type Sums struct {
	TST  float64  `json:"tst_min"`
	WASO *float64 `json:"waso_min"`
	Deep float64  `json:"deep_min"`
	REM  float64  `json:"rem_min"`
}

// Biases are the mean differences of people's sums, with limits of agreement.
type Biases struct {
	TST  Bias `json:"tst_min"`
	WASO Bias `json:"waso_min"`
	Deep Bias `json:"deep_min"`
	REM  Bias `json:"rem_min"`
}

// A Bias is a mean difference with its 95 % limits of agreement, 1.96 standard deviations on either side (Bland and
// Altman 1986). The limits are null of fewer than two people.
type Bias struct {
	Mean   float64  `json:"mean"`
	Lower  *float64 `json:"lower"`
	Upper  *float64 `json:"upper"`
	People int      `json:"people"`
}

// newAgreement compares stages with the recordings' labels.
func newAgreement(recordings []Recording, stages [][]int) *Agreement {
	a := &Agreement{}
	var labels, all []int
	var differences [4][]float64
	for i, rec := range recordings {
		p := Person{Person: rec.Person, Figures: newFigures(rec.labels, stages[i])}
		is, made := sumsOf(rec.labels, rec.labels), sumsOf(stages[i], rec.labels)
		p.Difference = Sums{TST: made.TST - is.TST, Deep: made.Deep - is.Deep, REM: made.REM - is.REM}
		if is.WASO != nil && made.WASO != nil {
			waso := *made.WASO - *is.WASO
			p.Difference.WASO = &waso
			differences[1] = append(differences[1], waso)
		}
		differences[0] = append(differences[0], p.Difference.TST)
		differences[2] = append(differences[2], p.Difference.Deep)
		differences[3] = append(differences[3], p.Difference.REM)
		a.People = append(a.People, p)
		labels, all = append(labels, rec.labels...), append(all, stages[i]...)
	}
	a.Pooled = newFigures(labels, all)
	a.Baseline = baseline(labels)
	a.Bias = Biases{newBias(differences[0]), newBias(differences[1]), newBias(differences[2]), newBias(differences[3])}
	return a
}

func newFigures(labels, stages []int) Figures {
	four, three, two := newConfusion(4), newConfusion(3), newConfusion(2)
	four.add(labels, stages, &fourClasses)
	three.add(labels, stages, &threeClasses)
	two.add(labels, stages, &twoClasses)
	f := Figures{
		Epochs:    int(four.total()),
		Accuracy2: two.accuracy(), Accuracy3: three.accuracy(), Accuracy4: four.accuracy(),
		Kappa2: two.kappa(), Kappa3: three.kappa(), Kappa4: four.kappa(),
	}
	f.Recall2 = Recall{Wake: two.recall(0), Sleep: two.recall(1)}
	f.Recall3 = Recall{Wake: three.recall(0), NonREM: three.recall(1), REM: three.recall(2)}
	f.Recall4 = Recall{Wake: four.recall(wake), Light: four.recall(light), Deep: four.recall(deep), REM: four.recall(rem)}
	return f
}

// baseline returns the figures of calling every epoch by the commonest class; which that is depends on the classes.
func baseline(labels []int) Figures {
	most := func(class *[stageCount]int) Figures {
		var n [stageCount]int
		for _, l := range labels {
			if l != noStage {
				n[class[l]]++
			}
		}
		best := 0
		for c, k := range n {
			if k > n[best] {
				best = c
			}
		}
		stage := 0
		for s := range stageCount {
			if class[s] == best {
				stage = s
			}
		}
		stages := make([]int, len(labels))
		for i := range stages {
			stages[i] = stage
		}
		return newFigures(labels, stages)
	}
	f, three, two := most(&fourClasses), most(&threeClasses), most(&twoClasses)
	f.Accuracy3, f.Kappa3, f.Recall3 = three.Accuracy3, three.Kappa3, three.Recall3
	f.Accuracy2, f.Kappa2, f.Recall2 = two.Accuracy2, two.Kappa2, two.Recall2
	return f
}

// onsetRun is how many epochs of sleep in a row make its onset.
const onsetRun = 3

// sumsOf returns the sums of stages, of the epochs that have a label.
func sumsOf(stages, labels []int) Sums {
	const minutes = epochS / 60.0
	var s Sums
	onset, end, run, wakeAfter, waso := -1, -1, 0, 0, 0
	for i, stage := range stages {
		if labels[i] == noStage || stage == noStage {
			run = 0
			continue
		}
		switch stage {
		case wake:
			run = 0
			if onset >= 0 {
				wakeAfter++
			}
			continue
		case deep:
			s.Deep += minutes
		case rem:
			s.REM += minutes
		}
		s.TST += minutes
		if run++; run == onsetRun && onset < 0 {
			onset = i
		}
		if onset >= 0 {
			end, waso = i, wakeAfter // wake that sleep came after
		}
	}
	if end >= 0 {
		w := float64(waso) * minutes
		s.WASO = &w
	}
	return s
}

func newBias(differences []float64) Bias {
	b := Bias{People: len(differences)}
	if len(differences) == 0 {
		return b
	}
	for _, d := range differences {
		b.Mean += d / float64(len(differences))
	}
	if len(differences) < 2 {
		return b
	}
	squares := 0.0
	for _, d := range differences {
		squares += (d - b.Mean) * (d - b.Mean)
	}
	reach := 1.96 * math.Sqrt(squares/float64(len(differences)-1))
	lower, upper := b.Mean-reach, b.Mean+reach
	b.Lower, b.Upper = &lower, &upper
	return b
}

// WriteText writes the agreement for people to read.
func (a *Agreement) WriteText(w io.Writer) error {
	t := &textWriter{w: w}
	t.printf("%-12s %7s  %8s %8s %8s  %7s %7s %7s  %5s %5s %5s %5s  %7s %7s %7s %7s\n", "person", "epochs",
		"acc. 2", "acc. 3", "acc. 4", "kappa 2", "kappa 3", "kappa 4", "wake", "light", "deep", "rem", "TST", "WASO", "deep", "REM")
	for _, p := range a.People {
		t.figures(p.Person, &p.Figures)
		t.printf("  %+7.1f %7s %+7.1f %+7.1f\n", p.Difference.TST, signed(p.Difference.WASO), p.Difference.Deep, p.Difference.REM)
	}
	t.figures("pooled", &a.Pooled)
	t.printf("\n")
	t.figures("commonest", &a.Baseline)
	t.printf("\n\nrecall, 2 classes: wake %s, sleep %s; 3 classes: wake %s, non-REM %s, REM %s\n",
		share(a.Pooled.Recall2.Wake), share(a.Pooled.Recall2.Sleep),
		share(a.Pooled.Recall3.Wake), share(a.Pooled.Recall3.NonREM), share(a.Pooled.Recall3.REM))
	for _, b := range []struct {
		name string
		bias Bias
	}{{"TST", a.Bias.TST}, {"WASO", a.Bias.WASO}, {"deep", a.Bias.Deep}, {"REM", a.Bias.REM}} {
		t.printf("%-4s %+6.1f min more than scored, limits of agreement %s to %s, %d people\n",
			b.name, b.bias.Mean, signed(b.bias.Lower), signed(b.bias.Upper), b.bias.People)
	}
	return t.err
}

// A textWriter keeps its first error.
type textWriter struct {
	w   io.Writer
	err error
}

func (t *textWriter) printf(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format, args...)
	}
}

func (t *textWriter) figures(name string, f *Figures) {
	t.printf("%-12s %7d  %8.4f %8.4f %8.4f  %7.4f %7.4f %7.4f  %5s %5s %5s %5s", name, f.Epochs,
		f.Accuracy2, f.Accuracy3, f.Accuracy4, f.Kappa2, f.Kappa3, f.Kappa4,
		share(f.Recall4.Wake), share(f.Recall4.Light), share(f.Recall4.Deep), share(f.Recall4.REM))
}

func share(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.3f", *v)
}

func signed(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%+.1f", *v)
}
