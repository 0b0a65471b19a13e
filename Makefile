# Everything that a person or CI does with sentiflow. Needs Python 3.11, make and a package registry.
.DEFAULT_GOAL := help
.PHONY: help setup setup-gpu demo run-demo ask-demo test test-unit test-kubeflow images test-swaps \
    fuzz-serving bench bench-training bench-run bench-scale bench-gpu bench-serving bench-batch \
    bench-quality bench-startup need-data docs format lock clean

# Targets build on what others leave.
.NOTPARALLEL:

PYTHON ?= python3.11
# A test module stays in one process: its tests share what it has made, such as a run.
PARALLEL := --numprocesses logical --maxprocesses 4 --dist loadfile
VENV := .venv
BIN := $(VENV)/bin
DEMO := .demo
TORCH := .venv-torch
NVIDIA := $(shell command -v nvidia-smi 2>/dev/null)

help:  ## List the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 15

setup: $(VENV)/.ready  ## Make .venv with the pinned packages and the sentiflow command.

$(VENV)/.ready: requirements-uv.txt requirements-dev.txt pyproject.toml
	@echo "== setting up $(VENV) (about a minute)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	$(BIN)/uv pip sync --quiet --require-hashes requirements-dev.txt requirements-uv.txt
	$(BIN)/uv pip install --quiet --no-deps --no-build-isolation --editable .
	rm -f $(VENV)/.gpu  # what it stands for is no longer there
	touch $@

setup-gpu: $(VENV)/.gpu  ## Add NVIDIA's libraries, with which Trainer and Tuner use this machine's GPU (5 GB).

$(VENV)/.gpu: requirements-gpu.txt $(VENV)/.ready
	@echo "== adding NVIDIA's libraries to $(VENV) (minutes)"
	$(BIN)/uv pip install --quiet --require-hashes -r requirements-gpu.txt
	touch $@

demo: setup $(DEMO)/sentences.tsv run-demo ask-demo  ## Train on film reviews, serve the model, ask it three sentences.

# The sentences come with the source release of vaderSentiment (MIT licence); the hash is the release's.
$(DEMO)/.downloaded: requirements-demo.txt | setup
	@echo "== getting the demo's sentences from the package registry"
	mkdir -p $(DEMO)/download
	$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps \
	    --no-binary vaderSentiment --no-build-isolation --require-hashes \
	    -r requirements-demo.txt -d $(DEMO)/download
	touch $@

$(DEMO)/sentences.tsv: $(DEMO)/.downloaded
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
	$(BIN)/pytest $(PARALLEL) -m "not kubeflow"

test-unit: setup  ## Run the tests that need no pipeline run.
	$(BIN)/pytest $(PARALLEL) -m "not e2e and not kubeflow"

# As root it installs MariaDB and a Docker engine from Debian; without either it says what it skips.
test-kubeflow: setup $(DEMO)/sentences.tsv  ## Run the compiled package in containers, with a database server.
	SENTIFLOW_TEST_SENTENCES=$(CURDIR)/$(DEMO)/sentences.tsv \
	    tests/kubeflow/with_engine.sh $(BIN)/pytest -m kubeflow

images:  ## Build the images sentiflow:cpu and sentiflow:gpu.
	docker build --target cpu --tag sentiflow:cpu .
	docker build --target gpu --tag sentiflow:gpu .

test-swaps: setup  ## Change served versions under load for half a minute: nothing may fail.
	SENTIFLOW_SWAP_SECONDS=30 $(BIN)/pytest -q -s tests/components/serving/test_swaps.py

fuzz-serving: setup  ## Send the server thousands of odd requests (minutes).
	SENTIFLOW_FUZZ_EXAMPLES=1000 $(BIN)/pytest -q tests/components/serving/test_fuzz.py

# DATA is a folder with train.tsv and eval.tsv, ROWS how many sentences bench-scale makes of them.
ROWS ?= 10000,100000

need-data:
	@test -d "$(DATA)" || { echo "say which sentences to measure with: make TARGET DATA=FOLDER"; exit 2; }

