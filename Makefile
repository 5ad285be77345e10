# Everything runs from .venv, made from the lock file. Needs Python 3.11+ and make.
PYTHON ?= python3
ARGS ?=
BIN := .venv/bin

.PHONY: demo test venv lint types lint-imports docs check unit clean
demo: $(BIN)/.ready
	$(BIN)/secinbox demo $(ARGS)

venv: $(BIN)/.ready
$(BIN)/.ready: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

test: $(BIN)/.ready
	$(BIN)/ruff format --check src tests benchmarks examples scripts
	$(BIN)/ruff check src tests benchmarks examples scripts
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/make_docs.py --check
	$(BIN)/python -m pytest -n 2 --dist loadfile --cov --cov-report=term:skip-covered --cov-fail-under=80

docs: $(BIN)/.ready
	$(BIN)/python scripts/make_docs.py

clean:
	rm -rf .venv build dist
