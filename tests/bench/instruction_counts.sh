#!/bin/bash
# ctest: bench.instruction_counts_stay
exec "$SRC/tools/bench/instructions" "$BUILD"
