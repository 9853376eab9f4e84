# The tests of the built extension in real hosts. Called as: make -f test/test.mk configure-hosts | test-sql | test-hosts
# EXTENSION is the built extension; everything made here is below build/ and cargo's target folder.

ROOT := $(patsubst %/,%,$(dir $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))))
EXTENSION ?= $(ROOT)/build/debug/unify.duckdb_extension
TARGET := $(or $(CARGO_TARGET_DIR),$(ROOT)/target)/debug
PYTHONS := $(shell python3 -c 'import json; print(*("py" + release.replace(".", "") for release in json.load(open("$(ROOT)/extension_config/releases.json"))["tested"]["python"]))')

.PHONY: configure-hosts test-programs test-sql test-hosts

# The hosts (Python, CLI, Node) and the servers of the tests, each in a folder of its own.
configure-hosts:
	python3 $(ROOT)/test/hosts/setup.py

test-programs:
	cd $(ROOT) && cargo build --quiet -p testapi -p slt

test-sql: configure-hosts test-programs
	$(TARGET)/slt --extension $(EXTENSION) $(foreach python,$(PYTHONS),--python $(ROOT)/build/hosts/$(python)/bin/python) $(ROOT)/test/sql

test-hosts: configure-hosts test-programs
	UNIFY_EXTENSION=$(EXTENSION) UNIFY_TESTAPI=$(TARGET)/testapi \
	$(ROOT)/build/hosts/pytest/bin/python -m pytest -q -p no:cacheprovider $(ROOT)/test/hosts
