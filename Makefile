# The front door: `make demo`, `make serve`, `make test`. Everything else is a step of these.
PYTHON ?= python3
VENV := .venv
GNOMON := $(VENV)/bin/gnomon
CORE := $(shell find rust -name '*.rs' -not -path '*/target/*') rust/Cargo.toml rust/Cargo.lock pyproject.toml
ROOT_ZONE ?=
export ROOT_ZONE

.PHONY: demo serve test lint test-rust test-fuzz test-python docs words clean

demo: $(VENV)/.web
	$(GNOMON) demo demo $(if $(ROOT_ZONE),--root-zone "$(ROOT_ZONE)") $(if $(ASN_TABLE),--asn "$(ASN_TABLE)")

serve: $(VENV)/.web
	$(GNOMON) serve demo/workspace

test: $(VENV)/.dev lint test-rust test-fuzz test-python

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	cd rust && cargo fmt --check
	cd rust && if cargo clippy --version >/dev/null 2>&1; then cargo clippy --locked --all-targets -- -D warnings; fi

test-rust:
	cd rust && cargo test --locked --workspace --exclude gnomon-py

test-fuzz:
	rust/fuzz/run 3

test-python: $(VENV)/.dev
	$(VENV)/bin/pytest -n 2

docs: $(VENV)/.dev
	$(VENV)/bin/gnomon checks --write docs/checks

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Gnomon needs Python 3.11 or newer; call make PYTHON=/path/to/python3.11"; exit 1; }
	@command -v cargo >/dev/null || { echo "Gnomon needs cargo (Rust 1.87 or newer) on the PATH"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.web: $(VENV)/bin/python $(CORE)
	$(VENV)/bin/python -m pip install -q -e '.[web]'
	@touch $@

$(VENV)/.dev: $(VENV)/bin/python $(CORE)
	$(VENV)/bin/python -m pip install -q -e '.[dev]'
	@touch $@ $(VENV)/.web

words: $(VENV)/.dev
	$(VENV)/bin/python tools/words.py

clean:
	rm -rf $(VENV) rust/target demo
