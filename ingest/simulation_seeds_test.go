//go:build !race

package ingest

// simSeeds is how many seeds are run, unless DIURNA_SEEDS says otherwise.
const simSeeds = 2500
