#!/bin/bash
# ctest: p5.net_cut
# The far end of a node's line goes down: one DOWN on both sides, and they find each other again.
exec python3 "$SRC/tests/netns/faults.py" cut
