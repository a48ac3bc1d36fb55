# make demo: environment in .venv, the embedded sweep fitted, reports/tiny_sweep/ written.
# make test: environment in .venv, linters, types and the test suite.
# make docs: the site in build/site, with tools of its own in .venv-docs; make docs-code: the code of every page run.
VENV := .venv
BIN := $(VENV)/bin
PYTHON_CHECK := import sys; sys.exit(sys.version_info < (3, 12))
# A pyenv shim can exist and still not run, so each candidate is tried, not looked up.
FIND_PYTHON = for p in python3.12 python3.13 python3.14 python3; do \
	if "$$p" -c '$(PYTHON_CHECK)' >/dev/null 2>&1; then echo "$$p"; break; fi; done

.PHONY: demo test lint slow docs docs-code calibrate bench lock clean

demo: $(VENV)/ready
	$(BIN)/bitlaw demo --out reports/tiny_sweep

test: lint
	$(BIN)/python -m pytest

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

slow: $(VENV)/ready
	$(BIN)/python -m pytest -m slow

docs: $(VENV)-docs/ready
	NO_MKDOCS_2_WARNING=1 $(VENV)-docs/bin/mkdocs build --strict --quiet

docs-code: $(VENV)/ready
	$(BIN)/python -m pytest -m "slow or not slow" tests/docs

calibrate: $(VENV)/ready
	$(BIN)/python benchmarks/calibration.py --tables 200 --out benchmarks/results

bench: $(VENV)/ready
	$(BIN)/python benchmarks/speed.py --out benchmarks/results
	$(BIN)/python benchmarks/explorer.py --out benchmarks/results

$(VENV)/ready: pyproject.toml requirements.lock
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then \
		echo "bitlaw needs Python 3.12 or newer, and none of python3.12, python3.13, python3.14, python3 is one."; \
		echo "Install it (Debian: apt install python3.12 python3.12-venv; macOS: brew install python@3.12; pyenv install 3.12) and run make again."; \
		exit 1; \
	fi; \
	"$$python" -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@

$(VENV)-docs/ready: requirements-docs.lock $(VENV)/ready
	$(BIN)/python -m venv $(VENV)-docs
	$(VENV)-docs/bin/python -m pip install --quiet --requirement requirements-docs.lock
	@touch $@

# Exact versions of what .venv and .venv-docs hold now; run after changing dependencies.
lock: $(VENV)-docs/ready
	$(BIN)/python -m pip freeze --exclude-editable --exclude bitlaw > requirements.lock
	$(VENV)-docs/bin/python -m pip freeze > requirements-docs.lock

clean:
	rm -rf $(VENV) $(VENV)-docs build dist .pytest_cache .mypy_cache .ruff_cache
