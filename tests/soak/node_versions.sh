#!/bin/bash
# Swaps of ever new modules in Node, small and large: memory stays flat.
set -eu
[ -e "$BUILD/lib/iris/hosts/node.so" ] || exit 77
python3 "$SRC/tools/bench/versions.py" --flat "$BUILD"
