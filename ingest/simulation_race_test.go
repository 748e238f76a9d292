//go:build race

package ingest

// simSeeds is small with the race detector: a simulation is one goroutine, in which there is nothing for it to find.
const simSeeds = 300
