# `make help` lists the targets. Both `make test` and `make build` need Go and a C compiler (DuckDB is linked in) and
# nothing else: no services, no data.

GO            ?= go
PKG           ?= ./...
TESTFLAGS     ?=
FUZZTIME      ?= 30s
FUZZJOBS      ?= 1
TIMEOUT       ?= 40m
BENCHFLAGS    ?=
GOLANGCI_LINT ?= $(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# cgo is what links DuckDB; an environment that turned it off would fail with a riddle.
export CGO_ENABLED := 1
# The tag lets DuckDB and Go hand each other Arrow batches.
export GOFLAGS := -tags=duckdb_arrow $(GOFLAGS)

GO_MINOR_MIN := 26

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9\/-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

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
	$(GO) test -timeout $(TIMEOUT) $(PKG) $(TESTFLAGS)

# Tests of one goroutine or of other processes: the race detector makes them take minutes and has nothing to find in them.
# They run in test/norace instead.
WITHOUT_RACE := \
	TestABuildCutOffAnywhereIsCompletedByTheNext \
	TestAFullDiskLosesNothing \
	TestAGrowingPrefixAddsAndSupersedesAndTakesNothingAway \
	TestALateSegmentMovesItsNeighboursNight \
	TestARealExportGivesWhatItsFilesSay \
	TestARepairedHomeGivesTheSameTables \
	TestARunningCounterComesToTheSameDaysInEveryOrderOfArrival \
	TestARunningCounterIsKeptAsItWasRead \
	TestATrackMovesToAnotherMonthWithItsWorkout \
	TestAnImportKilledAtAnyPointEndsInTheSameTables \
	TestAnInterruptedImportGoesOnWhereItWas \
	TestDaysOfEveryLengthGoThroughTheModels \
	TestEveryCitedMethodIsExplained \
	TestEveryFigureOfARealWeekIsThatOfTheFiles \
	TestEveryReachAndLookbackGivesTheRowsOfAFullBuild \
	TestEveryTransitionOfEveryZoneIsDatedByTheClockOnTheWall \
	TestFilesOfLongRowsAreCutByTheirValues \
	TestFullCompactionCutsLargeTablesIntoFilesOfEqualRows \
	TestFullCompactionGivesTheSameBytesWhateverTheCuts \
	TestIngestKeepsToItsMemory \
	TestLateBatchesOfSomePeopleComeOutAsOneFullBuild \
	TestMemoryIsBoundedWhateverTheBacklog \
	TestMergeGivesTheSameSilverForEveryShuffleAndCut \
	TestMinutesAreThoseOfPlainSQL \
	TestModels \
	TestMonthsAndYearsOfRealPeopleWithGapsRenderAndTellTheirRows \
	TestNoRenderingHoldsADiagnosticWord \
	TestPowerCutsAndKillsLoseAndDoubleNothing \
	TestTheChunksOfABacklogMayComeInAnyOrderAndAgain \
	TestTheDaysAreTheSameInEveryOrderOfArrival \
	TestTheFactsOfTheFitabaseExportHoldAfterImport \
	TestTheSameSeedGivesTheSameBytes \
	TestVerifyFindsEveryFlippedTruncatedAndMissingFile \
	Test[A-Za-z]*AnyOrderOfArrival[A-Za-z]*
empty :=
WITHOUT_RACE_PATTERN = ($(subst $(empty) $(empty),|,$(strip $(WITHOUT_RACE))))

.PHONY: test/race
test/race: check ## Run the tests with the race detector, but for those of which test/norace is faster
	@for name in $(patsubst %,'%',$(WITHOUT_RACE)); do \
		grep -rqE --include='*_test.go' "^func $$name\(" . || { echo "WITHOUT_RACE: no test is called $$name" >&2; exit 1; }; done
	$(GO) test -timeout $(TIMEOUT) $(PKG) -race -skip '^$(WITHOUT_RACE_PATTERN)$$' $(TESTFLAGS)

# The jars are Maven's to fetch, into its own cache. The tests start and stop Kafka themselves; it ends with them.
KAFKA_CLASSPATH := $(CURDIR)/bin/kafka.classpath

.PHONY: test-kafka
test-kafka: check ## Run the tests of the Kafka side against Apache Kafka itself (needs Java 17 and Maven)
	@command -v java >/dev/null || { echo "Java is missing: install 17 or newer (Debian: apt-get install openjdk-17-jre-headless, macOS: brew install openjdk)" >&2; exit 1; }
	@command -v mvn >/dev/null || { echo "Maven is missing: install it (Debian: apt-get install maven, macOS: brew install maven)" >&2; exit 1; }
	@mkdir -p $(dir $(KAFKA_CLASSPATH))
	mvn --batch-mode --quiet -f internal/kafkatest/pom.xml dependency:build-classpath -Dmdep.outputFile=$(KAFKA_CLASSPATH)
	DIURNA_TEST_KAFKA=$(KAFKA_CLASSPATH) $(GO) test -count=1 -run '^(TestABrokerIsReadAsPromised|TestIngestOnACluster)$$' $(TESTFLAGS) ./ingest/kafka ./ingest

# The gateway is built beside the product, whose module it would double.
.PHONY: test-s3
test-s3: check ## Run the tests of the S3 side against versitygw, beside those on the server in the test
	GOBIN=$(CURDIR)/bin $(GO) install github.com/versity/versitygw/cmd/versitygw@v1.8.0
	DIURNA_TEST_VERSITYGW=$(CURDIR)/bin/versitygw $(GO) test -count=1 $(TESTFLAGS) ./ingest/lake/s3

# Go before 1.27 now and then takes the end of the fuzzing time for a failure (go.dev/issue/75804). It then names the
# test, says this and nothing else: whoever finds an input says which.
FUZZ_OUT_OF_TIME = --- FAIL: Fuzz[A-Za-z0-9]+ \([0-9.]+s\) +context deadline exceeded FAIL exit status 1

.PHONY: fuzz
fuzz: check ## Run every fuzz test for FUZZTIME (30s) each, FUZZJOBS (1) at a time
	@grep -rh --include='*_test.go' -l '^func Fuzz' . | sort | while read -r file; do \
		grep -o '^func Fuzz[A-Za-z0-9]*' $$file | sed "s|^func |$$(dirname $$file) |"; \
	done | xargs -P $(FUZZJOBS) -L 1 sh -c '\
		out=$$($(GO) test -run "^$$" -fuzz "^$$2\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 100x $(if $(filter-out 1,$(FUZZJOBS)),-parallel 1) $$1 2>&1); code=$$?; \
		if [ $$code != 0 ] && printf "%s" "$$out" | tr "\n" " " | grep -Eq -- "$(FUZZ_OUT_OF_TIME)"; then code=0; out="its time was up"; fi; \
		printf "%s %s\n%s\n" "$$1" "$$2" "$$(printf "%s" "$$out" | if [ $$code = 0 ]; then tail -n 3; else cat; fi)"; exit $$code' fuzz

# They are the tests that kill, freeze and starve processes, which the race detector would not see into.
PROCESS_TESTS = $(shell grep -l '^//go:build !race' cmd/diurna/*_test.go | xargs grep -h '^func Test' | cut -c6- | sed 's/[^A-Za-z0-9].*//' | paste -sd '|' -)

.PHONY: test/norace
test/norace: check ## Run the tests that a run with the race detector leaves out
	$(GO) test -count=1 -timeout $(TIMEOUT) -run '^$(WITHOUT_RACE_PATTERN)$$' \
		$$(grep -rlE --include='*_test.go' "^func $(WITHOUT_RACE_PATTERN)\(" . | xargs -n 1 dirname | sort -u)
	$(GO) test -count=1 -timeout $(TIMEOUT) -run '^($(PROCESS_TESTS))$$' ./cmd/diurna
	$(GO) test -count=1 -timeout $(TIMEOUT) -run '^TestNothingIsLostOrDoubledWhateverHappens$$' ./ingest

.PHONY: torture
torture: check ## Kill and freeze ingesters, builder and compactor KILLS (1000) times and check the lake after each
	DIURNA_TORTURE_KILLS=$(or $(KILLS),1000) $(GO) test -count=1 -v -timeout 6h -run '^TestNothingIsLostOrDoubledWhoeverIsKilled$$' ./cmd/diurna

.PHONY: torture/power
torture/power: check ## Cut the power and fail the disk of SEEDS (200000) simulated lakes, from seed FROM (1) on, and check what is left
	DIURNA_POWER_SEEDS=$(or $(SEEDS),200000) DIURNA_POWER_FROM=$(or $(FROM),1) $(GO) test -count=1 -v -timeout 24h \
		-run '^Test(PowerCutsAndKills|AFullDisk|AnOperationOfTheDiskThatFails)' ./ingest/lake

.PHONY: bench
bench: check ## Run every benchmark
	$(GO) test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: bench/ingest
bench/ingest: check ## Measure ingest beside DuckDB and Bento (BENCHFLAGS='-out RESULTS.md' writes the table)
	cd internal/bench && $(GO) run . ingest $(BENCHFLAGS)

.PHONY: bench/models
bench/models: check ## Measure a day of 10,000 people through all models (BENCHFLAGS='-people 1000' for less)
	cd internal/bench && $(GO) run . models $(BENCHFLAGS)

.PHONY: bench/memory
bench/memory: check ## Measure the memory of ingest with 10 GiB in Kafka (takes 25 GiB of disk for a while)
	cd internal/bench && $(GO) run . memory $(BENCHFLAGS)

.PHONY: bench/test
bench/test: check ## Run the tests of the bench, which is a module of its own
	cd internal/bench && $(GO) vet ./... && $(GO) test ./...

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
