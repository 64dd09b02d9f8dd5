#!/bin/bash
# ctest: p4.an_overflow_is_reported_and_the_others_go_on
# A pull actor that uses its stack up is told of with path, code and version; its supervisor decides; who
# writes where nothing is ends the process, as ever.
. "$SRC/tests/cli/live"

# A sanitizer cannot follow when code is given up in the middle of it (see tests/unit/overflow_test.c).
if nm "$IRIS" 2>/dev/null | grep -q '__[at]san_'; then
    echo 'skipped: a sanitizer'
    exit 77
fi

manifest "\"actors\": [$(actor /dug puller '"restart": "on-failure"'), $(actor /once puller '"restart": "never"'),
    $(actor /echo echo)]"
run_app
pid=$(field /dug pid)
try "$IRIS" ask /dug count;                says '1'
try "$IRIS" ask /dug dig;                  exits 1
await is_field /dug restarts 1
expect_field /dug pid "$pid"
app_says '/dug'; app_says 'panic (how=stack): stack overflow in handle() of "puller" 1.0.0: all 64 KiB are used up'
try "$IRIS" ask /dug count;                says '1' # from its beginning, on the same stack
"$IRIS" send /once dig 2>err
gone() { ! "$IRIS" ps | grep -q /once; }
await gone
try "$IRIS" ask /echo still;               says 'still'
"$IRIS" send /dug 'first b' 2>err; "$IRIS" send /dug a 2>err; "$IRIS" send /dug b1 2>err
await grep -q 'first b1' app.out
try "$IRIS" ask /dug count;                says '4'
"$IRIS" send /dug wild 2>err
wait $app
tried='iris run' status=$? out=$(cat app.out) err=$(cat app.err)
[ $status -ge 128 ] || bad 'expected it to die by the signal'
rm -rf "$XDG_RUNTIME_DIR"/iris "$XDG_STATE_HOME"/iris
finish
