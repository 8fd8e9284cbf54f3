# `make demo` and `make test` do all the set-up on a machine with Python 3.11, make and git.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

.PHONY: demo test test-engines check format pictures tables bench crash fuzz clean help

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.examples: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) torch==2.13.0
	$(PIP) --editable '.[examples]'
	touch $@

$(VENV)/.dev: $(VENV)/.examples
	$(PIP) --editable '.[dev,examples]'
	touch $@

# Amundsen's databuilder wants old versions of pandas and NumPy for what no test uses, so it lies apart.
$(VENV)/.amundsen: constraints.txt | $(BIN)/python
	$(PIP) --no-deps --upgrade --target $(VENV)/amundsen amundsen-databuilder amundsen-common amundsen-rds pyhocon pyparsing sqlalchemy
	touch $@

demo: $(VENV)/.examples  ## set up, and run example_notebooks/digits.ipynb
	$(BIN)/nb2pipe run example_notebooks/digits.ipynb

# These run notebooks in their own process, which leaves its marks there: they share it with no other test.
IN_PROCESS := tests/meaning/test_flow_values.py tests/meaning/test_fuzz.py

test: $(VENV)/.dev $(VENV)/.amundsen  ## set up, and pass the tests
	$(BIN)/python -m pytest -n 2 $(IN_PROCESS:%=--ignore=%) --ignore=tests/engines
	$(BIN)/python -m pytest -n 2 $(IN_PROCESS)

# The tests make an environment for each engine, outside of the checkout; what they need of Debian stands in apt.txt.
test-engines: $(VENV)/.dev  ## set up the engines, and pass the tests of what is emitted for them
	$(BIN)/python tests/engines/debian.py
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/engines

N ?= 2000

fuzz: $(VENV)/.dev  ## try 2000 generated notebooks, or N=..., straight and as pipelines
	$(BIN)/python tests/meaning/fuzz.py -n $(N)

check: $(VENV)/.dev  ## lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.dev  ## format the code, and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pictures: $(VENV)/.examples  ## make the pictures of the README from the program itself
	$(BIN)/python docs/pictures.py

tables: $(VENV)/.examples  ## make the tables of the README on targets
	$(BIN)/python docs/tables.py

bench: $(VENV)/.examples  ## start-up, growth, conversion, runs, and what recording costs, timed in turns
	$(BIN)/python benchmarks/start.py
	$(BIN)/python benchmarks/convert.py
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/recording.py

N ?= 200
FIRST ?= 1
crash: $(VENV)/.dev  ## kill runs at N random moments; FIRST=... is the first trial, and repeats one
	$(BIN)/python tests/crash/kills.py $(N) $(FIRST)
	$(BIN)/python tests/crash/trainings.py $(N) $(FIRST)

clean:  ## remove what make made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
