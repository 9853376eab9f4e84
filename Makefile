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
# What makes the compiler count the code that an input of `make fuzz-coverage` reaches, for the fuzzer to look for more.
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
	-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
	-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1
FUZZ_TARGETS ?= spec holes bodies parts pagers
HOST_TARGET = $(shell rustc -vV | sed -n 's/^host: //p')
# Flags of `make bench` and `make bench-peers`; benchmark/README.md names them.
BENCH_FLAGS ?=
# The extension the tests load.
EXTENSION ?= $(CURDIR)/build/release/unify.duckdb_extension

LIBRARY := $(if $(filter Darwin,$(shell uname -s)),libunify.dylib,libunify.so)

help: ## List the verbs
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 14

configure: configure-hosts ## Install the DuckDB hosts the tests drive, into build/hosts
	$(CARGO) fetch $(CARGO_FLAGS)
	python3 extension_config/headers.py

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
	# All features are all of the code: nothing is there only without one. The tests build without them.
	$(CARGO) clippy $(CARGO_FLAGS) --workspace --all-targets --all-features -- -D warnings
	# The fuzz targets are looked at without the fuzzer, which takes long to compile.
	CUSTOM_LIBFUZZER_PATH=/nowhere/libfuzzer.a $(CARGO) clippy $(CARGO_FLAGS) --manifest-path test/fuzz/Cargo.toml -- -D warnings

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

test-servers: release ## Every real server, also those that take minutes to install
	$(MAKE) --no-print-directory test-servers-only

check-adapters: release ## Compare the bundled adapters with the vendors' descriptions in DESCRIPTIONS (../shared/openapi)
	$(MAKE) --no-print-directory test-descriptions

kill: release ## Disturb KILLS random loads on each DuckDB line; SEED, CASE and RELEASE repeat one
	$(MAKE) --no-print-directory test-kill

kill-tokens: release ## Kill KILLS processes on each DuckDB release while they renew their tokens
	$(MAKE) --no-print-directory test-kill-tokens

soak: release ## Load, refresh, disturb and compare for MINUTES on both DuckDB lines; SEED chooses
	$(MAKE) --no-print-directory test-soak

fuzz: ## Run the property tests with CASES cases each
	PROPTEST_CASES=$(CASES) $(CARGO) test $(CARGO_FLAGS) --workspace --no-default-features --release

fuzz-coverage: ## Fuzz parsers, readers and pagers for MINUTES each, led by the code that inputs reach
	RUSTFLAGS='$(FUZZ_FLAGS)' $(CARGO) build $(CARGO_FLAGS) --release --manifest-path test/fuzz/Cargo.toml --target-dir build/fuzz --target $(HOST_TARGET)
	for target in $(FUZZ_TARGETS); do \
		mkdir -p build/fuzz/corpus/$$target; \
		build/fuzz/$(HOST_TARGET)/release/$$target -max_total_time=$$(($(MINUTES) * 60)) -artifact_prefix=build/fuzz/$$target- build/fuzz/corpus/$$target; \
	done

demo: release test-programs ## Load a table from a small API server and show its rows
	python3 test/hosts/setup.py cli
	demo/demo.sh

bench: release ## Measure a load against DuckDB's own JSON reader
	python3 benchmark/run.py $(BENCH_FLAGS)

bench-peers: release ## Measure dlt on the same pages
	python3 benchmark/peers.py $(BENCH_FLAGS)

releases: ## Tell which DuckDB releases are new and what each takes; RELEASES="2.0.0 2.0.1" names some
	python3 extension_config/releases.py $(RELEASES)

clean: ## Remove what was built
	$(CARGO) clean
	rm -rf build

.PHONY: help configure debug release package check check-adapters check-format check-lints check-docs check-licences test-unit test-benchmark \
	test test-servers kill kill-tokens soak fuzz fuzz-coverage demo \
	bench bench-peers releases clean

include test/test.mk
