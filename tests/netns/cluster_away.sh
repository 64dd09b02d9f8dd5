#!/bin/bash
# ctest: p5.net_cluster_engine_away
# The engine is dead for a while under traffic: links go on, names as long as their leases, and new ones are refused.
exec python3 "$SRC/tests/netns/cluster_away.py" 5 2
