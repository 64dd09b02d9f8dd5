#!/bin/bash
# ctest: p5.net_freeze
# A process is stopped, and goes on.
exec python3 "$SRC/tests/netns/faults.py" freeze
