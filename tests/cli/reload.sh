#!/bin/bash
# ctest: cli.sighup_reads_the_manifest_again
# SIGHUP, to what has no terminal, is `iris apply`: also from another directory, and with what it was told to set.
# And `iris restart`.
. "$SRC/tests/cli/live"

mkdir app; cd app
manifest "\"env\": {\"N\": \"1\"}, \"actors\": [$(actor /tally tally1 '"args": "${N}"'), $(actor /echo echo)]"
with=setsid run_app --set env.N=7
for i in 1 2 3; do "$IRIS" send /tally x 2>err; done
kill -HUP $app
app_says ': 0 changes, 2 actors kept'
manifest "\"env\": {\"N\": \"1\"}, \"actors\": [$(actor /tally tally1 '"args": "${N}", "log_level": "debug", "shutdown": "1m"'), $(actor /two echo)]"
kill -HUP $app
app_says 'applied'; app_says ': 3 changes, 0 actors kept'
try "$IRIS" ask /two x;                    says x
try "$IRIS" ask /echo x;                   exits 5
expect_field /tally restarts 0
echo '{}' >app.json
kill -HUP $app
app_complains 'nothing has changed'
try "$IRIS" ask /two x;                    says x

# ---- restart
try "$IRIS" ask /tally count;              says '1 3'
try "$IRIS" restart /tally;                exits 0; says '/tally  begun again in'; says 'restart 1'; is_quiet
try "$IRIS" ask /tally count;              says '1 0'
for i in 2 3 4 5; do try "$IRIS" restart /tally --json; exits 0; is_json; done; says '"restarts":5'
"$IRIS" send /tally "hold $PWD/go" 2>err
await is_field /tally mailbox 0
"$IRIS" send /tally x 2>err
try "$IRIS" restart /tally --timeout 50ms; exits 124; complains 'it has not begun again yet'
: >go
expect_field /tally restarts 6
try "$IRIS" ask /tally count;              says '1 1' # its mail was kept
try "$IRIS" restart /nobody;               exits 5; complains 'no actor /nobody'
try "$IRIS" restart;                       exits 2
await explained /tally 'restart 6' || bad 'expected it in its story'

# ---- what is asked for while one waits for another thing is done when that is over
"$IRIS" send /tally "hold $PWD/go2" 2>err
await is_field /tally mailbox 0
"$IRIS" stop '/tally/**' >out 2>err & stop=$!
ends() { field /tally state | grep -qE 'stopping|stuck'; }
await ends
manifest "\"env\": {\"N\": \"1\"}, \"actors\": [$(actor /three echo)]"
kill -HUP $app
: >go2
wait $stop; status=$? tried='stop, and SIGHUP' out=$(cat out) err=$(cat err); exits 0
await "$IRIS" ask /three x
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
