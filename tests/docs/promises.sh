#!/bin/bash
# ctest: docs.each_promise_has_its_test
# Every test that docs/promises.md and docs/operating.md name exists, and every promise has some.
pages="$SRC/docs/promises.md $SRC/docs/operating.md" status=0
ctest --test-dir "$BUILD" -N | sed -n 's/ (Disabled)$//; s/^ *Test *#[0-9]*: //p' >tests
[ "$(wc -l <tests)" -gt 300 ] || { echo 'ctest lists hardly any tests'; exit 1; }
# What stands there as code and looks like a test's name: group.words_with_underscores
grep -ohE '`[a-z0-9]+(\.[a-z]+)*\.[a-z0-9]+(_[a-z0-9]+)+`' $pages | tr -d '`' | sort -u >named
has_node=$(sed -n 's/^IRIS_NODE_PROGRAM:[A-Z]*=\//\//p' "$BUILD/CMakeCache.txt")
while read -r name; do
    case $name in metrics.max_series | mailbox.warn_at) continue ;; node.*) [ -n "$has_node" ] || continue ;; esac # its tests are there where a node is
    grep -qxF "$name" tests || { echo "docs/ names the test $name, which does not exist"; status=1; }
done <named
[ "$(wc -l <named)" -gt 80 ] || { echo 'docs/promises.md names hardly any tests'; status=1; }
for n in 1 2 3 4 5 6 7 8 9 10; do
    grep -q "^p$n\." named || { echo "docs/promises.md names no test of P$n"; status=1; }
done
exit $status
