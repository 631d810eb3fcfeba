# Every target sets up what it needs; `make help` lists them.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
  $$p -c '$(NEW_ENOUGH)' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UNIT := -n auto --dist worksteal -m "not cluster and not browser and not slow"
HUB5 := $(VENV)/hub5
HUB5_READY := $(HUB5)/.ready
OF_THE_HUB := $(addprefix tests/core/,checking commands trying hub profiles servers) tests/hub
ON_HUB5 := MCKS_TEST_HUB=hub5 $(HUB5)/bin/python -m pytest
PURELIB := import sysconfig; print(sysconfig.get_path("purelib"))

.PHONY: help demo test unit coverage cluster-tests hub5 lint format docs bench bench-scale referees oldest install down clean

help: ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' Makefile | expand -t 16

demo: $(READY) ## a hub, two real local clusters, a notebook in the browser
	@$(BIN)/python -m tests.demo

test: coverage cluster-tests hub5 ## all tests

# What Python has compiled is kept, the tests' rewritten asserts too: they took a tenth of the time.
unit coverage: export PYTHONDONTWRITEBYTECODE :=

unit: $(READY) ## tests without clusters, under a minute
	$(BIN)/python -m pytest $(UNIT)

coverage: $(READY) ## the same, and what they do not run of mcks; fails below the bar
	@$(BIN)/coverage erase
	$(BIN)/python -m coverage run -m pytest $(UNIT)
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

cluster-tests: $(READY) ## tests on real clusters, with a real hub, proxy and browser
	-@$(BIN)/python -m tests.cluster install
	$(BIN)/python -m pytest -n auto --dist worksteal -m "slow and not cluster and not browser"
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "(cluster or browser) and not alone"
	$(BIN)/python -m pytest -m alone
	$(BIN)/python -m tests.cluster leftovers

hub5: $(HUB5_READY) ## the tests in which a hub runs, with the newest JupyterHub 5
	-@$(BIN)/python -m tests.cluster install
	$(ON_HUB5) -n auto --dist worksteal -m "not cluster and not browser" $(OF_THE_HUB)
	$(ON_HUB5) -n 3 --dist loadfile --no-loadscope-reorder \
	  -m "(cluster or browser) and not alone and not slow" tests/hub tests/browser
	$(ON_HUB5) tests/browser/test_browser.py --deselect \
	  tests/browser/test_browser.py::test_every_server_can_be_chosen_without_a_mouse

lint: $(READY) docs ## style, types, layers, documentation
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY) ## the documentation, in docs/_build/html
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html

bench: $(READY) ## measure, side by side with the peers
	$(BIN)/python -m tests.bench

bench-scale: $(READY) ## measure a hub with up to 10,000 servers in 50 clusters; takes long
	$(BIN)/python -m tests.bench.bench_scale

referees: $(READY) ## let the clouds' own client libraries judge the clouds that the tests play
	@test -x $(VENV)/referees/bin/python || $(BIN)/python -m venv $(VENV)/referees
	@$(VENV)/referees/bin/python -m pip install --quiet -r tests/referees/requirements.txt
	@$(VENV)/referees/bin/python -m tests.referees

oldest: $(READY) ## the tests with the oldest releases of what mcks depends on
	@$(BIN)/python -m tests.oldest

install: $(READY) ## everything that demo and test need
	$(BIN)/python -m tests.cluster install

down: $(READY) ## take away what a killed demo or test run left
	$(BIN)/python -m tests.cluster down

$(READY): requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(NEW_ENOUGH)' || \
	  { echo "mcks needs Python 3.11 or newer; run make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "Setting up $(VENV) (the first time: about a minute) ..."
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(READY)

# JupyterHub 5 with all else as it is: its packages come before those of $(VENV).
$(HUB5_READY): requirements/hub5.txt $(READY)
	@echo "Setting up $(HUB5) ..."
	@rm -rf $(HUB5)
	@$(BIN)/python -m venv $(HUB5)
	@$(HUB5)/bin/python -m pip install --quiet --require-hashes --no-deps -r requirements/hub5.txt
	@echo "import site; site.addsitedir('$$($(BIN)/python -c '$(PURELIB)')')" \
	  > "$$($(HUB5)/bin/python -c '$(PURELIB)')/all_else.pth"
	@touch $(HUB5_READY)

clean: ## remove what the targets made in this directory
	rm -rf $(VENV) docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis
