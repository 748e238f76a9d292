#!/bin/sh
# Generates syncpb from sync.proto. Needs protoc (Debian: protobuf-compiler); the Go plugin is built at the version that
# go.mod pins, so that the generated code and the library it calls never disagree. It runs from the module's root,
# because protobuf registers a file under the path it was compiled from and "sync.proto" alone would invite a clash.
set -eu
cd "$(dirname "$0")/../../.."
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
go build -o "$bin/protoc-gen-go" google.golang.org/protobuf/cmd/protoc-gen-go
protoc --plugin="$bin/protoc-gen-go" --go_out=. --go_opt=module=github.com/diurna-health/diurna \
	schemas/sync/v1/sync.proto
