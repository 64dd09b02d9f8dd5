#!/bin/bash
# ctest: example.logwatch_is_scored_by_a_rule_in_python
. "$SRC/tests/cli/live"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
cp "$SRC/examples/logwatch/scored.json" "$SRC/examples/logwatch/scoring.py" "$SRC/examples/logwatch/sample.log" .
run_app scored.json --watch --set env.LOG=sample.log
scores() { [ "$("$IRIS" ask /logwatch/score now 2>err)" = "score $1" ]; }
counted() { "$IRIS" ask /logwatch/counter totals 2>err | grep -q 'lines 273 '; }
await counted
await scores 84
sed -i 's/"remove": 3/"remove": 30/' scoring.py # sample.log: one line
await scores 111
try "$IRIS" rollback /logwatch/score;      exits 0; says '(=v1)'
await scores 84
# The three without it, and the four of them, are one and the same app.
for path in counter parser reader; do
    for file in app.json scored.json; do
        python3 -c 'import json,sys; print([a for a in json.load(open(sys.argv[1]))["actors"] if a["path"] == sys.argv[2]])' \
            "$SRC/examples/logwatch/$file" "/logwatch/$path" >"$file.$path"
    done
    cmp "app.json.$path" "scored.json.$path" || bad 'scored.json and app.json differ'
done
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
