#!/bin/bash
# ctest: p4.a_stuck_handler_is_explained
# A handler that does not return: the console, ps and explain say who, what in, and for how long; others go on.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /tally tally1), $(actor /echo echo)]"
run_app --workers 1
"$IRIS" send /tally before 2>err
await is_field /tally handled 1
"$IRIS" send /tally "hold $PWD/go" 2>err
await is_field /tally state stuck
try "$IRIS" ask /echo 'still here';        exits 0; says 'still here'
await grep -q 'has not returned' app.err
app_complains '/tally  '; app_complains 'tally1.so v1 has not returned for '
await explained /tally 'stuck        v1'
try "$IRIS" explain /tally;                exits 0
says '/tally  stuck for '; says 'stuck        v1 1.0.0 in message 2 from outside, '; says 'bytes: "hold /'
says 'mend its code, then: '
try "$IRIS" explain /tally --json;         is_json; says '"kind":"stuck"'; says '"stuck_ms":'
[ "$(json 'min(e["lasted_ms"] for e in d["events"] if e["kind"] == "stuck") >= 1000')" = True ] || bad 'expected for how long'
: >go
await is_field /tally state running
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
