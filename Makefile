# `make run` and `make test` each do all of their own set-up. Python 3.11 to 3.14 and make are enough.

PORT ?= 8501
ADDRESS ?= localhost
# How many tests run side by side; each keeps to one thread of torch.
TEST_WORKERS ?= logical

VENV := .venv
BIN := $(VENV)/bin
CODE := engine playground pages

# A stamp carries the checksum of what was installed: nothing is installed again until that changes.
checksum = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
INSTALLED := $(VENV)/.installed-$(call checksum,requirements.txt)
INSTALLED_DEV := $(VENV)/.installed-dev-$(call checksum,requirements.txt requirements-dev.txt)
# Only a quarter of the libraries' modules is ever imported. Those are compiled on first import, and kept whatever the
# environment says, because the tests start many processes.
PIP := $(BIN)/python -m pip --disable-pip-version-check
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test lint form types unit browser chromium format bench screenshot starters clean

help:
	@echo 'make run       install, then open the app (PORT=$(PORT) ADDRESS=$(ADDRESS))'
	@echo 'make test      install, then format check, lint, types, all tests, the browser tests too'
	@echo 'make lint      format check, lint and types alone'
	@echo 'make format    put the code in form'
	@echo 'make bench     measure: training and writing speed, then the benchmarks in the browser'
	@echo "make screenshot  take the README's pictures"
	@echo 'make starters  train the starter runs that ship with the repository'
	@echo 'make clean     remove the environment and every cache'

run: $(INSTALLED)
	exec $(BIN)/streamlit run playground/app.py --server.port $(PORT) --server.address $(ADDRESS)

# The budget: 8 minutes on 2 cores, in a fresh clone with its installation. A page that comes later may add 30 seconds.
# In order, also under `make -j`: each line is a make of its own. Types are checked beside the unit tests, which often
# wait for processes of theirs; what was found is printed after them.
test: $(INSTALLED_DEV)
	@$(MAKE) --no-print-directory chromium
	@$(MAKE) --no-print-directory form
	@$(MAKE) --no-print-directory types > $(VENV)/types.log 2>&1 & checking=$$!; \
	  $(MAKE) --no-print-directory unit; tested=$$?; \
	  wait $$checking; checked=$$?; cat $(VENV)/types.log; exit $$((tested | checked))
	@$(MAKE) --no-print-directory browser

lint: form types

form: $(INSTALLED_DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/oxlint --deny-warnings playground/components/browser

types: $(INSTALLED_DEV)
	$(BIN)/mypy $(CODE)

unit: $(INSTALLED_DEV)
	$(BIN)/pytest --ignore tests/browser --ignore tests/benchmarks -n $(TEST_WORKERS) --maxprocesses 4 \
	  --dist worksteal -q

browser: chromium
	$(BIN)/pytest -m browser tests/browser -n 2 --dist worksteal -q --tb=short

chromium: $(INSTALLED_DEV)
	@$(BIN)/python tests/browser/chromium.py

format: $(INSTALLED_DEV)
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: chromium
	$(BIN)/python -m engine bench training
	$(BIN)/python -m engine bench trace
	PYTHONPATH=. $(BIN)/python tests/benchmarks/writing.py
	for name in saving click_to_text click_to_loss repaints viewers overhead runs_page unrolled heatmaps gates; do \
	  PYTHONPATH=.:tests/browser $(BIN)/python tests/benchmarks/$$name.py || exit 1; \
	done

screenshot: chromium
	PYTHONPATH=. $(BIN)/python tests/browser/screenshot.py

starters: $(INSTALLED)
	$(BIN)/python -m playground.runs.starters make

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis build dist *.egg-info
	find $(CODE) tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): $(BIN)/python
	$(PIP) install --no-compile -r requirements.txt
	@rm -f $(VENV)/.installed-*
	@touch $@

$(INSTALLED_DEV): $(BIN)/python
	$(PIP) install --no-compile -r requirements.txt -r requirements-dev.txt
	@rm -f $(VENV)/.installed-*
	@touch $(INSTALLED) $@

# PYTHON=/path/to/python chooses the interpreter; otherwise the first that fits.
$(BIN)/python:
	@for candidate in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do \
	  if "$$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' 2>/dev/null; then \
	    found="$$candidate"; break; \
	  fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'No Python 3.11 to 3.14 was found$(if $(PYTHON), at $(PYTHON)). Install one, or name it: make PYTHON=/path/to/python3.11' >&2; \
	  exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$found cannot make virtual environments. On Debian and Ubuntu: sudo apt install python3-venv" >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" --version)"; \
	"$$found" -m venv --clear $(VENV)
