#!/bin/bash
# ctest: p4.crash_restarts_in_place_live
# A crash costs one message and the state; pid, path and the rest of the mailbox stay.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /tally tally1 '"restart": "on-failure"'), $(actor /echo echo)]"
run_app
pid=$(field /tally pid)
"$IRIS" send /tally before 2>err
"$IRIS" send /tally "hold $PWD/go" 2>err
await is_field /tally mailbox 0
for m in 'crash test dummy' x y z; do "$IRIS" send /tally "$m" 2>err; done
await is_field /tally mailbox 4
: >go
await is_field /tally restarts 1
await is_field /tally mailbox 0
expect_field /tally pid "$pid"
expect_field /echo restarts 0
try "$IRIS" ask /tally count;              says '1 3' # x, y, z; "before" went with the state
await grep -q 'restart 1' app.out
app_says '· /tally  crash: told to: crash test dummy'
app_says '· /tally  restart 1'
get health;                                says '"crashed":1'
get events;                                says '"kind":"crashed"'; says '"kind":"restarted"'

try "$IRIS" ask /tally 'crash me';         exits 1; complains '/tally: it crashed on this message: told to: crash me'
try "$IRIS" ask /echo still;               says 'still'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
