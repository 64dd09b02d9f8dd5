#!/bin/bash
# Node actors at random for $SOAK_SECONDS (600): nothing hangs, and memory stays flat.
set -eu
node=$(sed -n 's/^IRIS_NODE_PROGRAM:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
[ -x "$node" ] || exit 77
IRIS_NODE=$BUILD/lib/iris/node "$node" --expose-gc "$SRC/tests/soak/node.mjs" "${SOAK_SECONDS:-600}"
