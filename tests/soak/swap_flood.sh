#!/bin/bash
# Ten thousand swaps under four flooding senders, over and over with threads for $SOAK_SECONDS: each round the
# schedule is another one, and nothing may be lost, reordered or counted twice.
set -eu
test=$BUILD/tests/unit/swap_flood_test
end=$((SECONDS + ${SOAK_SECONDS:-180})) rounds=0
while [ $SECONDS -lt $end ]; do
    "$test" >round.out 2>&1 || { cat round.out; echo "round $((rounds + 1)) failed"; exit 1; }
    rounds=$((rounds + 1))
done
echo "swap flood: $rounds rounds"
