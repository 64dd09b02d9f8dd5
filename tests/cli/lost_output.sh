#!/bin/bash
# ctest: cli.lost_output_is_no_success
# What could not be printed is lost: the exit status says so, on a full disk and where stdout is closed.
. "$SRC/tests/cli/live"

lost() { exits 1; complains 'what was to be printed is lost'; }
full() { "$@" >/dev/full; }
closed() { "$@" >&-; }

manifest "\"actors\": [$(actor /echo echo), $(actor /tally tally1)]"
for how in full closed; do
    for verb in --help --version 'ps --help' check 'check --json' 'run --until-idle' 'ps --json'; do
        try $how "$IRIS" $verb;                    lost
    done
done
run_app
for how in full closed; do
    for verb in ps 'ps --json' 'ask /echo x' 'ask /echo x --json'; do
        try $how "$IRIS" $verb;                    lost
    done
done
try "$IRIS" ps;                                exits 0; says 'running'
"$IRIS" ps <&- >out; status=$? tried='iris ps <&-'; exits 0

# An app that ends while somebody waits for its answer.
"$IRIS" send /tally "hold $PWD/never" 2>err
await is_field /tally mailbox 0
"$IRIS" ask /tally x >ask.out 2>ask.err & asking=$!
await is_field /tally mailbox 1
kill -KILL $app
wait $asking; status=$? tried='iris ask' out=$(cat ask.out) err=$(cat ask.err)
exits 1; cp ask.err err; complains 'the app ended before it answered'
wait $app 2>err

# A terminal that is gone does not fail the app that was started from it.
: >app.out
"$IRIS" run >/dev/full 2>app.err & app=$!
await "$IRIS" ask /echo x
try "$IRIS" stop;                              exits 0
app_ends 0
leaves_nothing
finish
