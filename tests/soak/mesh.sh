#!/bin/bash
# Nodes under random faults: tests/soak/mesh.py
exec python3 "$SRC/tests/soak/mesh.py"
