# The thin door to CMake: `make run`, `make test`. Presets and flags: CMakePresets.json, cmake/.

PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
build = cmake --preset $(1) >/dev/null && cmake --build --preset $(1) -j $(JOBS)
test = ctest --preset $(1) -j $(JOBS)

.PHONY: build run test bench lint format install soak seeds fuzz test-asan test-tsan clean

build:
	@tools/setup
	@$(call build,release)

run: build
	@./iris run examples/logwatch/app.json --until-idle

test: build
	@$(call test,release)

bench: build
	@build/release/bin/iris-bench

test-asan:
	@tools/setup
	@$(call build,asan)
	@$(call test,asan)

test-tsan:
	@tools/setup --all
	@$(call build,tsan)
	@$(call test,tsan)

# The longer runs. SEEDS: how many schedules; FUZZ_SECONDS: how long each fuzz target.
seeds: build
	@SEEDS=$${SEEDS:-1000} ctest --preset release -j $(JOBS) -R seeds

fuzz:
	@tools/setup --all
	@$(call build,fuzz)
	@tools/fuzz build/fuzz $(FUZZ_SECONDS)

soak: build
	@tools/soak

lint: build
	@tools/setup --all
	@tools/lint/all build/release

format:
	@tools/lint/sources | xargs clang-format -i

install: build
	@cmake --install build/release --prefix "$(abspath $(DESTDIR)$(PREFIX))"

clean:
	@rm -rf build
