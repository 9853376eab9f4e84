# The tests of the built extension in real hosts, for the Makefile to include. By itself: make -f test/test.mk test-sql
# EXTENSION is the built extension. What is made here stands below build/ and in cargo's target folder.

CARGO ?= cargo
TEST_ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
EXTENSION ?= $(TEST_ROOT)/build/debug/unify.duckdb_extension
TEST_PROGRAMS := $(abspath $(or $(CARGO_TARGET_DIR),$(TEST_ROOT)/target))/debug
# More flags for pytest, such as -k cli.
PYTEST_FLAGS ?=
# The kill harness: how many loads on each DuckDB line. SEED and CASE repeat what failed, RELEASE takes one line.
KILLS ?= 200
# The soak: how long. SEED chooses what happens.
MINUTES ?= 60

.PHONY: configure-hosts test-programs test-sql test-hosts test-kill test-soak

# The environment and the Python that test programs run with.
HOSTS_PYTHON := UNIFY_EXTENSION=$(abspath $(EXTENSION)) UNIFY_TESTAPI=$(TEST_PROGRAMS)/testapi PYTHONDONTWRITEBYTECODE=1 \
	$(TEST_ROOT)/build/hosts/pytest/bin/python

# The hosts (Python, CLI, Node) and the servers of the tests, each in a folder of its own below build/.
configure-hosts:
	python3 $(TEST_ROOT)/test/hosts/setup.py

test-programs:
	$(CARGO) build $(CARGO_FLAGS) --quiet --manifest-path $(TEST_ROOT)/Cargo.toml --package testapi --package slt

test-sql: configure-hosts test-programs
	$(TEST_PROGRAMS)/slt --extension $(EXTENSION) $$(python3 $(TEST_ROOT)/test/hosts/setup.py --pythons) $(TEST_ROOT)/test/sql

# The last line of -qq is the conftest's own: pytest's is left out, so that tests are counted once.
test-hosts: configure-hosts test-programs
	$(HOSTS_PYTHON) -m pytest -qq -p no:cacheprovider $(PYTEST_FLAGS) $(TEST_ROOT)/test/hosts

test-kill: configure-hosts test-programs
	$(HOSTS_PYTHON) $(TEST_ROOT)/test/hosts/kill.py --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(if $(CASE),--case $(CASE)) \
	$(if $(RELEASE),--release $(RELEASE))

test-soak: configure-hosts test-programs
	$(HOSTS_PYTHON) $(TEST_ROOT)/test/hosts/soak.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))
