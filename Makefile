# Everything a newcomer types. Needs git, make and Python 3.11, 3.12 or 3.13; the rest comes from envs/lock.txt into .venv.

CORES  ?= all
CONFIG ?= config/default.yaml
ARCHIVE ?= ntkfield-archive.zip
# Candidates in order; the first that runs, is 3.11 to 3.13 and can make a virtual environment is taken.
PYTHON ?= python3.13 python3.12 python3.11 python3

SHELL       := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
# A target whose recipe fails is removed, so a half-made stamp never counts as made.
.DELETE_ON_ERROR:

BIN       := .venv/bin
WITH_VENV := PATH="$(CURDIR)/.venv/bin:$$PATH"
SNAKEMAKE := $(WITH_VENV) $(BIN)/snakemake
# A worker that ends, as where a test hangs, ends the run: another would meet the same test.
PYTEST := $(WITH_VENV) $(BIN)/pytest --numprocesses auto --max-worker-restart 0 --dist loadfile --no-loadscope-reorder
PIP       := -m pip --disable-pip-version-check --quiet

# Prints the interpreter itself, not a link to it inside an activated .venv that is about to be replaced.
PROBE := import ensurepip, os, sys, venv; \
	sys.exit(1) if sys.version_info[:2] not in ((3, 11), (3, 12), (3, 13)) else print(os.path.realpath(sys.executable))
FIND_PYTHON = python=""; \
	for candidate in $(PYTHON); do \
		python=$$("$$candidate" -c '$(PROBE)' 2>/dev/null) && break || python=""; \
	done; \
	if [ -z "$$python" ]; then \
		echo "make: none of '$(PYTHON)' is a working Python 3.11, 3.12 or 3.13 with venv; say which one to use: make PYTHON=/path/to/python3.12" >&2; \
		exit 1; \
	fi

.PHONY: help
help:  ## Show this list
	@echo "Usage: make TARGET [CORES=all] [CONFIG=config/default.yaml] [ARCHIVE=ntkfield-archive.zip] [PYTHON=/path/to/python3.12]"
	@echo "       make verify [SHA256=its checksum] [RECOMPUTE=yes] [MAX_GB=20] [MAX_FILES=100000] [MAX_RATIO=200]"
	@echo
	@sed -nE 's/^([a-z-]+):.*  ## (.*)$$/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | while IFS='|' read -r name text; do \
		printf '  %-16s %s\n' $$name "$$text"; done

# A mistyped path or broken YAML is said with its place, before Snakemake prints a traceback for it.
.PHONY: config-read
config-read: .venv/.installed
	@$(BIN)/python workflow/config_check.py $(CONFIG) > /dev/null

# The folder of a run's results, which the config names.
RUN = results/$$($(BIN)/python workflow/config_check.py $(CONFIG))

.PHONY: results
results: config-read  ## Make every figure and the report under results/
	$(SNAKEMAKE) --profile workflow/profiles/default --configfile $(CONFIG) --cores $(CORES) \
		--report $(RUN)/report.html --report-after-run

# By hand for a run that has its name from --config or its folder from --directory: workflow/progress.py FOLDER/results/NAME
WATCH =
.PHONY: progress
progress: config-read  ## Say how far a run of CONFIG is and how long it takes still; WATCH=yes repeats it
	@$(WITH_VENV) $(BIN)/python workflow/progress.py $(RUN) $(if $(WATCH),--watch)

.PHONY: plan
plan: config-read  ## Say what a run of CONFIG would cost: jobs, core-hours, memory, disk
	@$(WITH_VENV) $(BIN)/python workflow/cost/plan.py --configfile $(CONFIG)

.PHONY: costs
costs: config-read  ## Gather what the results of CONFIG have cost, rule by rule, into costs.csv beside them
	@$(WITH_VENV) $(BIN)/python workflow/cost/table.py --results $(RUN)

.PHONY: config-docs
config-docs: .venv/.installed  ## Write docs/config.md and config/schema.json anew from the settings' models
	@$(BIN)/python workflow/settings_page.py

.PHONY: pictures
pictures: .venv/.installed  ## Remake the README's pictures from the figures of the last run
	@$(BIN)/python docs/pictures/remake.py

.PHONY: archive
archive: config-read  ## Pack the finished results, with all that made them, into one file
	$(WITH_VENV) $(BIN)/python workflow/archive/pack.py --configfile $(CONFIG) --output $(ARCHIVE)

