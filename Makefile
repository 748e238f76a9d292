# `make help` lists the targets. Both `make test` and `make build` need Go and a C compiler (DuckDB is linked in) and
# nothing else: no services, no data.

GO            ?= go
PKG           ?= ./...
TESTFLAGS     ?=
FUZZTIME      ?= 30s
GOLANGCI_LINT ?= $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# cgo is what links DuckDB; an environment that turned it off would fail with a riddle.
export CGO_ENABLED := 1

GO_MINOR_MIN := 26

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z\/]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: check
check: # what building needs is there, or a sentence says what to install
	@command -v $(GO) >/dev/null || { echo "Go is missing: install Go 1.$(GO_MINOR_MIN) or newer from https://go.dev/dl/" >&2; exit 1; }
	@minor=$$($(GO) env GOVERSION | sed -n 's/^go1\.\([0-9]*\).*/\1/p'); \
	if [ -n "$$minor" ] && [ "$$minor" -lt $(GO_MINOR_MIN) ]; then \
		echo "Go is too old ($$($(GO) env GOVERSION)): install Go 1.$(GO_MINOR_MIN) or newer from https://go.dev/dl/" >&2; exit 1; fi
	@cc=$$($(GO) env CC); command -v $${cc%% *} >/dev/null || { \
		echo "A C compiler is missing ($$cc): install one (Debian: apt-get install gcc libc6-dev g++, macOS: xcode-select --install)" >&2; exit 1; }

.PHONY: build
build: check ## Build bin/diurna
	$(GO) build -trimpath -o bin/diurna ./cmd/diurna

.PHONY: demo
demo: build ## Run everything on a made-up population and show its pages, until Ctrl-C
	bin/diurna demo

.PHONY: test
test: check ## Run all tests (PKG=./... chooses; DIURNA_TESTDATA=DIR adds those on real recordings)
	@command -v chromium >/dev/null || echo "Chromium is missing: the tests that look at pages in it are left out (Debian: apt-get install chromium)" >&2
	$(GO) test $(TESTFLAGS) $(PKG)

.PHONY: test/race
test/race: ## Run all tests with the race detector
	@$(MAKE) --no-print-directory test TESTFLAGS="-race $(TESTFLAGS)"

.PHONY: fuzz
fuzz: check ## Run every fuzz test for FUZZTIME (30s) each
	@set -e; for pkg in $$($(GO) list $(PKG)); do \
		for name in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$name"; $(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; done

.PHONY: bench
bench: check ## Run every benchmark
	$(GO) test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: lint
lint: check ## Run the linters
	$(GOLANGCI_LINT) run $(PKG)

.PHONY: fmt
fmt: check ## Format the Go code
	$(GOLANGCI_LINT) fmt

.PHONY: generate
generate: check ## Make generated code anew
	$(GO) generate $(PKG)

.PHONY: verify
verify: check ## Check that go.mod is tidy, code formatted and generated code up to date
	$(GO) mod tidy -diff
	@unformatted=$$(find . -name '*.go' -not -path './.*' -exec gofmt -l {} +); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fmt):" >&2; echo "$$unformatted" >&2; exit 1; fi
	@before=$$(mktemp -d); trap 'rm -rf "$$before"' EXIT; \
	files=$$(grep -rlE --include='*.go' '^// Code generated .* DO NOT EDIT\.$$' . || true); \
	for f in $$files; do mkdir -p "$$before/$$(dirname $$f)"; cp "$$f" "$$before/$$f"; done; \
	$(MAKE) --no-print-directory generate && \
	for f in $$files; do diff -u "$$before/$$f" "$$f" || { echo "$$f is not what make generate makes" >&2; exit 1; }; done

.PHONY: clean
clean: ## Remove what was built and what failing tests left
	rm -rf bin
	find . -name '*.FAIL' -type f -delete
