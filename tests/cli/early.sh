#!/bin/bash
# ctest: cli.early_client_waits_for_the_start
# Who asks while the app starts is not told that the actor is gone: the answer comes when it has begun.
. "$SRC/tests/cli/live"

slow="$(actor /slow slow_start "\"args\": \"$PWD/go\", \"shutdown\": \"1m\""), $(actor /echo echo)"
manifest "\"actors\": [$slow]"
: >app.out
"$IRIS" run >app.out 2>app.err & app=$!
is_listed() { "$IRIS" ps | grep -q '/slow .* running'; } # its init runs; /echo is behind it
await is_listed
try "$IRIS" ps;                            exits 0; says '/echo'; says 'starting'
expect_field /echo state starting
expect_field /echo stuck_ms 0
try "$IRIS" ask /echo hi --timeout 20ms;   exits 124; complains '/echo: not started yet; the app is still starting'
try "$IRIS" ask /ecco hi;                  exits 5; complains 'did you mean /echo?'
"$IRIS" ask /echo hi >ask.out 2>ask.err & asking=$!
: >go
wait $asking || bad 'expected an answer'
cp ask.out out; says 'hi'
await grep -q 'talk to it' app.out
try "$IRIS" stop; app_ends 0; leaves_nothing

# Told to stop meanwhile: who waits is told that, and nobody is welcomed.
rm go
"$IRIS" run >app.out 2>app.err & app=$!
await is_listed
"$IRIS" ask /echo hi >ask.out 2>ask.err & asking=$!
post stop '{}'
wait $asking; status=$? tried='iris ask' out=; err=$(cat ask.err)
exits 1; cp ask.err err; complains 'the app is stopping'
: >go
app_ends 0
if grep -q 'talk to it' app.out; then bad 'expected no welcome'; fi
leaves_nothing
finish
