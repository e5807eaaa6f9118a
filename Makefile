# Everything needs only Python 3.11+ and make; setup.sh builds .venv on first use.
# More for the program behind a target: make test ARGS="-k money"

.DEFAULT_GOAL := help
.PHONY: help setup dev test check lock bench simulate
ARGS :=
BIN := .venv/bin

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv (the other targets do it by themselves)
	@sh setup.sh

dev: setup ## run everything here: PostgreSQL, API, worker, Mollie sandbox, demo data
	@exec $(BIN)/kontor dev $(ARGS)

test: setup ## run the whole test suite
	@exec $(BIN)/pytest --numprocesses logical --maxprocesses 8 --dist worksteal $(ARGS)

check: setup ## lint, formatting, types, and who may import whom
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --check --quiet || { echo "not formatted: run $(BIN)/ruff format"; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@report=$$($(BIN)/lint-imports) || { echo "$$report"; exit 1; }

lock: setup ## choose package versions anew (ARGS=--upgrade for the newest) into requirements.lock
	@uv --version >/dev/null 2>&1 || $(BIN)/python -m pip install --quiet uv
	@PATH="$$PATH:$(CURDIR)/$(BIN)" uv pip compile --quiet --universal --generate-hashes \
		--no-annotate --no-header --extra dev pyproject.toml -o requirements.lock $(ARGS)

bench: setup ## measure
	@exec $(BIN)/python -m bench $(ARGS)

simulate: setup ## live three years of a thousand tenants with every fault, and audit the books
	@exec $(BIN)/python -m tests.simulation $(ARGS)