# The model of a demo, for what needs some model.
$(DEMO)/workdir/serving: | setup
	$(MAKE) $(DEMO)/sentences.tsv run-demo

bench: bench-training bench-run bench-scale  ## Measure training, a whole run and growth with the data (25 minutes; DATA=FOLDER).

bench-training: need-data setup $(TORCH)/.ready  ## Training speed beside padded rows, TFX's imdb example and PyTorch.
	$(BIN)/python -m benchmarks.training --data $(DATA) --torch $(TORCH)/bin/python $(OPTIONS)

bench-run: need-data setup  ## A whole run beside TFX's imdb example, and one in which nothing changed.
	$(BIN)/python -m benchmarks.whole_run --data $(DATA) $(OPTIONS)

bench-scale: need-data setup  ## Ingest, statistics and Transform on ROWS sentences; writes docs/scale.md.
	$(BIN)/python -m benchmarks.scale --data $(DATA)/train.tsv --rows $(ROWS) --write docs/scale.md $(OPTIONS)

bench-gpu: need-data setup $(if $(NVIDIA),setup-gpu $(TORCH)/.ready)  ## The training table on a GPU; says that it is skipped where there is none.
	$(BIN)/pytest -q -rs tests/components/test_gpu.py
	$(BIN)/python -m benchmarks.training --data $(DATA) --gpu \
	    $(if $(NVIDIA),--torch $(TORCH)/bin/python) $(OPTIONS)

# PyTorch comes with NVIDIA's libraries and does not import without them: 5 GB.
$(TORCH)/.ready: requirements-torch.txt | setup
	@echo "== setting up $(TORCH) (minutes)"
	$(PYTHON) -m venv $(TORCH)
	$(BIN)/uv pip install --quiet --python $(TORCH)/bin/python --require-hashes -r requirements-torch.txt
	touch $@

bench-serving: setup $(DEMO)/workdir/serving  ## Measure the server beside the model called directly (2 minutes).
	$(BIN)/python -m benchmarks.serving --model-root $(DEMO)/workdir/serving --sentences $(DEMO)/sentences.tsv

bench-batch: setup $(DEMO)/workdir/serving  ## Measure batch predictions of a million sentences beside a plain loop (long).
	$(BIN)/python -m benchmarks.batch --model $$(ls -d $(DEMO)/workdir/serving/sentiment/[0-9]* | sort -V | tail -1)

bench-startup: setup  ## Seconds from a node's process start to its work, beside TFX's own entrypoint.
	$(BIN)/python -m benchmarks.node_startup

# DATA here is a folder of data sets: sst2, trec6, sst2_phrases.
bench-quality: need-data setup  ## Accuracy of the presets beside NB-SVM, three seeds each (long).
	$(BIN)/python -m benchmarks.quality --data $(DATA) --workdir .quality

docs: setup  ## Write docs/configuration.md from the configuration's types.
	$(BIN)/python -m pipeline.configuration_reference > docs/configuration.md

format: setup  ## Format the code and mend what ruff can mend.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup  ## Resolve the packages of pyproject.toml anew and pin them with hashes.
	$(BIN)/uv pip compile pyproject.toml --generate-hashes --no-header --quiet --upgrade -o requirements.txt
	$(BIN)/uv pip compile pyproject.toml --group dev --generate-hashes --no-header --quiet \
	    --upgrade -c requirements.txt -o requirements-dev.txt
	$(BIN)/uv pip compile pyproject.toml --extra gpu --generate-hashes --no-header --quiet \
	    --upgrade -c requirements.txt -o requirements-gpu.txt
	$(BIN)/uv pip compile requirements-torch.in --generate-hashes --no-header --no-annotate --quiet \
	    --upgrade --python-version 3.11 --python-platform x86_64-manylinux_2_28 -o requirements-torch.txt

clean:  ## Remove all that the targets have made.
	rm -rf $(VENV) $(TORCH) $(DEMO) .quality .images
