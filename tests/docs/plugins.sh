#!/bin/bash
# ctest: docs.plugins_page_is_true
# The tutorial's files are written, compiled and run as it says, in a directory that looks like a clone.
set -eu
ln -s "$SRC/include" include
printf '#!/bin/sh\nIRIS_PROGRAM="$0" exec "%s" "$@"\n' "$IRIS" >iris
printf '#!/bin/sh\nexec "%s" -Wall -Wextra -Werror -std=c17 "$@"\n' "$CC" >cc
chmod +x iris cc
PATH=$PWD:$PATH python3 "$SRC/tests/docs/transcript.py" "$SRC/docs/plugins.md"
