// Package syncv1 is the wire: the sync batch, its protobuf and its JSON form, and the one value both decode to.
//
// sync.proto is the contract; the JSON form is the same message for people and small back ends, with times in RFC 3339
// and plain arrays with null for what is missing (sync.schema.json). Decode reads either, EncodeProto and EncodeJSON
// write them.
//
// # Guarantees
//
// What Decode returns can be encoded in both forms, and both decode to an equal value. Decode never panics, and what it
// allocates is bounded by the size of the message, whatever lengths the message claims. An error names the field and
// never what stood in it.
//
// # Decisions
//
// Both forms have the same mandatory fields, but protobuf cannot tell an empty string from none: so an empty identity or
// metric passes here and is set aside by ingest, item by item; JSON, which can tell, refuses a message that leaves out
// the field. The UTC offset is refused in both forms, because every local date depends on it and a guess would be wrong
// for whole days.
//
// A sleep stage this version does not know becomes "", so that one new stage does not cost the batch; an unknown source
// refuses the batch, because taking it for the device's own would make it evidence for medals and rankings.
//
// Differences wrap around at 32 bits: then every list of values has exactly one list of differences, and adding them up
// needs no check per value.
//
// Series of protobuf are read by hand, and the rest, which is small, by the library: most of a batch are differences of one
// byte, and eight of them are read and added up at once. A batch with a hole decodes in 11 us instead of 14 (2026-11, the
// least of 40 runs in turns). FuzzSeries holds the two readers to each other.
//
// The JSON form is read by hand, because encoding/json lets duplicate keys and other spellings of a field name pass and
// reads a tenth as many samples a second. Numbers that stand between two commas without white space are read in one loop,
// and whatever else an array holds one by one, with the errors. The items of a protobuf message are counted before it is decoded: an empty
// item is two bytes on the wire and a hundred times that in memory.
package syncv1

//go:generate ./generate.sh
