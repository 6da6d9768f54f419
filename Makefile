# The only entry. Two commands matter: `make demo` and `make test`; both set everything up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo fast test lint types dev backfill audit truth bench bench-gpu verdict-sizes real-candles faults docs clean help

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

demo: $(STAMP) ## materialise every asset of every month of the sample, print the verdict
	@$(BIN)/price-physics demo

fast: $(STAMP) ## style, import rules and the unit tests, in about two minutes: before every commit
	@$(BIN)/price-physics fast

test: $(STAMP) ## style, import rules, types, then every test
	@$(BIN)/price-physics test

lint: $(STAMP) ## check style and which way imports point
	@$(BIN)/price-physics lint

types: $(STAMP) ## check types
	@$(BIN)/price-physics types

dev: $(STAMP) ## open the Dagster UI on http://127.0.0.1:3000, or make dev PORT=3001
	@$(BIN)/price-physics dev $(if $(PORT),--port "$(PORT)")

backfill: $(STAMP) ## materialise a study: make backfill STUDY=demo FROM=2011-09 TO=2012-05
	@test -n "$(STUDY)" || { echo "usage: make backfill STUDY=demo [FROM=2011-09] [TO=2012-05]"; exit 2; }
	@PRICE_PHYSICS_BY_MAKE=1 $(BIN)/price-physics backfill --study "$(STUDY)" $(if $(FROM),--from "$(FROM)") $(if $(TO),--to "$(TO)")

audit: $(STAMP) ## prove that nothing knows the future: make audit STUDY=demo [FROM=] [TO=] [AT=2012-03]
	@test -n "$(STUDY)" || { echo "usage: make audit STUDY=demo [FROM=2011-09] [TO=2012-05] [AT=2012-03]"; exit 2; }
	@PRICE_PHYSICS_BY_MAKE=1 $(BIN)/price-physics audit --study "$(STUDY)" $(if $(FROM),--from "$(FROM)") $(if $(TO),--to "$(TO)") $(foreach t,$(AT),--at "$(t)")

truth: $(STAMP) ## plant patterns in markets, and see whether the DAG finds them
	@$(BIN)/price-physics truth

bench: $(STAMP) ## time it beside its peers: make bench [SECTION=labels] [FULL=1 for the peak memory] [ACCEPT=1]
	@$(BIN)/price-physics bench $(SECTION) $(if $(FULL),--full) $(if $(ACCEPT),--accept)

bench-gpu: $(STAMP) ## images and training on a CUDA card; without one it says so: make bench-gpu [ACCEPT=1]
	@$(BIN)/python -m price_physics_tests.benchmarks.gpu $(if $(ACCEPT),--accept)

verdict-sizes: $(STAMP) ## simulate how often the verdict is wrong, and right: minutes: make verdict-sizes [ACCEPT=1]
	@$(BIN)/python -m price_physics_tests.benchmarks.verdict_sizes $(if $(ACCEPT),--accept)

real-candles: $(STAMP) ## trees with the driftless odds on real candles; without those it says so: make real-candles [ACCEPT=1]
	@$(BIN)/python -m price_physics_tests.benchmarks.real_candles $(if $(ACCEPT),--accept)

faults: $(STAMP) ## kill, damage, fill and hold everything around the store: minutes: make faults [ACCEPT=1]
	@$(BIN)/python -m price_physics_tests.benchmarks.faults $(if $(ACCEPT),--accept)

docs: $(VENV)/.docs ## build the documentation site into docs/_build/html; warnings are errors
	@$(BIN)/python -m sphinx -W --keep-going -n -q docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

clean: ## remove what the commands made, but for the ledger of trials: those have been looked at
	rm -rf $(VENV) .bench docs/_build docs/generated outputs data/store data/mlflow data/dagster data/index data/checkpoints data/code_versions.json

$(STAMP): pyproject.toml constraints.txt
	@echo "Setting up $(VENV): a few minutes, once"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $(STAMP)

$(VENV)/.docs: $(STAMP)
	@$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[docs]'
	@touch $@
