#!/bin/bash
# ctest: docs.mesh_page_is_true
# Two nodes are run and asked as the page says.
set -eu
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
mkdir bin
printf '#!/bin/sh\nIRIS_PROGRAM=iris exec "%s" "$@"\n' "$IRIS" >bin/iris
chmod +x bin/iris
export PATH=$PWD/bin:$PATH PYTHONDONTWRITEBYTECODE=1
python3 "$SRC/tests/docs/transcript.py" "$SRC/docs/mesh.md"
