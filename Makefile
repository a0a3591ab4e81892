# Two commands matter: `make run` opens the coach, `make test` checks it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check bench eval constraints tune fit clean

run: $(VENV)/.ready
	$(BIN)/coach serve

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	@echo "Installing. llama.cpp is compiled for this computer, which takes about 5 minutes once; the rest a few more."
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	$(BIN)/coach knowledge rebuild
	touch $@

$(VENV)/.ready-test: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[test]"
	$(BIN)/python tests/browser/chromium.py
	touch $@

test: $(VENV)/.ready-test check
	$(BIN)/python -m pytest

check: $(VENV)/.ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.ready-test
	$(BIN)/python -m eval.bench

eval: $(VENV)/.ready-test
	$(BIN)/python -m eval.talk --part dev
	$(BIN)/python -m eval.review --part dev
	$(BIN)/python -m eval.rehearse --part dev
	$(BIN)/python -m eval.care --part dev

# Written anew from what is installed now: run after changing a dependency.
constraints: $(VENV)/.ready-test
	$(BIN)/python -m pip list --format=freeze --exclude-editable | grep -v '^pip=' | sed 's/+cpu$$//' > constraints.txt

# After a change of examples: the encoders learn them (an hour and more), then the classifiers are fitted.
tune: $(VENV)/.ready-test
	$(BIN)/python -m tuning.encoder
	$(BIN)/python -m tuning.exchanges
	$(BIN)/python -m tuning.review
	$(BIN)/python -m tuning.answers
	$(BIN)/python -m tuning.sensing

fit: $(VENV)/.ready-test
	$(BIN)/python -m tuning.fit

clean:
	rm -rf $(VENV) build dist *.egg-info
