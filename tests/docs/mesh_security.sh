#!/bin/bash
# ctest: docs.mesh_security_is_true
# Certificates are made as the page says, and its manifest is taken.
set -eu
mkdir bin
printf '#!/bin/sh\nIRIS_PROGRAM=iris exec "%s" "$@"\n' "$IRIS" >bin/iris
chmod +x bin/iris
export PATH=$PWD/bin:$PATH
python3 "$SRC/tests/docs/transcript.py" "$SRC/docs/mesh-security.md"
cp "$BUILD/tests/behaviours/echo.so" hello.so
iris check app.json
