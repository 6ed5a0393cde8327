# The only way in: `make help` lists the targets. Needs python3.11 or newer, git and make, nothing else.
PYTHON ?= python3
BIN := .venv/bin
# One stamp an interpreter: another PYTHON makes another environment, and none is taken for the other.
STAMP := .venv/.installed-$(subst /,_,$(PYTHON))
# One more than the cores that CI has: tests wait for disks and servers, too.
WORKERS ?= 3
CODE := $(wildcard src tests benchmarks hatch_build.py)
UV_VERSION := 0.13.8
# Where it is set, each of the hundreds of programs that tests start compiles Headway anew.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help install pages vsix browser demo static test torture check bench contract lock clean

help:  ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

install: $(STAMP)  ## Make .venv with everything, from the hashed lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Headway needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)." >&2; \
		echo "Name another one: make install PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' cannot make virtual environments: install its venv package (python3-venv on Debian)." >&2; exit 1; }
	@test "$$($(BIN)/python -c 'import sys; print(sys.version)' 2>&1)" = "$$($(PYTHON) -c 'import sys; print(sys.version)')" || { \
		rm -rf .venv && $(PYTHON) -m venv .venv; }
	@rm -f .venv/.installed-*
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

pages: install  ## Build the web pages, if their sources have changed
	@$(BIN)/python hatch_build.py

vsix: install  ## Build the extension for Visual Studio Code and pack it, into web/vscode/dist
	@$(BIN)/python hatch_build.py --vsix

browser:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null; } || \
		echo "There is no Chromium, and it cannot be installed: tests in a browser are skipped." >&2

demo: install pages  ## Start Headway on a throw-away database, with a course and learners
	$(BIN)/headway demo

static: install
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy $(CODE)
	$(BIN)/lint-imports --no-cache
	$(BIN)/python hatch_build.py --check

check: static  ## Format, lint, types, import contracts and the fast tests
	$(BIN)/pytest -q $(wildcard tests/domain tests/house)

test: static pages browser  ## The same, with every test
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

torture: install pages  ## Kill programs, in Python and in Node, 500 times each at every step of keeping, sending and acknowledging
	CLIENT_KILLS=500 $(BIN)/pytest -q -rP tests/torture/test_client_killed.py
	EDITOR_KILLS=500 $(BIN)/pytest -q -rP tests/editor/test_killed.py

bench: install  ## Measure against the usual design, HTTP that stores nothing, large courses against small ones, reads and exports against their limits
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.demo
	$(BIN)/python -m benchmarks.added
	$(BIN)/python -m benchmarks.publishing
	$(BIN)/python -m benchmarks.report
	$(BIN)/python -m benchmarks.reads
	$(BIN)/python -m benchmarks.export

contract: install  ## Write contract/openapi.json anew from the routes
	$(BIN)/python -m headway.http.document > contract/openapi.json.new && mv contract/openapi.json.new contract/openapi.json

lock:  ## Work out requirements.lock anew from pyproject.toml
	$(PYTHON) -m venv .venv-lock && .venv-lock/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	.venv-lock/bin/uv pip compile --quiet --universal --generate-hashes --no-header --all-extras --group dev \
		--upgrade --output-file requirements.lock pyproject.toml

clean:  ## Remove what the other targets made
	rm -rf .venv .venv-lock .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache dist build screenshots \
		tests/provider/node_modules tests/verifier/node_modules web/node_modules web/vscode/dist src/headway/http/built
