# How to build, test and measure Usher. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

GO ?= go
GOLANGCI_VERSION := 2.15.0
GOLANGCI := bin/golangci-lint-$(GOLANGCI_VERSION)

# What the longer targets take from the command line.
SEEDS ?= 200
RACE ?= -race
BENCH ?= .
PKG ?= ./...
FUZZTIME ?= 30s
KILL_EVENTS ?= 1000000
SHOP ?=

# Sets packages to every one but those of e2e, which start real programs.
UNIT = packages=$$($(GO) list ./... | grep -v '/e2e\(/\|$$\)')

# What `make test` runs, in this order: the quick refusals first, and last
# what takes longest and says most.
STEPS := fmt-check vet lint bench-once unit sim e2e

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-12s %s\n", $$1, $$2}'

.PHONY: build
build: ## build bin/usher
	$(GO) build -trimpath -o bin/usher ./cmd/usher

.PHONY: test
test: ## everything a change must pass; needs no file outside the repository
	@for step in $(STEPS); do \
		echo "== $$step, $$SECONDS s after the start"; \
		$(MAKE) --no-print-directory $$step; \
	done

.PHONY: fmt-check
fmt-check: ## fail if gofmt would change a file
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then echo "not formatted by gofmt:"; echo "$$files"; exit 1; fi

.PHONY: vet
vet: ## go vet
	$(GO) vet ./...

.PHONY: lint
lint: $(GOLANGCI) ## golangci-lint, at the pinned version
	$(GOLANGCI) run ./...

.PHONY: unit
unit: ## every test outside e2e, with the race detector
	@$(UNIT); $(GO) test -race -timeout 10m $$packages

.PHONY: sim
sim: ## the simulation: SEEDS=10000 RACE= for a long run without the race detector
	$(GO) test $(RACE) -count=1 -timeout 4h ./e2e/sim -run '^TestSimulation$$' -seeds=$(SEEDS)

.PHONY: e2e
e2e: ## tests from outside: real programs, real servers, faults
	$(GO) test -count=1 -timeout 15m -skip '^TestSimulation$$' ./e2e/...

.PHONY: kill-test
kill-test: ## SIGKILL under load, judged by the auditor: SHOP=events.jsonl.gz, else a seeded log
	$(GO) test -count=1 -v -timeout 2h ./e2e -run '^TestKill' -kill.events=$(KILL_EVENTS) $(if $(SHOP),-kill.shop=$(abspath $(SHOP)))

.PHONY: bench
bench: ## benchmarks: BENCH=regexp PKG=./rules
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -timeout 2h $(PKG)

.PHONY: bench-once
bench-once: ## one iteration of every benchmark, to see that each still works
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 10m ./...

.PHONY: fuzz
fuzz: ## every fuzz test for FUZZTIME=30s each
	@packages=$$($(GO) list ./...); \
	for package in $$packages; do \
		names=$$($(GO) test -list '^Fuzz' $$package); \
		for name in $$(grep '^Fuzz' <<<"$$names" || true); do \
			echo "== $$package $$name"; \
			$(GO) test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) $$package; \
		done; \
	done

.PHONY: cover
cover: ## statement coverage of the tests outside e2e, into coverage.out
	@$(UNIT); $(GO) test -coverprofile=coverage.out -coverpkg=./... $$packages
	$(GO) tool cover -func=coverage.out | tail -1

.PHONY: tools
tools: $(GOLANGCI) ## install the linter into bin (compiles for minutes, once a version)

$(GOLANGCI):
	GOBIN=$(CURDIR)/bin $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v$(GOLANGCI_VERSION)
	mv bin/golangci-lint $@
