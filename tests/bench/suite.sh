#!/bin/bash
# ctest: bench.suite_makes_a_page
# make bench, of one topic and quickly: a row for each thing that should be, a row for each figure, and the same as JSON.
# Where a page is written to, what stands around its marks stays. What the figures are decides nothing.
set -eu
export PYTHONDONTWRITEBYTECODE=1
suite=$SRC/tools/bench/suite
mkdir -p lib/iris bin # its results are written beside the build, and others may run this too
cp "$BUILD/CMakeCache.txt" .
ln -s "$BUILD/bin/iris-bench" bin/iris-bench

python3 "$suite" . --quick swap >page 2>said
grep -q '^| swap by pointer, in effect and acknowledged | M/s | [0-9.,]* |  | 3.00 | 5.00 | ' page
grep -q '^| native to Python | M msgs/s |  |  | 8.00 | 12.0 | not measured |' page
grep -q '^| swaps of a stateful counter | in effect | k swaps/s | Iris, 1 worker | [0-9.,]* | [0-9.,]* to [0-9.,]* | 1 |' page
python3 -c '
import json
d = json.load(open("bench.json"))
assert d["schema"] == "iris-suite/1" and not d["failures"], d["failures"]
assert {r["title"] for r in d["rows"]} >= {"swaps of a stateful counter"}, d["rows"]
assert next(t for t in d["targets"] if t["target"].startswith("swap by pointer"))["value"] > 0, d["targets"]'

# A page of a part, or of a hundredth of the work, is not written.
echo 'as it was' >into
python3 "$suite" . --quick --write into swap >/dev/null 2>said
grep -q 'into stays as it is: these are not all' said
[ "$(cat into)" = 'as it was' ]

status=0
python3 "$suite" . nonesuch 2>said || status=$?
[ $status -eq 2 ]
grep -q "no topic 'nonesuch'" said

printf 'before\n%s\nold\n%s\nbehind\n' '<!-- make bench: all from here is made by it -->' '<!-- make bench: until here -->' >into
PYTHONPATH=$suite python3 -c 'import page; page.write_between("into", "new")'
[ "$(tr -d '\n' <into)" = 'before<!-- make bench: all from here is made by it -->new<!-- make bench: until here -->behind' ]
echo 'no marks' >into
! PYTHONPATH=$suite python3 -c 'import page; page.write_between("into", "new")' 2>said
grep -q 'into has not one line' said
[ "$(cat into)" = 'no marks' ]
