# The common paths; `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(VENV)/.complete
BENCHMARKS := $(VENV)/.benchmarks

# What one process has compiled the next one loads: the tests start hundreds.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all test-most test-fast test-server test-load older-cpu lint types format loadtest truth-test bench faults soak benchmarks bench-gpu dummy-table report report-gnome gap-table reranker reranker-table reranker-cost gpu gpu-down lock clean

help: ## list the common paths, and the benchmarks and experiments
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'
	@echo; echo 'Benchmarks and experiments:'
	@grep -hE '^[a-z-]+:.*##! ' $(MAKEFILE_LIST) | sort | awk -F ':.*##! ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(SETUP) ## make .venv with everything, from requirements.lock

$(SETUP): pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Interlingua needs Python 3.11 or newer: make setup PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

benchmarks: $(BENCHMARKS) ## add ir_datasets and mteb, for `interlingua evaluate ir_datasets:ID` and `mteb:TASK`

$(BENCHMARKS): $(SETUP) requirements-benchmarks.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-benchmarks.lock \
		--constraint requirements.lock
	@touch $@

demo: setup ## export, serve, index 480 documents in 12 languages, ask across languages
	@$(BIN)/interlingua demo

TEST_RUN := build/test-run

test: setup benchmarks ## lint, types and every test, on a real Triton
	@$(MAKE) --no-print-directory lint
	@rm -rf $(TEST_RUN)
	@INTERLINGUA_TEST_RUN=$(abspath $(TEST_RUN)) $(MAKE) --no-print-directory --keep-going --jobs 2 types test-all
	@rm -rf $(TEST_RUN)

test-all: setup # one after the other, whatever else runs beside: the load generator's last
	@status=0; for part in test-most test-load; do $(MAKE) --no-print-directory $$part || status=1; done; exit $$status

# A file's tests stay on one of the workers (tests/conftest.py says which belong together), each with one thread: small
# networks gain more from that than from threads of their own.
TWO_AT_A_TIME := $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test-most: setup # the two below in one run, which starts, imports and exports less than two
	$(TWO_AT_A_TIME) -m 'not load'

test-fast: setup ## the tests that need no server and no core of their own
	$(TWO_AT_A_TIME) -m 'not server and not load'

test-server: setup ## the tests on a real Triton, but for the load generator's
	$(TWO_AT_A_TIME) -m 'server and not load'

test-load: setup ## the tests of the load generator, which need a core each
	$(TWO_AT_A_TIME) -m load

OLDER_CPU := build/older_cpu.so

$(OLDER_CPU): tests/older_cpu.c
	@mkdir -p build
	cc -O2 -Wall -shared -fPIC -o $@ $<

