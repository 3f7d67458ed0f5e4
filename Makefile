# make report     run the notebooks of SCENARIOS and write the reports; open reports/index.html
# make test       everything that must hold: lint, the tables, the tests, every notebook against its stored outputs
# make lab        open the notebooks in JupyterLab
# make notebooks  run every notebook and store its outputs in it
# make lint       ruff only
# make lock       renew requirements.lock after a change of dependencies (needs uv); UPGRADE=1 takes newer versions of all
# make clean      remove the environment and whatever was made
#
# Each target first makes its own environment in VENV from requirements.lock, whenever the lock or pyproject.toml changed.
# There is nothing to activate. Variables: PYTHON=python3.12  VENV=.venv  JOBS=2  SCENARIOS=data/scenarios/default.yaml  REPORTS=reports
VENV ?= .venv
JOBS ?= 2
SCENARIOS ?= data/scenarios/default.yaml
REPORTS ?= reports

BIN := $(VENV)/bin
PYTHONS := $(or $(PYTHON),python3 python3.11 python3.12 python3.13)
export UV_COMPILE_BYTECODE := 1
export PYTHONHASHSEED := 0
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH
# A notebook's kernel shows its figures only where no other backend is asked for.
unexport MPLBACKEND

# The stamp is written last, so an interrupted installation is redone. Its name holds the checksum of what the environment is made from, and
# it holds the Python that was asked for: asking for another one makes the environment again.
STAMP := $(VENV)/gigafleet-$(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
ifdef PYTHON
ifneq ($(PYTHON),$(shell cat $(STAMP) 2>/dev/null))
.PHONY: $(STAMP)
endif
endif

# Where a Python is that will do, or else which version it is. (A shim of pyenv runs only where its version is switched on.)
LOOK := import sys; print(sys.executable if (3, 11) <= sys.version_info[:2] <= (3, 13) else "is %d.%d" % sys.version_info[:2])

# Only an environment that was made here is ever removed.
define REMOVE
if [ -e $(VENV) ] && [ $(VENV) != .venv ] && [ ! -e $(VENV)/gigafleet ]; then \
	echo "VENV=$(VENV) exists and was not made here: name another folder, or remove it" >&2; exit 1; fi; rm -rf $(VENV)
endef

.PHONY: help report test lint notebooks lab lock clean
help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

$(STAMP):
	@look() { "$$1" -c '$(LOOK)' 2>/dev/null || PYENV_VERSION="$${1##*python}" "$$1" -c '$(LOOK)' 2>/dev/null; }; \
	for name in $(PYTHONS); do \
	  found=$$(look "$$name"); case "$$found" in /*) break ;; esac; \
	  first=$${first:-"$$name $${found:-does not run}"}; found=; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "Gigafleet needs Python 3.11, 3.12 or 3.13, and $$first: install one, or name it as in make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
	  exit 1; \
	fi; \
	with_uv() { \
	  uv venv -q --python "$$found" $(VENV) && touch $(VENV)/gigafleet && \
	  uv pip install -q --python $(BIN)/python --require-hashes --only-binary :all: -r requirements.lock && \
	  uv pip install -q --python $(BIN)/python --no-deps --no-build-isolation --no-index -e . ; \
	}; \
	with_pip() { \
	  "$$found" -m venv $(VENV) && touch $(VENV)/gigafleet && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock && \
	  $(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation --no-index -e . ; \
	}; \
	$(REMOVE); \
	echo "Installing the environment into $(VENV), once ..."; \
	if ! command -v uv >/dev/null 2>&1; then with_pip; \
	elif ! with_uv; then echo "uv could not; trying pip ..."; rm -rf $(VENV); with_pip; fi && \
	echo "$(PYTHON)" > $@

report: $(STAMP)
	@$(BIN)/gigafleet report $(SCENARIOS) --output $(REPORTS) --jobs $(JOBS)

test: $(STAMP) lint
	@$(BIN)/gigafleet check
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile
	@$(BIN)/python -m pytest -q -n $(JOBS) --dist loadfile --nbval --nbval-current-env --nbval-cell-timeout=120 --nbval-sanitize-with tests/nbval.cfg notebooks

lint: $(STAMP)
	@$(BIN)/ruff check -q lib tests benchmarks notebooks
	@$(BIN)/ruff format -q --check lib tests benchmarks notebooks

notebooks: $(STAMP)
	@$(BIN)/python -m gigafleet.report.refresh notebooks docs/overview.png

lab: $(STAMP)
	@$(BIN)/jupyter lab notebooks

# Uploads of the last week stay out: most bad ones are found by then.
lock:
	uv pip compile pyproject.toml --extra test --universal --python-version 3.11 --generate-hashes --no-annotate --no-header -q \
	  --exclude-newer "$$(python3 -c 'import datetime as d; print(d.date.today() - d.timedelta(7))')" $(if $(UPGRADE),--upgrade) -o requirements.lock

clean:
	@$(REMOVE)
	rm -rf reports dist .ruff_cache .hypothesis .pytest_cache
	find lib tests benchmarks notebooks -name __pycache__ -o -name .ipynb_checkpoints | xargs rm -rf
