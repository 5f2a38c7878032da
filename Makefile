# What a developer types. Each target first makes sure that the machine is set up; that is quick when it is.
SHELL := bash
BIN := .venv/bin
# What is compiled is kept: each worker of the tests would compile all of it again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo up served check test simulate kills openapi fuzz acceptance nova bench docs clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup:  ## install what is missing on this machine, by apt and uv
	@tools/setup

demo: setup  ## twenty ports in one call, on three hosts; leases and pings (needs root)
	@$(BIN)/alcor lab demo

up: setup  ## run a control plane here
	@$(BIN)/alcor up

served: setup  ## run a region of many processes here, on PostgreSQL and NATS (NATS=3: a cluster of three servers)
	@$(BIN)/python tools/served.py --nats-servers $(or $(NATS),1)

check: setup  ## format, lint, types, import rules, unit tests and scenarios
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	@types=$$(mktemp); $(BIN)/mypy >$$types 2>&1 & mypy=$$!; \
	$(BIN)/pytest -q -n 2 $(wildcard tests/unit tests/scenarios tests/architecture); tests=$$?; \
	wait $$mypy; checked=$$?; cat $$types; rm $$types; exit $$((tests | checked))

test: setup  ## every test, on real Open vSwitch too, and their total (needs root)
	@tools/test

kills: setup  ## kill N of a region's processes under load, at moments that SEED chooses (N=300 SEED=1)
	@$(BIN)/pytest -q -s -n 0 tests/api/served/test_kills.py --kills $(or $(N),300) --seed $(or $(SEED),1)

acceptance: setup  ## others' tests with a real Keystone (SUITE=tempest, gophercloud, provider, terraform; REGEX, SHAPE=served)
	@$(BIN)/python -m acceptance $(if $(SUITE),--suite $(SUITE)) $(if $(SHAPE),--shape $(SHAPE)) $(if $(REGEX),'$(REGEX)')

nova: setup  ## a real Nova on two hosts: every step of a server's life, or those that REGEX names; SHAPE=served (needs root, MariaDB, RabbitMQ)
	@$(BIN)/python -m acceptance.nova $(if $(SHAPE),--shape $(SHAPE)) $(if $(REGEX),'$(REGEX)')

openapi: setup  ## ask a hundred thousand requests that the OpenAPI document allows (EXAMPLES=320 an operation)
	@$(BIN)/pytest -q -s -n 0 tests/api/requests/test_openapi.py --examples $(or $(EXAMPLES),320)

fuzz: setup  ## fuzz the parsers, ten minutes each; what is found is kept (MINUTES=10 ENTRIES="dns tcp")
	@$(BIN)/python -m fuzz --minutes $(or $(MINUTES),10) $(ENTRIES)

simulate: setup  ## live through a region with seeded faults, in virtual time (SEEDS=200, or SEED=17 for one)
	@$(BIN)/python -m alcor.simulation $(if $(SEED),--seed $(SEED) --trace,--seeds $(or $(SEEDS),200))

bench: setup  ## how fast, each figure beside its floor
	@$(BIN)/python -m bench

docs: setup  ## write the generated pages again
	@$(BIN)/python tools/generate_docs.py
	@$(BIN)/python tools/import_map.py

clean:  ## remove what was built and installed here, and labs left by a crash
	@if [ -x $(BIN)/alcor ]; then $(BIN)/alcor lab down --all; fi
	rm -rf .venv .tools .acceptance .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
