# The thin door to CMake: `make run`, `make test`. Presets and flags: CMakePresets.json, cmake/.

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
build = cmake --preset $(1) >/dev/null && cmake --build --preset $(1) -j $(JOBS)
# `build` is what one uses, `whole` also what tests it: twice as much.
# Twice the cores: most tests of whole programs wait, for a process or for a clock.
test = ctest --preset $(1) -j $$((2 * $(JOBS)))

.PHONY: build whole run test bench bench-python bench-node bench-mesh bench-peers lint analyze format install deb soak soak-churn soak-python soak-node soak-mesh soak-cluster lifetimes-node seeds sim soak-sim fuzz test-asan test-tsan test-clang clean

build:
	@tools/setup
	@$(call build,release) --target programs

whole:
	@tools/setup
	@$(call build,release)

run: build
	@./iris run examples/logwatch/app.json --until-idle

test: whole
	@$(call test,release)

# All of it, with the peers that are installed, into docs/benchmarks.md: some 20 minutes. BENCH: --quick, --runs N, topics
# (tools/bench/suite --help); what is not the whole is printed only.
bench: build
	@python3 tools/bench/suite build/release --write docs/benchmarks.md $(BENCH)

# What Python actors do; BENCH_PYTHON: --runs N, and rows.
bench-python: build
	@PYTHONPATH=build/release/lib/iris/python $$(sed -n 's/^IRIS_PYTHON_PROGRAM:[A-Z]*=//p' \
	    build/release/CMakeCache.txt) tools/bench/python.py $(BENCH_PYTHON)

bench-node: build
	@node tools/bench/node.mjs $(BENCH_NODE)

# Between two processes, beside libuv and (where it is) Erlang; BENCH_MESH: its options, as --markdown.
mesh_rows = mesh-trip mesh-trip-still mesh-trip-spin mesh-trip-erlang mesh-trip-tls mesh-pipe mesh-pipe-tls
bench-mesh: build
	@build/release/bin/iris-bench $(BENCH_MESH) $(mesh_rows)

# The same, and the peers are installed first.
bench-peers:
	@tools/setup --bench
	@$(MAKE) bench

# Labels of what waits more than it works: twice as many at once as cores.
programs = cli|python|node|docs

# What has one thread (sim) shows nothing to TSan; kernels and their networks (netns) are the same for each build, as are
# the pages (docs); whole programs and the hosts of languages are clang's in the preset tsan already.
test-asan:
	@tools/setup
	@$(call build,asan)
	@ctest --preset asan -j $$((2 * $(JOBS))) -L '$(programs)' -LE netns
	@ctest --preset asan -j $(JOBS) -LE '$(programs)|netns'

# TSan wants its addresses where older kernels put them: no address randomisation, where that is allowed.
fixed = $(shell setarch -R true 2>/dev/null && echo setarch -R)

test-tsan:
	@tools/setup --all
	@$(call build,tsan)
	@$(fixed) ctest --preset tsan -j $$((2 * $(JOBS))) -L '$(programs)' -LE 'sim|netns|docs'
	@$(fixed) ctest --preset tsan -j $(JOBS) -LE '$(programs)|sim|netns|docs'
	@$(call build,tsan-python)
	@$(fixed) $(call test,tsan-python)

test-clang:
	@tools/setup --all
	@$(call build,clang)
	@$(call test,clang) -LE 'sim|netns|docs|node|python|cli'

# SEEDS: how many schedules each play has (tests of the label seeds); FUZZ_SECONDS: how long each fuzz target runs;
# SOAK_SECONDS: how long each script in tests/soak/ does (never in CI).
FUZZ_SECONDS ?= 20

seeds: whole
	@SEEDS=$${SEEDS:-1000} ctest --preset release -j $(JOBS) -L seeds

# The simulator of the mesh (tests/sim): SIM_SEEDS lives of some nodes each; a million take hours.
sim: whole
	@tools/sim build/release $${SIM_SEEDS:-10000}

soak-sim: whole
	@tools/sim build/release $${SIM_SEEDS:-1000000}

fuzz:
	@tools/setup --all
	@$(call build,fuzz) --target fuzzers
	@tools/fuzz build/fuzz $(FUZZ_SECONDS)

# What lives at random, as released and under two sanitizers: SOAK_SECONDS (600) each.
churn = ASAN_OPTIONS=detect_stack_use_after_return=1:quarantine_size_mb=16 \
    LSAN_OPTIONS=suppressions=tests/lsan.supp TSAN_OPTIONS=suppressions=tests/tsan.supp \
    $(2) build/$(1)/tests/soak/churn $${SOAK_SECONDS:-600}

soak-churn: whole
	@$(call churn,release)
	@tools/setup --all
	@$(call build,asan) --target churn
	@$(call churn,asan)
	@$(call build,tsan) --target churn
	@$(call churn,tsan,$(fixed))

soak-python: whole
	@IRIS=$(CURDIR)/build/release/bin/iris SRC=$(CURDIR) BUILD=$(CURDIR)/build/release \
	    tests/run_script $(CURDIR)/tests/soak/python.sh

soak-node: whole
	@IRIS=$(CURDIR)/build/release/bin/iris SRC=$(CURDIR) BUILD=$(CURDIR)/build/release \
	    tests/run_script $(CURDIR)/tests/soak/node.sh

# Three nodes under random faults, and books that balance; SEED.
soak-mesh: whole
	@IRIS=$(CURDIR)/build/release/bin/iris SRC=$(CURDIR) BUILD=$(CURDIR)/build/release \
	    tests/run_script $(CURDIR)/tests/soak/mesh.sh

# Owners of a name are killed, and the engine is dead for half a minute; RUNS (20) of the former.
soak-cluster: whole
	@tools/setup --all
	@IRIS=$(CURDIR)/build/release/bin/iris SRC=$(CURDIR) BUILD=$(CURDIR)/build/release \
	    tests/run_script $(CURDIR)/tests/soak/cluster.sh

# Processes with actors of Node, from begin to end, in random order; LIVES (100) of them.
lifetimes-node: whole
	@node=$$(sed -n 's/^IRIS_NODE_PROGRAM:[A-Z]*=//p' build/release/CMakeCache.txt); [ ! -x "$$node" ] || \
	    IRIS_NODE=$(CURDIR)/build/release/lib/iris/node "$$node" tests/node/lifetimes.mjs $${LIVES:-100}

soak: whole soak-churn lifetimes-node
	@SEEDS=$${SEEDS:-10000} ctest --preset release -j $(JOBS) -L seeds
	@ctest --preset release -j $(JOBS) --repeat until-fail:20
	@for script in tests/soak/*.sh; do [ ! -f "$$script" ] || \
	    IRIS=$(CURDIR)/build/release/bin/iris SRC=$(CURDIR) BUILD=$(CURDIR)/build/release \
	    tests/run_script $(CURDIR)/$$script || exit 1; done

lint: whole
	@tools/setup --all
	@tools/lint/all build/release

# What lint does not wait for: clang's analyzer, minutes long.
analyze: whole
	@tools/setup --all
	@tools/lint/tidy build/release deep

format:
	@tools/lint/sources core hosts mesh tools examples tests | xargs -r clang-format -i

install: build
	@DESTDIR="$(abspath $(DESTDIR))" cmake --install build/release --prefix "$(abspath $(PREFIX))"

# A package for this Debian: build/iris_VERSION_ARCHITECTURE.deb.
deb: whole
	@cd build && cpack -G DEB --config release/CPackConfig.cmake

clean:
	@rm -rf build
