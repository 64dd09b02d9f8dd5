#!/bin/bash
# ctest: p5.net_cut_own
# A node's own end of its line goes down; TLS.
exec python3 "$SRC/tests/netns/faults.py" cut_own
