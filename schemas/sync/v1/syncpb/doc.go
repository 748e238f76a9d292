// Package syncpb is the wire's protobuf messages as protoc makes them of sync.proto. Package v1 turns them into the values
// that the rest of Diurna knows.
package syncpb
