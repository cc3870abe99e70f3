# Two commands do the everyday work: make serve, make test.

VENV ?= .venv
PYTHON ?=
FHIR_URL ?=
BENCH ?=
UV ?= uv
.DEFAULT_GOAL := help
.PHONY: help serve test lint check docs samples grid journeys test-fhir browser pictures processes faults kills coverage mutation mutation-sample mutation-units \
	bench bench-gate bench-profile bench-scale bench-reading lock image sbom audit site

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1	/'
	@echo "  Another Python: make test PYTHON=python3.13 VENV=.venv-3.13"

serve: ## start the service on 127.0.0.1:8080 (HOST, PORT, WORKERS, THREADS: docs/settings.md)
	@scripts/environment "$(VENV)" runtime "$(PYTHON)"
	@PYTHON="$(CURDIR)/$(VENV)/bin/python" scripts/serve

test: ## the whole fast suite: no network, no browser, no database
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m pytest -n auto --dist worksteal

lint: ## ruff and mypy
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m ruff check .
	@"$(VENV)/bin/python" -m mypy

check: ## knowledge, templates, settings and discovery are sound
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/aml-cds" check

docs: ## renew the pages that are made from code
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" scripts/docs
	@"$(VENV)/bin/python" scripts/licences

site: ## the docs as a site in build/site, links checked, nothing from elsewhere (needs mkdocs)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m mkdocs build --strict

samples: ## rewrite the stored responses of fhir_samples/
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m tests.refresh_samples

grid: ## every boundary of every drug, every damage, every vignette in every place, more random patients (some minutes)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@GRID=full "$(VENV)/bin/python" -m pytest -q -n auto --dist worksteal tests/test_grid.py tests/test_mutations.py tests/test_jurisdictions.py \
		tests/test_invariants.py tests/facts/test_value_shapes.py

journeys: ## the service and a FHIR server as processes: every story over HTTP, with every fault (a minute)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@JOURNEYS=full "$(VENV)/bin/python" -m pytest tests/test_journeys.py

test-fhir: ## journeys against a FHIR server of yours: make test-fhir FHIR_URL=http://127.0.0.1:8090/fhir
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@FHIR_URL="$(FHIR_URL)" "$(VENV)/bin/python" -m pytest -rs tests/test_real_fhir.py

faults: ## hurt the service as it is started: silent and bad FHIR servers, kills, stops, reloads (a minute and a half)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m tests.faults

browser: ## every page in headless Chromium, with axe; screenshots in build/screenshots (some minutes)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@BROWSER=1 "$(VENV)/bin/python" -m pytest tests/browser -n 2 --dist worksteal

pictures: ## take the pictures of docs/ anew, from the pages as they are
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@BROWSER=1 PICTURES=1 "$(VENV)/bin/python" -m pytest tests/browser/test_pictures.py

processes: ## real servers started, stopped, killed, reloaded and listened to (two minutes)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@PROCESSES=1 "$(VENV)/bin/python" -m pytest -m processes

kills: ## SIGKILL to everything while feedback comes in: is any lost that was acknowledged? (KILLS=8)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m benchmarks.kills --kills "$(or $(KILLS),8)"

coverage: ## which share of the lines and branches the tests take, against a floor for each package (minutes)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m tests.branches

mutation: ## change every comparison, truth arm and number of the rules: does a vignette notice? (some minutes)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m tests.mutation --second-look

mutation-sample: ## every number of the knowledge, and 300 changes of all, always the same ones: the build server asks these
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m tests.mutation --numbers
	@"$(VENV)/bin/python" -m tests.mutation --sample 300 --floor 90

mutation-units: ## the same for security, hooks, gather, store and facts, a sample of each, asked of their unit tests (many minutes)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m tests.mutation_units --sample $(or $(SAMPLE),25)

bench: ## the service between an echo, a naive variant and HealthChain (five minutes; BENCH="--docs", "--compare FILE")
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m benchmarks $(BENCH)

bench-gate: ## the same in short, and fails where a ratio is far off: for the build server (under a minute)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m benchmarks --gate

bench-profile: ## where the time of a call goes (seconds)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m benchmarks --profile $(BENCH)

bench-scale: ## what a call costs as knowledge grows (a minute)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m benchmarks.scale $(BENCH)

bench-reading: ## how long one resource takes to read, by its type (seconds)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@"$(VENV)/bin/python" -m benchmarks.reading

lock: ## renew the pinned requirements from pyproject.toml (needs uv)
	@scripts/lock "$(UV)"

image: ## build the image without a container engine, run it without rights, look at it (minutes; Debian, root)
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@PATH="$(CURDIR)/$(VENV)/bin:$$PATH" scripts/image

sbom: ## the bill of materials of what runs (CycloneDX): build/sbom.cdx.json
	@scripts/environment "$(VENV)" dev "$(PYTHON)"
	@scripts/sbom "$(VENV)/bin/python"

audit: ## known faults of what runs: needs pip-audit, and a network with an advisory service
	@pip-audit --strict --disable-pip --require-hashes -r requirements/runtime.txt
