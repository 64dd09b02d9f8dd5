#!/bin/bash
# ctest: bench.prints_a_table
# The shortest workload in each style. What the figures are decides nothing.
set -eu
bench=$BUILD/bin/iris-bench

"$bench" --runs 1 swap | grep -q '^swaps of a stateful counter .*k swaps/s'
"$bench" --runs 1 --markdown swap | grep -q '^| swaps of a stateful counter | 1 | in effect | k swaps/s |'
"$bench" --runs 1 --json swap | tr -d '\n' |
    grep -q '"schema": "iris-bench/1".*"rows": \[.*"workload": "swap".*"iris": {"median": [0-9.]*.*"load_after"'

status=0
"$bench" nonesuch 2>error || status=$?
[ $status -eq 2 ]
grep -q 'no workload "nonesuch"' error
