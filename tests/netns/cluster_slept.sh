#!/bin/bash
# ctest: p5.net_cluster_slept
# The owner's machine was suspended: its clock stood still, and its lease has ended. It does not answer for the name.
exec python3 "$SRC/tests/netns/cluster_slept.py"
