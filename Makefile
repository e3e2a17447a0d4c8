# Laminar. `make run` is the way in; see README.md and CONTRIBUTING.md.
BUILD_JOBS ?= $(shell nproc)
TEST_PRESET ?= dev
TEST_ARGUMENTS ?=
WERROR ?= OFF

FUZZ_SECONDS ?= 60
export SIM_SEEDS ?= 2000

.PHONY: run build setup test test-asan test-tsan simulate fuzz bench fmt lint docs clean

run: build  ## Build what is missing, then start the server with the example over real flights running.
	./build/release/laminar server --run examples/flights/watch.sql --follow

setup:  ## Install Debian packages and the pinned Arrow wheel, where missing.
	./tools/setup

build: setup  ## A release build: build/release/laminar.
	cmake --preset release -DLAMINAR_WERROR=$(WERROR)
	cmake --build build/release -j $(BUILD_JOBS) --target laminar

test: setup  ## Build and run all tests.
	./tools/setup --tests
	cmake --preset $(TEST_PRESET) -DLAMINAR_WERROR=$(WERROR)
	cmake --build build/$(TEST_PRESET) -j $(BUILD_JOBS)
	./tools/run_tests build/$(TEST_PRESET) $(TEST_ARGUMENTS)

test-asan:  ## The same under AddressSanitizer and UndefinedBehaviorSanitizer.
	$(MAKE) test TEST_PRESET=asan-ubsan

test-tsan:  ## The same under ThreadSanitizer.
	$(MAKE) test TEST_PRESET=tsan

simulate: build  ## SIM_SEEDS seeds of the simulator on the release build (docs/simulator.md).
	cmake --build build/release -j $(BUILD_JOBS) --target sim_test
	./tools/simulate build/release $(SIM_SEEDS)

fuzz: setup  ## Each fuzz target for FUZZ_SECONDS, under both sanitizers of test-asan.
	./tools/setup --tests
	cmake --preset asan-ubsan -DLAMINAR_WERROR=$(WERROR)
	cmake --build build/asan-ubsan -j $(BUILD_JOBS) --target fuzz_targets
	./tools/fuzz build/asan-ubsan $(FUZZ_SECONDS)

bench: build  ## Nexmark beside DuckDB and simdjson (bench/README.md).
	./tools/setup --tests
	cmake --preset release -DLAMINAR_BENCH=ON
	cmake --build build/release -j $(BUILD_JOBS) --target bench_simdjson bench_json
	.venv/bin/python bench/run.py $(BENCH)

fmt:
	./tools/setup --lint
	git ls-files '*.h' '*.cc' | xargs .venv/bin/clang-format -i

lint: setup  ## House rules, formatting, and clang-tidy over what differs from main (TIDY_FILES=--all: everything).
	./tools/setup --lint
	./tools/tidy
	git ls-files '*.h' '*.cc' | xargs .venv/bin/clang-format --dry-run --Werror
	cmake --preset asan-ubsan -DLAMINAR_WERROR=$(WERROR) >/dev/null
	./tools/clang_tidy build/asan-ubsan $(TIDY_FILES)

docs: build  ## docs/functions.md from the registry.
	./build/release/laminar functions --format markdown > docs/functions.md

clean:
	rm -rf build
