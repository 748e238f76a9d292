package population

import "math/rand/v2"

// What a stream of chance is for. Each purpose has its own, so that a change in one part of a life moves no other.
const (
	forTraits uint64 = iota + 1
	forDays
	forSleep
	forSteps
	forHeart
	forWear
	forPhone
	forSyncs
	forDelivery
	forReadings
	forShuffle
)

// dice are the chance in a person's life.
type dice struct{ *rand.Rand }

func newDice(seed uint64, person int, purpose uint64) dice {
	return dice{rand.New(rand.NewPCG(seed, uint64(person)<<8|purpose))} //nolint:gosec // repeatable chance is the point
}

// between returns one of lo to hi, both included.
func (d dice) between(lo, hi int) int { return lo + d.IntN(hi-lo+1) }

// chance is true pct times in a hundred.
func (d dice) chance(pct int) bool { return d.IntN(100) < pct }

// pick returns one of the list.
func pick[T any](d dice, list []T) T { return list[d.IntN(len(list))] }

// wobble returns a small repeatable noise, -2 to 2, of the k-th part of a minute: samples every five seconds are made
// when they are asked for and never kept.
func wobble(seed uint64, minute, k int) int {
	x := seed ^ uint64(minute)*0x9e3779b97f4a7c15 ^ uint64(k)*0xbf58476d1ce4e5b9
	x ^= x >> 31
	x *= 0x94d049bb133111eb
	x ^= x >> 29
	return int(x%5) - 2
}
