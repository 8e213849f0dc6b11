# make demo and make test do all set-up themselves; only Python 3.11 or newer with venv is expected.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow test-browser check format bench picture clean

demo: .venv/.core
	$(BIN)/dlplugin demo --out demo

test: .venv/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-slow: .venv/.dev
	$(BIN)/python -m pytest -n 2 --dist worksteal -m slow

test-browser: .venv/.browser
	$(BIN)/python -m pytest -m browser

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.dev
	$(BIN)/python benchmarks/run.py

# docs/report.png: the top of the demo's report in the system's chromium
picture: .venv/.browser
	$(BIN)/dlplugin demo --out demo
	$(BIN)/python tests/browser/picture.py demo/report.html docs/report.png

clean:
	rm -rf .venv demo dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "dlplugin needs Python 3.11 or newer; install it, or name it: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "Python's venv is missing; install it (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/.core: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

.venv/.dev: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ .venv/.core

.venv/.browser: .venv/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,browser]'
	@touch $@
