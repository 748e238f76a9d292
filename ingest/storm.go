package ingest

import "time"

// What a storm of rejected messages is.
const (
	stormWindow   = time.Minute
	stormMessages = 1000 // fewer say nothing
	stormPercent  = 20
)

// A storm counts, minute by minute, how many messages are set aside whole. A poison message is set aside and forgotten;
// a producer gone wrong would turn a day of everybody's data into dead letters, and somebody should look first.
type storm struct {
	since              time.Time
	messages, rejected int
}

// count takes a message in and reports whether it blows a storm.
func (s *storm) count(rejected bool, now time.Time) bool {
	if now.Sub(s.since) >= stormWindow || now.Before(s.since) {
		*s = storm{since: now}
	}
	s.messages++
	if rejected {
		s.rejected++
	}
	return s.messages >= stormMessages && s.rejected*100 > s.messages*stormPercent
}
