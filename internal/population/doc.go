// Package population makes up people, what their devices send, and the truth about both.
//
// A person lives minute by minute: sleeps, works, walks, flies, forgets to charge the watch. The devices see a part of
// that life and send it in sync batches, late, twice, in overlapping parts or with a wrong clock. Truth tells, without
// looking at any batch, what a pipeline that makes no mistake must find in the end: per person and date, and what it
// must have set aside.
//
//	from, to := population.Span(today, population.DefaultWeeks)
//	p, err := population.New(population.Config{Seed: 1, From: from, To: to})
//	for batch := range p.Batches() { ... }
//	err = p.Truth().WriteJSONLines(w)
//
// The first people are a cast: each is there for one difficulty, named by Person.Role. Those after them are ordinary,
// with a little of everything.
//
// # Guarantees
//
// The same Config gives the same batches and the same truth, byte for byte, on every machine with the same time-zone
// database: all of it is integer arithmetic on seeded generators, and the means in the truth are one division each.
// A person does not change when more people are asked for.
//
// Every batch is one that the wire can carry. Whatever the order in which the batches arrive, their highest revisions
// are the truth: sequence numbers are given in the order in which a device made its syncs, never in that of arrival.
//
// # Decisions
//
// The package shares no code with the models, on purpose: where the truth needs a rule (which device stands for a
// minute, what counts as worn without heart rate), the rule is written a second time, over minutes instead of SQL.
//
// A life starts at local midnight and the watch is put on at the first waking; the last evening nobody goes to bed
// before midnight. So no night is cut by the edge of the span.
//
// A watch takes over the zone of its phone at landing, not in the air. The sleeper who wakes after touchdown falls
// asleep at one offset and wakes at another.
//
// Batches are built when they are asked for: a year of two dozen people is small as minutes and large as messages.
package population
