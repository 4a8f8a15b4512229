# dagrad: `make help` lists the targets. Everything runs in a virtual environment in $(VENV).

VENV ?= .venv
MODEL ?= convnet
ARGS ?=
WORKERS ?= auto

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

BIN := $(VENV)/bin

# Debian's Python has neither venv nor ensurepip until python3-venv is installed.
usable := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3 python,\
	$(shell $(name) -c '$(usable)' >/dev/null 2>&1 && echo $(name))))

.PHONY: help train test thorough test-thorough test-peers test-packaging lint format format-check types check \
	docs docs-serve check-links check-python clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z].*:.*## / { printf "  make %-22s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo '  Variables: PYTHON, VENV, MODEL and ARGS (train), ARGS and WORKERS (test).'
	@echo '  Example: make train MODEL=vgg ARGS="--epochs 5 --seed 1"'

train: $(VENV)/.with-train ## train the convnet on CIFAR-10 (CIFAR10_DIR, data/, or a download)
	$(BIN)/python -m examples.cifar10 train $(MODEL) $(ARGS)

test: $(VENV)/.with-dev ## run the tests and the examples in the documentation strings
	$(BIN)/python -m pytest -q -n $(WORKERS) $(ARGS)

thorough test-thorough: $(VENV)/.with-dev ## the same with many more examples, 2,000 of every operation (hours)
	$(BIN)/python -m pytest -q -n $(WORKERS) --hypothesis-profile=thorough $(ARGS)
	$(BIN)/python -m autograd.testing --examples 2000

test-peers: $(VENV)/.with-peers ## compare with PyTorch and JAX (a large install)
	$(BIN)/python -m pytest -q -n $(WORKERS) -m peers $(ARGS)

test-packaging: $(VENV)/.with-dev ## install into clean environments of Python 3.11 to 3.13 (needs an index)
	$(BIN)/python -m pytest -q -rsP -m packaging tests/packaging $(ARGS)

lint: $(VENV)/.with-dev ## find mistakes with ruff
	$(BIN)/ruff check .

format: $(VENV)/.with-dev ## format and sort imports
	$(BIN)/ruff check --fix-only --select I .
	$(BIN)/ruff format .

format-check: $(VENV)/.with-dev ## is everything formatted?
	$(BIN)/ruff format --check .

types: $(VENV)/.with-dev ## check the types with mypy
	$(BIN)/mypy

check: lint format-check types test ## all that .ci/run runs

docs: $(VENV)/.with-dev ## build the documentation site into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	@echo 'Read it with: $(BIN)/python -m http.server --directory site'

docs-serve: $(VENV)/.with-dev ## show the site at http://127.0.0.1:8000, and again after every change
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs serve --strict

check-links: $(VENV)/.with-dev ## do the external links of the documentation lead anywhere? (needs the network)
	$(BIN)/python -m tests.docs.external_links

clean: ## remove the virtual environment, caches and build results
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

check-python:
	@python='$(PYTHON)'; \
	if [ -z "$$python" ] || ! "$$python" -c '$(usable)' >/dev/null 2>&1; then \
		echo "dagrad needs Python 3.11 or newer with the modules venv and ensurepip; found: $${python:-none on the PATH}." >&2; \
		echo "Debian and Ubuntu: apt-get install python3 python3-venv. Or name one: make PYTHON=/path/to/python3.12 ..." >&2; \
		exit 1; \
	fi

$(BIN)/python: | check-python
	$(PYTHON) -m venv $(VENV)

$(VENV)/.with-train: extras := fast,examples
$(VENV)/.with-dev: extras := dev
$(VENV)/.with-peers: extras := dev,peers

$(VENV)/.with-%: pyproject.toml | $(BIN)/python
	@echo 'Installing dagrad[$(extras)] into $(VENV): a minute or two, once.'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(extras)]'
	@touch $@
