# Build, check and test Unify. `make` alone lists the verbs.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

CARGO ?= cargo
# More flags for every cargo command; CI sets --locked.
CARGO_FLAGS ?=
CARGO_TARGET_DIR ?= target
export CARGO_TARGET_DIR
# Cases per property in `make fuzz`.
CASES ?= 20000
# Flags of `make bench` and `make bench-peers`; benchmark/README.md names them.
BENCH_FLAGS ?=
# The extension the tests load.
EXTENSION ?= $(CURDIR)/build/release/unify.duckdb_extension

LIBRARY := $(if $(filter Darwin,$(shell uname -s)),libunify.dylib,libunify.so)

help: ## List the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

configure: configure-hosts ## Install the DuckDB hosts the tests drive, into build/hosts
	$(CARGO) fetch $(CARGO_FLAGS)

debug: ## Build build/debug/unify.duckdb_extension
	$(CARGO) build $(CARGO_FLAGS) --package unify --package packaging
	$(CARGO_TARGET_DIR)/debug/package $(CARGO_TARGET_DIR)/debug/$(LIBRARY) build/debug/unify.duckdb_extension

# The footer is written by the debug build of `package`: the tools are not built twice.
release: ## Build build/release/unify.duckdb_extension
	$(CARGO) build $(CARGO_FLAGS) --package packaging
	$(CARGO) build $(CARGO_FLAGS) --package unify --release
	$(CARGO_TARGET_DIR)/debug/package $(CARGO_TARGET_DIR)/release/$(LIBRARY) build/release/unify.duckdb_extension

# A named EXTENSION is packaged as it is.
package: $(if $(filter file,$(origin EXTENSION)),release) ## Put a wheel and an npm package with the extension into build/packages
	python3 test/hosts/setup.py packages
	build/hosts/packages/bin/python packaging/packages.py $(EXTENSION) build/packages

check: check-format check-lints check-docs check-licences test-unit test-benchmark ## Everything a machine can judge without DuckDB

check-format:
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path benchmark/Cargo.toml --check

check-lints:
	$(CARGO) clippy $(CARGO_FLAGS) --workspace --all-targets --no-default-features -- -D warnings
	$(CARGO) clippy $(CARGO_FLAGS) --workspace --all-targets --all-features -- -D warnings

check-docs:
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc $(CARGO_FLAGS) --workspace --no-deps --lib

check-licences:
	$(CARGO) run $(CARGO_FLAGS) --quiet --package packaging --bin licences

test-unit: ## Unit, property, loopback and tidy tests
	$(CARGO) test $(CARGO_FLAGS) --workspace --no-default-features

test-benchmark:
	python3 -m py_compile benchmark/*.py
	$(CARGO) test $(CARGO_FLAGS) --manifest-path benchmark/Cargo.toml --target-dir build/bench/target

test: release ## SQL files and real hosts, on the release build
	$(MAKE) --no-print-directory test-sql test-hosts

kill: release ## Disturb KILLS random loads on each DuckDB line; SEED, CASE and RELEASE repeat one
	$(MAKE) --no-print-directory test-kill

soak: release ## Load, refresh, disturb and compare for MINUTES on both DuckDB lines; SEED chooses
	$(MAKE) --no-print-directory test-soak

fuzz: ## Run the property tests with CASES cases each
	PROPTEST_CASES=$(CASES) $(CARGO) test $(CARGO_FLAGS) --workspace --no-default-features --release

demo: release test-programs ## Load a table from a small API server and show its rows
	python3 test/hosts/setup.py cli
	demo/demo.sh

bench: release ## Measure a load against DuckDB's own JSON reader
	python3 benchmark/run.py $(BENCH_FLAGS)

bench-peers: release ## Measure dlt on the same pages
	python3 benchmark/peers.py $(BENCH_FLAGS)

clean: ## Remove what was built
	$(CARGO) clean
	rm -rf build

.PHONY: help configure debug release package check check-format check-lints check-docs check-licences test-unit test-benchmark test kill soak fuzz demo \
	bench bench-peers clean

include test/test.mk
