package stager

import (
	"context"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"
)

// networksAveraged is how many networks, each from a start of its own, share a stager's opinion. More agree a little
// better (README.md), and take their time.
const networksAveraged = 1

// forestDice is the stream of the forest's dice; the networks have the first ones.
const forestDice = 1 << 32

// Fit returns coefficients learned from recordings. The same recordings and seed give the same coefficients.
func Fit(ctx context.Context, recordings []Recording, seed int) (*Coefficients, error) {
	return fit(ctx, recordings, seed, networksAveraged, trainingRounds)
}

func fit(ctx context.Context, recordings []Recording, seed, networks, rounds int) (*Coefficients, error) {
	c := &Coefficients{Provenance: Provenance{People: len(recordings), Seed: seed, Method: method}}
	var inputs inputMaker
	examples := make([]example, len(recordings))
	for i, rec := range recordings {
		if len(rec.labels) < minEpochs {
			return nil, invalid("a person has fewer than %d epochs: that is no night", minEpochs)
		}
		examples[i] = newExample(rec, &inputs)
		for _, l := range rec.labels {
			if l != noStage {
				c.Provenance.Epochs++
			}
		}
	}
	for _, rec := range recordings {
		c.MotionScale += decimal(meanMovement(rec.Features) / float64(len(recordings)))
	}
	c.MotionScale = decimal(rounded(float64(c.MotionScale)))
	c.Networks = make([]row, networks)
	var forest *forest
	parts, ctx := errgroup.WithContext(ctx)
	for k := range networks {
		parts.Go(func() error {
			weights, err := learn(ctx, examples, dice(seed, uint64(k)), rounds)
			c.Networks[k] = roundedRow(weights)
			return err
		})
	}
	parts.Go(func() error {
		forest = plant(recordings, &inputs, &wakeInputMaker{}).grow(dice(seed, forestDice))
		return nil
	})
	if err := parts.Wait(); err != nil {
		return nil, err
	}
	c.Guess = decimal(rounded(forest.guess))
	for _, t := range forest.trees {
		r := make(row, 0, 2*treeDepth+treeLeaves)
		for _, f := range t.figure {
			r = append(r, float64(f))
		}
		r = append(append(r, t.threshold[:]...), t.value[:]...)
		c.Trees = append(c.Trees, roundedRow(r))
	}
	c.Version = c.version()
	return c, nil
}

func roundedRow(values []float64) row {
	r := make(row, len(values))
	for i, v := range values {
		r[i] = rounded(v)
	}
	return r
}

// dice returns a stream of a seed's dice. The same coefficients shall come of them again: they are no secret.
func dice(seed int, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(uint64(seed), stream)) //nolint:gosec // not for secrets
}
