#!/bin/bash
# ctest: docs.operating_is_true
# The first section of docs/operating.md, as it is typed.
set -eu
mkdir bin
printf '#!/bin/sh\nexec "%s" "$@"\n' "$IRIS" >bin/iris
chmod +x bin/iris
PATH=$PWD/bin:$PATH python3 "$SRC/tests/docs/transcript.py" "$SRC/docs/operating.md"
