# make report   the reports, in reports/index.html
# make test     everything that must hold
# Each target makes its own .venv from requirements.lock the first time and whenever the lock changes. Nothing needs activating.
PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
SCENARIOS ?= data/scenarios/default.yaml
REPORTS ?= reports

BIN := $(VENV)/bin
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
export PYTHONHASHSEED := 0
export MPLBACKEND := agg

# The stamp's name holds the checksum of what the environment is made from, so a changed lock makes a new environment.
SUM := $(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
STAMP := $(VENV)/stamp-$(SUM)

.PHONY: help report test lint notebooks lab lock clean
help:
	@grep -E '^# make' Makefile | cut -c3-; echo "also: lint, notebooks, lab, lock, clean"

$(STAMP):
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else f"Gigafleet needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is {v[0]}.{v[1]}: try make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@rm -rf $(VENV)
	@echo "Installing the environment into $(VENV) ..."
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv -q --python "$$(command -v $(PYTHON))" $(VENV) && \
	  uv pip install -q --python $(BIN)/python --require-hashes --only-binary :all: -r requirements.lock && \
	  uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation --no-index -e . ; \
	else \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -e . ; \
	fi
	@touch $@

report: $(STAMP)
	@$(BIN)/gigafleet report $(SCENARIOS) --output $(REPORTS) --jobs $(JOBS)

test: $(STAMP) lint
	@$(BIN)/gigafleet check
	@$(BIN)/python -m pytest -q
	@$(BIN)/python -m pytest -q --nbval --nbval-current-env --nbval-cell-timeout=120 --nbval-sanitize-with tests/nbval.cfg -W default notebooks

lint: $(STAMP)
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .

notebooks: $(STAMP)
	@$(BIN)/python -m gigafleet.report.refresh notebooks

lab: $(STAMP)
	@$(BIN)/jupyter lab notebooks

# Needs uv. A week's cool-down keeps the newest uploads out.
lock:
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --exclude-newer "$$($(PYTHON) -c 'import datetime as d; print(d.date.today() - d.timedelta(7))')" -q -U -o requirements.lock

clean:
	rm -rf $(VENV) $(REPORTS) dist .ruff_cache .hypothesis
