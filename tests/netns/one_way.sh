#!/bin/bash
# ctest: p5.net_one_way
# A node hears the other no more, and is heard.
exec python3 "$SRC/tests/netns/faults.py" one_way
