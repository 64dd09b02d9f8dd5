#!/bin/bash
# ctest: p9.shutdown_bounds_the_stop_of_an_actor
# "shutdown": how long an actor may take to stop, alone and with the app; "kill": no time at all.
. "$SRC/tests/cli/live"

manifest "\"supervisors\": [{\"path\": \"/q\", \"shutdown\": \"50ms\"}],
\"actors\": [$(actor /word last_word), $(actor /q/tally tally1), $(actor /q/other tally1), $(actor /kill tally1 '"shutdown": "kill"')]"
run_app
# what waits is more than its time allows
"$IRIS" send /q/tally "hold $PWD/go" 2>err
await is_field /q/tally mailbox 0
for i in 1 2 3; do "$IRIS" send /q/tally "hold $PWD/go" 2>err; done
try "$IRIS" stop /q/tally --timeout 1ms;   exits 124
await grep -q 'told to end, it does not return' app.err
: >go
await grep -q '/q/tally  ended: killed (how=.*): its time to end is over' app.out
rm go
try "$IRIS" stop /kill;                    exits 0
await grep -q '/kill  ended: killed' app.out
"$IRIS" send /q/other "hold $PWD/go" 2>err
await is_field /q/other mailbox 0
"$IRIS" send /q/other x 2>err
"$IRIS" stop >stop.out 2>stop.err & stopping=$!
app_says '/word  ends' # it began first, so its turn comes when the time of /q/other is over
: >go
wait $stopping; status=$? tried='iris stop' out=$(cat stop.out) err=$(cat stop.err); exits 0
app_ends 0
app_says '/q/other  ended: killed (how=kill): it did not stop in time'
leaves_nothing
finish
