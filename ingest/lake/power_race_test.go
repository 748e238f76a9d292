//go:build race

package lake_test

// powerSeeds is small with the race detector, which makes each life take many times as long and is not what they are for.
const powerSeeds = 80
