#!/bin/bash
# ctest: p5.net_kill
# A process is killed and started again on its address.
exec python3 "$SRC/tests/netns/faults.py" kill