older-cpu: setup $(OLDER_CPU) ## the tests that need no server, as on a CPU without AVX-512 and VNNI
	LD_PRELOAD=$(abspath $(OLDER_CPU)) $(TWO_AT_A_TIME) -m 'not server and not load' $(TESTS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pytest --quiet tests/interlingua/test_structure.py

types: setup
	$(BIN)/mypy

format: setup ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

LOAD := var/loadtest/demo

loadtest: setup ## a ladder of rates, the highest within p99=300ms, and a page about both: var/loadtest/demo/report.html
	@rm -rf $(LOAD)
	$(BIN)/interlingua loadtest --rates 10,20,40,60 --seconds 20 --slo p99=300ms --out $(LOAD)/ladder || [ $$? -eq 1 ] # 1: a void run
	$(BIN)/interlingua loadtest --slo p99=300ms --goodput 0.99 --seconds 20 --out $(LOAD)/search || [ $$? -eq 1 ] # the generator's limit
	@$(BIN)/interlingua loadreport $(LOAD)/ladder $(LOAD)/search --html $(LOAD)/report.html

CAPACITY := build/capacity

truth-test: setup ##! predict highest rates, then measure them: 40 minutes on a machine with nothing else to do
	$(BIN)/interlingua export intfloat/multilingual-e5-small --precision int8 --model-repository $(CAPACITY)
	$(BIN)/interlingua export e5-small-reranker --precision int8 --model-repository $(CAPACITY)
	$(BIN)/interlingua calibrate --model-repository $(CAPACITY) --out $(CAPACITY)-profile.json
	@$(BIN)/python -m interlingua_benchmarks.truth_test --tries 1 --model-repository $(CAPACITY) \
		--profile $(CAPACITY)-profile.json --out $(CAPACITY)-truth

bench: setup ##! texts a second, latency and memory, against the in-process limit
	@$(BIN)/python -m interlingua_benchmarks.serving_benchmark

faults: setup ##! kill, stop and starve a real server and index runs, at length: docs/reliability.md; after an export
	@$(BIN)/python -m interlingua_benchmarks.faults

soak: setup ##! half an hour of mixed load: what grows in which process; after an export
	@$(BIN)/python -m interlingua_benchmarks.faults soak

bench-gpu: setup ##! tokens a second, latency and utilisation on a GPU, within 20 minutes: var/gpu_bench.json
	@mkdir -p var
	@$(BIN)/python -m interlingua_benchmarks.gpu_bench --markdown --json var/gpu_bench.json

dummy-table: setup ##! six models in their true shape with random weights: export, gate, serve, speed, memory
	@$(BIN)/python -m interlingua_benchmarks.dummy_table

report: setup ## evaluate helpdesk12, pair by pair: var/reports/helpdesk12/report.html
	@$(BIN)/interlingua evaluate helpdesk12

report-gnome: setup ## the same on GNOME's help in ten languages, which apt-get fetches
	@$(BIN)/interlingua evaluate gnome-help

gap-table: setup ##! what serving can do about the language gap: kinds of offsets, quota, balance, calibration
	@$(BIN)/python -m interlingua_benchmarks.gap.gap_table

RERANKER := adaptation/interlingua_adaptation/artefacts/e5-small-reranker
RERANKER_WORK := var/reranker

reranker: setup ##! make the default reranker again from nothing: LibreOffice's help, lists, training, artefact
	$(BIN)/interlingua export intfloat/multilingual-e5-small
	$(BIN)/interlingua adapt corpus --work $(RERANKER_WORK) --libreoffice
	$(BIN)/interlingua adapt mine --work $(RERANKER_WORK)
	$(BIN)/interlingua adapt score --work $(RERANKER_WORK) --languages en
	for run in "both 1" "both 2" "hard 1" "soft 1"; do set -- $$run; \
		$(BIN)/interlingua adapt train --work $(RERANKER_WORK) --name $$1$$2 --labels $$1 --seed $$2 \
			--steps 450 --lists-per-step 16 --negatives 3 --longest-document 64 || exit 1; \
	done
	$(BIN)/interlingua adapt merge --work $(RERANKER_WORK) --name merged --replace both1 both2 hard1 soft1
	$(BIN)/interlingua adapt artefact $(RERANKER_WORK)/runs/merged/model $(RERANKER) --rank 40 \
		--model-id interlingua/e5-small-reranker --rerank-weight 0.8 \
		--licence "MIT (base), MPL-2.0 (training texts): see its model card"

reranker-table: setup ##! what the default reranker adds on GNOME help and helpdesk12, per language pair
	@$(BIN)/python -m interlingua_benchmarks.reranker_table

reranker-cost: setup ##! pairs a second of the default reranker in fp32 and int8, and what int8 loses in quality
	@$(BIN)/python -m interlingua_benchmarks.reranker_cost

lock: ## resolve the newest versions into requirements.lock and server/interlingua_server/requirements.lock
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install --quiet ".[adapt,convert,evaluate,export,loadtest,bench,dev]"
	build/lock/bin/pip freeze --exclude interlingua | sed 's/+cpu//' > requirements.lock
	build/lock/bin/pip install --quiet ".[benchmarks]" --constraint requirements.lock
	build/lock/bin/pip freeze --exclude interlingua | sed 's/+cpu//' | grep -vxFf requirements.lock > requirements-benchmarks.lock
	$(PYTHON) -m venv build/lock-server && build/lock-server/bin/pip install --quiet -r server/interlingua_server/requirements.in
	build/lock-server/bin/pip freeze > server/interlingua_server/requirements.lock
	rm -rf build/lock build/lock-server

GPU_MODELS := var/model_repository_gpu
COMPOSE := INTERLINGUA_MODELS=$(abspath $(GPU_MODELS)) docker compose --file deploy/compose.yaml --profile gpu

$(GPU_MODELS)/embedder/config.pbtxt: | $(SETUP)
	$(BIN)/interlingua export intfloat/multilingual-e5-small --kind gpu --model-repository $(GPU_MODELS)

$(GPU_MODELS)/reranker/config.pbtxt: | $(GPU_MODELS)/embedder/config.pbtxt
	$(BIN)/interlingua export interlingua/e5-small-reranker --kind gpu --model-repository $(GPU_MODELS)

gpu: $(GPU_MODELS)/embedder/config.pbtxt $(GPU_MODELS)/reranker/config.pbtxt ## what `make demo` does, in NVIDIA's container on a GPU
	$(COMPOSE) up --build --detach --wait --wait-timeout 600 || { $(COMPOSE) logs --tail 30 triton-gpu; exit 1; }
	@$(BIN)/interlingua demo --server 127.0.0.1:8001

gpu-down: ## stop what `make gpu` started
	$(COMPOSE) down

clean: ## remove what was made here (the download cache stays)
	rm -rf build var .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find model_repository -mindepth 2 -not -name config.pbtxt -delete
