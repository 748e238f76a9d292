//go:build !race

package lake_test

// powerSeeds is how many lives with power cuts there are, unless DIURNA_POWER_SEEDS says otherwise; there are an eighth as
// many with each other kind of failure.
const powerSeeds = 2000
