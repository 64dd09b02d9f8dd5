#!/bin/bash
# ctest: p5.net_slow
# A slow line that is full of large messages: heartbeats go between, nobody is taken for dead.
exec python3 "$SRC/tests/netns/faults.py" slow
