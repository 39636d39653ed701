# Needs GNU make and Python 3.11 to 3.14 with its standard `venv` module. Another Python: make run PYTHON=python3.12
# Everything is installed into .venv from locked, hash-checked wheels; nothing is built but this package itself.

PYTHON  ?= python3
VENV    ?= .venv
UV      ?= uv
WORKERS ?= 2

EXPERIMENTS := experiments/h2.toml experiments/mixed_field_ising.toml
NOTEBOOKS    = $(wildcard notebooks/*.ipynb)

# A virtual environment belongs to one Python and to one place on disk; both are part of the stamps' names.
KEY := $(shell $(PYTHON) -c 'import os, sys, zlib; print("%08x" % zlib.crc32(repr((sys.version, sys.base_prefix, os.getcwd())).encode()))' 2>/dev/null)
EMPTY := $(VENV)/.empty-$(KEY)
RUN   := $(VENV)/.run-$(KEY)
TEST  := $(VENV)/.test-$(KEY)
BIN   := $(VENV)/bin
PIP   := $(BIN)/python -m pip --disable-pip-version-check install --quiet

unexport PYTHONPATH PYTHONHOME
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help run test everything slow lint notebooks lock clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: $(RUN)  ## install what is needed, then run the two example experiments
	@set -e; for experiment in $(EXPERIMENTS); do \
	    echo "gibbs-circuits run $$experiment"; $(BIN)/gibbs-circuits run $$experiment; done

# One thread per worker: more would only compete for the same cores. The tests come last, so that theirs is the last line.
test: lint notebooks  ## install the tools too, then every check: ruff, mypy, notebooks, tests
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS)

everything: $(TEST)  ## install all that is optional: the IBM client, notebooks, tools

slow: $(TEST)  ## the tests marked slow
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) -m slow

lint: $(TEST)  ## ruff and mypy only
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

notebooks: $(TEST)  ## execute the notebooks only
	$(if $(NOTEBOOKS),OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --nbmake --nbmake-timeout=600 $(NOTEBOOKS),@echo "no notebooks yet")

# Needs uv (https://docs.astral.sh/uv/). Keeps the present versions where it can; UPGRADE=1 takes the newest.
# One version for every Python (`fewest`), so that all of them compute the same numbers.
COMPILE = $(UV) pip compile pyproject.toml --group build --universal --python-version 3.11 --fork-strategy fewest \
    --only-binary :all: --generate-hashes --custom-compile-command "make lock" --quiet $(if $(UPGRADE),--upgrade)
lock:  ## resolve the dependencies anew and write both lock files (UPGRADE=1: newest versions)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv, but \`$(UV)\` was not found. Fix: pip install uv" >&2; exit 1; }
	$(COMPILE) --extra all --extra dev --output-file requirements-dev.lock
	$(COMPILE) --constraint requirements-dev.lock --output-file requirements.lock

clean:  ## remove the environment, caches and build products (results/ stays)
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# --- the environment -------------------------------------------------------------------------------------------------

define CHECK_PYTHON
import sys
found = "%d.%d" % sys.version_info[:2]
if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    sys.exit("Python must be 3.11 to 3.14, but `$(PYTHON)` is %s. Fix: make PYTHON=python3.12 (any of these that you have)" % found)
try:
    import ensurepip, venv
except ImportError:
    sys.exit("Python must have its venv module, but `$(PYTHON)` has none. Fix (Debian, Ubuntu): apt install python%s-venv" % found)
endef
export CHECK_PYTHON

# An empty environment, made afresh when Python, the place or a lock file changes: nothing stale stays behind.
$(EMPTY): requirements.lock requirements-dev.lock
	@$(PYTHON) -c '' 2>/dev/null || { echo "Python must be 3.11 to 3.14, but \`$(PYTHON)\` does not run. Fix: make PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c "$$CHECK_PYTHON"
	@rm -rf $(VENV)
	@$(PYTHON) -m venv $(VENV)
	@touch $@

# While an install runs, the stamp of the empty environment is out of the way: an interrupted one is started from scratch.
define INSTALL
	@mv $(EMPTY) $(VENV)/.busy
	@echo "Installing $(1) into $(VENV) (about a minute the first time)"
	@$(PIP) --require-hashes --only-binary :all: -r $(1)
	@$(PIP) --no-deps --no-build-isolation --no-index --editable .
	@mv $(VENV)/.busy $(EMPTY)
endef

$(RUN): $(EMPTY) pyproject.toml
	$(call INSTALL,requirements.lock)
	@touch $@

# The tools' lock holds everything in the other one, at the same versions.
$(TEST): $(EMPTY) pyproject.toml
	$(call INSTALL,requirements-dev.lock)
	@touch $(RUN) $@
