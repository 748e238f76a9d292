// Package laketest has what tests of the lake need that tests of other packages need too: a disk that loses power.
//
// # Decisions
//
// The disk is our own and not Pebble's vfs.MemFS, which has the same idea. A failure must come back when its seed is run
// again, and MemFS draws lots while it walks Go's maps, whose order changes. MemFS also never loses the removal of a name
// that was not synced, nor forgets bytes after a sync that failed, as Linux does. And its module brings sixteen others.
package laketest