# Never taken from the environment: whoever wants an archive's code to run says so on the command line.
SHA256 =
RECOMPUTE =
MAX_GB =
MAX_FILES =
MAX_RATIO =
.PHONY: verify
verify: .venv/.installed  ## Check such a file, running none of its code (SHA256=...); RECOMPUTE=yes runs it
	@$(WITH_VENV) $(BIN)/python workflow/archive/verify.py $(if $(SHA256),--sha256='$(SHA256)') \
		$(if $(MAX_GB),--max-gb='$(MAX_GB)') $(if $(MAX_FILES),--max-files='$(MAX_FILES)') \
		$(if $(MAX_RATIO),--max-ratio='$(MAX_RATIO)') $(if $(RECOMPUTE),--recompute='$(RECOMPUTE)') -- '$(ARCHIVE)'

NAME = F
# A diagram that does not exist is said in one sentence before Snakemake starts.
define DIAGRAM_EXISTS
import sys
import ntkfield as nf
from ntkfield import checks
asked = sys.argv[1]
name, slash, number = asked.partition("/")
try:
    count = len(nf.recursion(name).diagrams)
    if slash and number not in map(str, range(1, count + 1)):
        raise checks.refuse("NAME", asked, f"{name} for all its diagrams, or one of {name}/1 to {name}/{count}")
except ValueError as error:
    sys.exit(f"make: {error}")
endef
export DIAGRAM_EXISTS
.PHONY: diagram
diagram: config-read  ## Draw a recursion's diagrams (NAME=F), or one of them alone (NAME=F/2)
	@$(BIN)/python -c "$$DIAGRAM_EXISTS" "$(NAME)"
	$(SNAKEMAKE) --profile workflow/profiles/default --cores 1 --configfile $(CONFIG) -- $(RUN)/diagrams/$(NAME).pdf $(RUN)/diagrams/$(NAME).svg
	@echo "Drawn: $(RUN)/diagrams/$(NAME).svg and .pdf"

.PHONY: env
env: .venv/.installed  ## Make .venv from envs/lock.txt, or bring it up to date

# The venv keeps a copy of the lock it was made from, written last. An interrupted or outdated one is made anew;
# one whose lock only looks newer (a branch switched back and forth) is kept.
.venv/lock.txt: envs/lock.txt
	@if cmp --silent $< $@; then touch $@; exit 0; fi; \
	$(FIND_PYTHON); \
	echo "Installing envs/lock.txt into .venv with $$python (a minute or two)"; \
	rm -rf .venv; \
	"$$python" -m venv .venv; \
	$(BIN)/python $(PIP) install --no-deps --require-hashes -r envs/lock.txt; \
	cp envs/lock.txt $@.part; mv $@.part $@

.venv/.installed: .venv/lock.txt pyproject.toml
	@$(BIN)/python $(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: test
test: .venv/.installed  ## Run all tests but the exhaustive repetitions
	$(PYTEST) -m "not exhaustive"

.PHONY: test-exhaustive
test-exhaustive: .venv/.installed  ## Run the checks of `make test` on many more cases, a quarter of an hour
	$(PYTEST) -m exhaustive

.PHONY: test-fast
test-fast: .venv/.installed  ## Run the tests that are quick and start no Snakemake
	$(PYTEST) -m "not slow and not workflow and not exhaustive"

.PHONY: wheel-check
wheel-check: .venv/.installed  ## Install what pip would, outside the repository, and try each extra
	$(BIN)/python envs/wheel_check.py

.PHONY: lint
lint: .venv/.installed  ## Check style, types and the workflow, change nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/snakefmt --check Snakefile workflow
	$(SNAKEMAKE) --lint

.PHONY: format
format: .venv/.installed  ## Bring the code into the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

# A process reads a run of neighbouring pages: with few processes one would execute all notebooks, one by one.
.PHONY: docs
docs: .venv/.installed  ## Build the site and run its notebooks, into docs/_build/html; any warning is an error
	rm -rf docs/_build docs/api/modules
	$(WITH_VENV) $(BIN)/sphinx-build --fail-on-warning --keep-going --quiet --jobs 12 docs docs/_build/html
	@echo "Built: docs/_build/html/index.html"

.PHONY: lock
lock:  ## Resolve envs/lock.txt anew (network needed); read envs/README.md first
	@$(FIND_PYTHON); \
	tools=$$(mktemp -d); trap 'rm -rf "$$tools"' EXIT; \
	"$$python" -m venv "$$tools"; \
	"$$tools/bin/python" $(PIP) install uv; \
	"$$tools/bin/uv" pip compile pyproject.toml --all-extras --universal --fork-strategy fewest \
		--python-version 3.11 --generate-hashes --overrides envs/overrides.txt \
		-o envs/lock.txt --no-emit-index-url --no-header $(LOCK_OPTIONS)

.PHONY: clean
clean:  ## Remove what make and Snakemake made, except .venv and downloaded data
	find results -mindepth 1 ! -name README.md -delete
	rm -rf docs/_build docs/api/modules .snakemake .pytest_cache .ruff_cache .hypothesis
	find src tests workflow -type d -name __pycache__ -prune -exec rm -rf {} +
