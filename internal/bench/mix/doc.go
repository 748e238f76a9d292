// Package mix makes the sync batches that benchmarks run on: what a number of people's watches send of one day.
//
// Of five people, four have a watch that keeps the heart rate of every minute and one has a watch that keeps it every
// five seconds. All keep steps by the minute and stress every three minutes; of a night they keep motion every 30 s,
// oxygen saturation every five minutes and a minute of beat-to-beat intervals each half hour. One person in ten works
// out, and sends a track of six metrics at 1 Hz. A person's day comes to about 9,300 samples, half of them heart rate.
//
// # Guarantees
//
// The same Config gives the same batches, byte for byte, on every machine: all of it is integer arithmetic on seeded
// generators. The same hour has the same values however the day is cut into batches.
//
// # Decisions
//
// Values wander as a body's do (a heart rate drifts, steps come in walks, a wrist at night lies still), because what a
// decoder and a compressor cost depends on them. Now and then a watch is taken off for some minutes: the holes make a
// reader keep times.
//
// Package internal/population is not used here. It is made to be difficult, and its truth costs more than its batches;
// this is made to be ordinary and quick.
package mix
