# `make run` and `make test` need Python 3.11 or newer and make, nothing else.
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
RECENT := -c 'import sys; sys.exit(sys.version_info < (3, 11))'

.PHONY: help run test faults coverage check bench simulations clean python

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' $(MAKEFILE_LIST)

run: $(INSTALLED)  ## start the registry with demo data (PORT=8123, EMPTY=1)
	@exec $(BIN)/python manage.py serve_local

test: $(INSTALLED)  ## run the whole suite
	@$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile $(ARGS)

faults: $(INSTALLED)  ## the tests of what docs/reliability.md promises
	@$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile \
		$$($(BIN)/python -m tests.faults) $(ARGS)

coverage: $(INSTALLED)  ## every branch of the statistics, or fail
	@$(BIN)/python -m pytest tests/outcomes/stats --quiet \
		--numprocesses=auto --maxprocesses=4 --dist=loadfile \
		--cov=outcomes.stats --cov-branch --cov-fail-under=100 \
		--cov-report=term-missing:skip-covered $(ARGS)

check: $(INSTALLED)  ## ruff, mypy, import contracts, templates, migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m mypy .
	$(BIN)/lint-imports
	$(BIN)/djlint templates --lint --quiet
	$(BIN)/python manage.py makemigrations --check --dry-run

bench: $(INSTALLED)  ## print the benchmark table
	@$(BIN)/python -m tests.benchmarks $(ARGS)

simulations: $(INSTALLED)  ## type I error and coverage of the statistics, as Markdown
	@$(BIN)/python -m tests.simulations $(ARGS)

clean:  ## remove the virtual environment and caches; the records in var/ stay
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis .import_linter_cache .schemathesis .coverage htmlcov
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The first Python that is recent enough, unless PYTHON=… names one.
python:
	@for name in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
		if $$name $(RECENT) >/dev/null 2>&1; then exit 0; fi; \
	done; \
	echo "Myelon needs Python 3.11 or newer; $(or $(PYTHON),python3) is" \
		"$$($(or $(PYTHON),python3) --version 2>/dev/null || echo missing)." >&2; \
	echo "Install it, or name it: make run PYTHON=/path/to/python3.12" >&2; \
	exit 1

$(INSTALLED): pyproject.toml constraints.txt | python
	@echo "Installing into $(VENV) (once, a few minutes) …"
	@for name in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
		if $$name $(RECENT) >/dev/null 2>&1; then $$name -m venv $(VENV); exit; fi; \
	done
	@$(BIN)/python -m pip install --quiet --upgrade pip
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt ".[dev]"
	@touch $@
