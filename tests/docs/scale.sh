#!/bin/bash
# ctest: docs.scale_page_is_true
# What is computed and what is simulated comes out as the page says: the same each time, on every machine.
mkdir build
ln -s "$BUILD" build/release
PYTHONDONTWRITEBYTECODE=1 python3 "$SRC/tests/docs/transcript.py" "$SRC/docs/scale.md"
