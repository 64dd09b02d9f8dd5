#!/bin/bash
# ctest: cli.ready_when_it_says_so
# "ready": "notify": what depends on it, the app's start, a restart and apply wait for its word; without it in time
# the start has failed, and says so.
. "$SRC/tests/cli/live"
late() { actor "$1" late_ready "\"ready\": \"notify\", $2"; }
not_said='it has not said that it is ready within 0.05 s (start_timeout)'

manifest "\"actors\": [$(late /late '"start_timeout": "50ms"'), $(actor /after echo '"depends_on": ["/late"]')]"
try timeout 30 "$IRIS" run;             exits 1; complains "actors[0].handler: $not_said"
leaves_nothing

app() { manifest "\"actors\": [$(actor /after echo '"depends_on": ["/late"]'), $(late /late '"start_timeout": "1m"')$1]"; }
app ", $(late /again '"args": "at once"')"
: >app.out >app.err
"$IRIS" run >app.out 2>app.err & app=$!
expect_field /late state starting
try "$IRIS" ps;                         says starting
try "$IRIS" ask /late hello;            exits 0
[ "$(field /after pid)" = 0 ] || bad 'expected that it waits'
grep -q 'talk to it' app.out && bad 'expected that the app is not ready'
"$IRIS" send /late ready
app_says 'talk to it'
[ "$(grep -o '^✓ /[a-z]*' app.out | tr -d '\n')" = '✓ /late✓ /after✓ /again' ] || { out=$(cat app.out); bad 'expected another order'; }
[ "$(field /late state) $(field /again state)" = 'running running' ] || bad 'expected two that run'

# It has to say so again when it begins again.
try "$IRIS" send /late crash
expect_field /late restarts 1
expect_field /late state starting
try "$IRIS" inspect /late;              says starting
"$IRIS" send /late ready
expect_field /late state running
"$IRIS" restart /late >restarted 2>&1 & restart=$!
expect_field /late state starting
"$IRIS" send /late ready
wait $restart || { out=$(cat restarted); bad 'expected that it has begun again'; }

# apply waits for it, and takes back what does not come.
app ", $(late /again '"args": "at once"'), $(late /new '"start_timeout": "50ms"')"
try "$IRIS" apply;                      exits 6; complains "/new: $not_said"
app ", $(late /again '"args": "never", "start_timeout": "50ms"')"
try "$IRIS" apply;                      exits 6; complains "/again: $not_said"
expect_field /again state running
app ", $(late /again '"args": "at once"'), $(late /new '"args": "at once"')"
try "$IRIS" apply;                      exits 0; says 'add      /new'
[ "$(field /new state)" = running ] || bad 'expected that it runs'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
