# make demo, make test: everything else follows from these. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules

PYTHON ?= python3
# Tests run in so many processes, each with servers of its own: more of them wait than compute.
WORKERS ?= 3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/stamp
PIP    := $(BIN)/python -m pip --disable-pip-version-check --no-input --quiet install

# What an installed Kinebox is made of: a change here installs it again.
UI := $(shell find edge/web/ui -type d -name node_modules -prune -o -type f -print 2>/dev/null)

.PHONY: help setup demo test lint bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' Makefile

setup: $(STAMP)/kinebox ## install everything, build the dashboard and the pose models
	@$(BIN)/kinebox models verify >/dev/null 2>&1 || $(BIN)/kinebox models build

demo: setup ## watch a recorded exercise in the dashboard, no camera needed
	@$(BIN)/kinebox demo

test: setup $(STAMP)/cloud $(STAMP)/test $(STAMP)/ansible ## run every test
	@scripts/install-test-tools
	@$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: $(STAMP)/run $(STAMP)/cloud $(STAMP)/lint ## style, types and the direction of imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

bench: setup ## measure the pipeline against MediaPipe on this machine
	@$(BIN)/kinebox bench --peers

lock: ## pin the newest compatible dependencies (needs uv)
	@scripts/lock --upgrade

clean: ## remove everything that was built here
	rm -rf $(VENV) edge/web/static cloud/api/pages/static/vendor edge/web/ui/node_modules dist .cache
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP)/venv:
	@scripts/make-venv "$(PYTHON)" $(VENV)
	@mkdir -p $(STAMP) && touch $@

$(STAMP)/run: requirements/run.txt requirements/build.txt | $(STAMP)/venv
	@echo "Installing what Kinebox runs on"
	@$(PIP) --require-hashes -r requirements/run.txt -r requirements/build.txt
	@touch $@

$(STAMP)/kinebox: pyproject.toml $(wildcard hatch_build.py) $(UI) $(STAMP)/run
	@echo "Installing Kinebox and building its dashboard"
	@$(PIP) --no-build-isolation --no-deps -e .
	@touch $@

$(STAMP)/cloud $(STAMP)/test $(STAMP)/lint $(STAMP)/ansible: $(STAMP)/%: requirements/%.txt $(STAMP)/run
	@echo "Installing what make $* needs"
	@$(PIP) --require-hashes -r requirements/$*.txt
	@touch $@
