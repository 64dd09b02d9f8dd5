#!/bin/bash
# Clusters: 20 owners of a name are killed; then the engine is dead for 30 s under traffic. Each in a directory of its own.
mkdir killed away
(cd killed && exec python3 "$SRC/tests/soak/cluster.py") && cd away && exec python3 "$SRC/tests/netns/cluster_away.py" "${SOAK_AWAY:-30}" 10
