#!/bin/bash
# Python actors at random for $SOAK_SECONDS (600): nothing hangs, and memory stays flat.
set -eu
python=$(sed -n 's/^IRIS_PYTHON_PROGRAM:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
[ -n "$python" ] || exit 77
PYTHONPATH=$BUILD/lib/iris/python "$python" "$SRC/tests/soak/python.py" "${SOAK_SECONDS:-600}"
