# Forge. Every target does all the set-up it needs; a second call installs nothing.
PYTHON  ?= python3
WORKERS ?= 2
BIN     := .venv/bin
SETUP   := @$(PYTHON) -m tools.setup

help:            ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 22

setup:           ## .venv with Forge in it (EXTRAS="gui models" for more)
	$(SETUP) $(EXTRAS)

demo:            ## set up and run the whole road on the sample corpus, from articles to a trained model
	$(SETUP) models $(EXTRAS)
	@$(BIN)/forge demo

up:              ## database, Dagster UI and daemon on loopback, until Ctrl-C
	$(SETUP) $(EXTRAS)
	@$(BIN)/forge up

test:            ## set up and run the tests (WORKERS=2 processes; ARGS for pytest)
	$(SETUP) test fast
	@tools/debian.sh
	$(BIN)/python -m pytest -m "not trial and not faults" -n $(WORKERS) --dist loadfile --no-loadscope-reorder --durations=15 $(ARGS)

trials:          ## the long sweeps
	$(SETUP) test fast
	@tools/debian.sh
	$(BIN)/python -m pytest -m trial --timeout=0 --durations=15 $(ARGS)

faults:          ## a thousand kills and other disasters; every one must end as a clean run does
	$(SETUP) test fast
	@tools/debian.sh
	$(BIN)/python -m pytest tests/faults --timeout=0 --durations=15 $(ARGS)

lint:            ## ruff, mypy --strict, import contracts
	$(SETUP) test fast
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench:           ## side-by-side measurements; each prints ratios
	$(SETUP) test fast
	@for script in bench/[a-z]*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

constraints:     ## resolve anew and pin (ARGS=--upgrade for the newest versions)
	@$(PYTHON) -m tools.constraints $(ARGS)

clean:           ## remove .venv and caches; dagster_home, the state, stays
	rm -rf .venv build dist .*_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

.PHONY: help setup demo up test trials faults lint bench constraints clean
