#!/bin/bash
# ctest: p5.net_cluster_three
# The leader of an engine of three is cut off, and with it the owner of a name: never do two answer for it.
exec python3 "$SRC/tests/netns/cluster.py"
