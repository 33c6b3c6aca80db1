# `make` alone lists the targets. VENV and PYTHON may be set: make test VENV=/tmp/venv PYTHON=python3.12
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
# `auto` is one pytest worker a core; 0 runs the tests in one process.
WORKERS ?= auto
TESTS ?=

# Without compiled modules every command would start several times slower.
unexport PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
# A half-made environment must not pass for a whole one.
.DELETE_ON_ERROR:
.PHONY: help demo test test-all check bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

demo: $(VENV)/.base ## install gai into .venv and weigh the words of the US inaugural addresses
	$(BIN)/gai tfidf corpora/inaugural/*.txt --top 5

# Compiled first: the workers would each compile the same kernels.
test: $(VENV)/.test ## run the tests, without the slow ones; TESTS=tests/test_x.py for some of them
	$(BIN)/gai info --compile > $(VENV)/info
	$(BIN)/python -m pytest -n $(WORKERS) -m "not slow" $(TESTS)

test-all: $(VENV)/.test ## run all tests, the slow ones too
	$(BIN)/gai info --compile > $(VENV)/info
	$(BIN)/python -m pytest -n $(WORKERS) $(TESTS)

check: $(VENV)/.test ## lint, format and types: ruff and mypy --strict
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict src

bench: $(VENV)/.base ## compare speed and memory with other tools, side by side
	$(BIN)/python -m benchmarks

clean: ## remove the virtual environments and everything else that was made
	rm -rf .venv .venv-ci build dist corpora/build benchmarks/build
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests benchmarks -name __pycache__ -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "gai needs Python 3.11 or newer, and $(PYTHON) is: $$($(PYTHON) --version 2>&1)" >&2; \
	  echo "Name another one: make PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.test: pyproject.toml tests/constraints.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --editable '.[test]' --constraint tests/constraints.txt
	touch $(VENV)/.base $@
