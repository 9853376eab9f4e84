# The tests of the built extension in real hosts, for the Makefile to include. By itself: make -f test/test.mk test-sql
# EXTENSION is the built extension. What is made here stands below build/ and in cargo's target folder.

CARGO ?= cargo
TEST_ROOT := $(abspath $(dir $(lastword $(MAKEFILE_LIST)))..)
EXTENSION ?= $(TEST_ROOT)/build/debug/unify.duckdb_extension
TEST_PROGRAMS := $(abspath $(or $(CARGO_TARGET_DIR),$(TEST_ROOT)/target))/debug
# The files or folders that test-sql runs, such as test/sql/load.test.
FILES ?= $(TEST_ROOT)/test/sql
# More flags for pytest, such as -k cli.
PYTEST_FLAGS ?=
# How many host tests run side by side, the tests of a file one after the other; 0: in pytest's own process, as a debugger wants it.
WORKERS ?= 2
# The kill harness: how many loads on each DuckDB line. SEED and CASE repeat what failed, RELEASE takes one line, QUIRKS (expire,drift,
# keys,settings,arrivals,hidden or none) says what sources are like instead of chance.
KILLS ?= 200
# The soak: how long. SEED chooses what happens.
MINUTES ?= 60

# The folder with the vendors' descriptions of their APIs, for check-adapters; ADAPTERS names some, whose lists without a table are printed, too.
DESCRIPTIONS ?= $(TEST_ROOT)/../shared/openapi
ADAPTERS ?=

.PHONY: configure-hosts test-programs test-sql test-hosts test-servers-only test-kill test-kill-tokens test-soak test-descriptions

# The environment and the Python that test programs run with.
HOSTS_PYTHON := UNIFY_EXTENSION=$(abspath $(EXTENSION)) UNIFY_TESTAPI=$(TEST_PROGRAMS)/testapi PYTHONDONTWRITEBYTECODE=1 \
	$(TEST_ROOT)/build/hosts/pytest/bin/python

# The hosts (Python, CLI, Node) and the servers of the tests, each in a folder of its own below build/.
configure-hosts:
	python3 $(TEST_ROOT)/test/hosts/setup.py

test-programs:
	$(CARGO) build $(CARGO_FLAGS) --quiet --manifest-path $(TEST_ROOT)/Cargo.toml --package testapi --package slt

test-sql: configure-hosts test-programs
	$(TEST_PROGRAMS)/slt --extension $(EXTENSION) $$(python3 $(TEST_ROOT)/test/hosts/setup.py --pythons) $(FILES)

# The last line of -qq is the conftest's own: pytest's is left out, so that tests are counted once.
test-hosts: configure-hosts test-programs
	$(HOSTS_PYTHON) -m pytest -qq -p no:cacheprovider -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m 'not slow_server' $(PYTEST_FLAGS) $(TEST_ROOT)/test/hosts

# All real servers, those that take long to install or to start among them.
test-servers-only: configure-hosts test-programs
	python3 $(TEST_ROOT)/test/hosts/setup.py --slow
	$(HOSTS_PYTHON) -m pytest -qq -p no:cacheprovider -n $(WORKERS) --dist loadfile $(PYTEST_FLAGS) $(TEST_ROOT)/test/hosts/test_server*.py

test-kill: configure-hosts test-programs
	$(HOSTS_PYTHON) $(TEST_ROOT)/test/hosts/kill.py --kills $(KILLS) $(if $(SEED),--seed $(SEED)) $(if $(CASE),--case $(CASE)) \
	$(if $(RELEASE),--release $(RELEASE)) $(if $(QUIRKS),--quirks $(QUIRKS))

# Processes that are killed while they renew a refresh token that the server takes once.
test-kill-tokens: configure-hosts test-programs
	UNIFY_TOKEN_KILLS=$(KILLS) $(HOSTS_PYTHON) -m pytest -qq -s -p no:cacheprovider $(TEST_ROOT)/test/hosts/test_oauth.py -k survives_kills

test-soak: configure-hosts test-programs
	$(HOSTS_PYTHON) $(TEST_ROOT)/test/hosts/soak.py --minutes $(MINUTES) $(if $(SEED),--seed $(SEED)) $(if $(QUIRKS),--quirks $(QUIRKS))
	UNIFY_THREADS_SECONDS=60 $(if $(SEED),UNIFY_THREADS_SEED=$(SEED)) $(HOSTS_PYTHON) -m pytest -qq -p no:cacheprovider \
	$(TEST_ROOT)/test/hosts/test_threads.py

test-descriptions: configure-hosts
	$(HOSTS_PYTHON) $(TEST_ROOT)/test/hosts/check_adapters.py $(DESCRIPTIONS) $(ADAPTERS)
