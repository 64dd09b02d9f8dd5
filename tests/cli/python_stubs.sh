#!/bin/bash
# ctest: python.stubs_say_what_is
# The stubs beside the module agree with it, as far as mypy's stubtest can see.
set -eu
python=$(sed -n 's/^IRIS_PYTHON_PROGRAM:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
[ -n "$python" ] && "$python" -c 'import mypy.stubtest' 2>/dev/null || exit 77
[ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ] || exit 77
mkdir -p stubs/iris
cp "$SRC"/hosts/python/iris/*.pyi stubs/iris/
PYTHONPATH=$BUILD/lib/iris/python MYPYPATH=$PWD/stubs "$python" -m mypy.stubtest iris --concise
