#!/bin/bash
# ctest: p5.net_loss
# 5 % of the packets are lost: nothing else is.
exec python3 "$SRC/tests/netns/faults.py" loss
