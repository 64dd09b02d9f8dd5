#!/bin/bash
# Malformed frames and silent connections: tests/soak/mesh_strangers.py
exec python3 "$SRC/tests/soak/mesh_strangers.py"
