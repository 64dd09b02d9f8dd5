#!/bin/bash
# ctest: p5.net_five
# Five nodes with certificates, one of them cut off.
exec python3 "$SRC/tests/netns/faults.py" five
