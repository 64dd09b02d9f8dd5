#!/bin/bash
# Many monitored actors of another node: tests/soak/mesh_throng.py
exec python3 "$SRC/tests/soak/mesh_throng.py"
