#!/bin/bash
# ctest: p3.swap_behind_a_backlog
# A swap that has to wait: how long, what for, and the two ways out, --now and --cancel.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /tally tally1)]"
run_app
hold() { "$IRIS" send /tally "hold $PWD/$1" 2>err; await is_field /tally mailbox 0; }
fill() { for i in 1 2 3; do "$IRIS" send /tally x 2>err; done; await is_field /tally mailbox 3; }

hold go1; fill
queued_swap /tally "$behaviours/tally2.so"
complains '/tally: queued behind 3 messages, still v1; --now, or iris swap --cancel /tally'
try "$IRIS" swap /tally --cancel;          exits 0; says '/tally  swap cancelled, still v1'
try "$IRIS" swap /tally --cancel;          exits 6; complains 'no swap waits'
: >go1
await is_field /tally handled 4
expect_field /tally rev 1

# Left waiting, it happens when its turn comes: what was accepted before it, the old code has handled.
hold go2; fill
try "$IRIS" swap /tally "$behaviours/tally2.so" --timeout 1s --json; exits 124; is_json; says '"code":"timeout"'
for i in 1 2; do "$IRIS" send /tally x 2>err; done
: >go2
await grep -q 'v1 -> v2' app.out
try "$IRIS" ask /tally count;              says '2 8'

# --now overtakes them, and what was queued before it.
hold go3; fill
"$IRIS" swap /tally "$behaviours/tally1.so" >first 2>first.err & first=$!
await "$IRIS" swap /tally --cancel 2>err
wait $first; status=$? tried='swap that is cancelled'; cp first.err err; exits 6; complains 'cancelled'
queued_swap /tally "$behaviours/tally1.so"; expect_field /tally mailbox 3
"$IRIS" rollback /tally --now --timeout 20ms >out 2>err; status=$? tried='rollback --now'
exits 124; complains 'still v2'
: >go3
await grep -q 'v2 -> v3 (=v1)' app.out
try "$IRIS" ask /tally count;              says '1 11'
expect_field /tally rev 3 # what waited was cancelled

hold go4
queued_swap /tally "$behaviours/tally2.so"; complains 'its handler has not returned, still v3'
: >go4
await is_field /tally rev 4
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
