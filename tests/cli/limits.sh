#!/bin/bash
# ctest: cli.limits_and_start_timeout
# limits.actors and limits.memory refuse, and say why; an init that does not return in time ends the start.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /a echo), $(actor /b echo), $(actor /c echo)], \"limits\": {\"actors\": 2, \"threads\": 1}"
try timeout 30 "$IRIS" run;             exits 1; complains 'actors[2].handler: spawn: 2 actors live, which is the limit (limits.actors of the manifest)'
leaves_nothing
manifest "\"actors\": [$(actor /a tally1)], \"limits\": {\"actors\": 2, \"memory\": \"64KiB\"}"
run_app
"$IRIS" send /a "hold $PWD/go" 2>err
large=$(printf '%030000d' 0)
for i in 1 2; do "$IRIS" send /a "$large" 2>err; done
try "$IRIS" send /a "$large";           exits 1; complains 'full'
: >go
"$IRIS" stop >out 2>err
app_ends 0
manifest "\"actors\": [$(actor /a echo), $(actor /slow slow_start "\"args\": \"$PWD/begin\", \"start_timeout\": \"50ms\", \"shutdown\": \"kill\"")]"
: >app.out >app.err
"$IRIS" run >app.out 2>app.err & app=$!
app_complains 'its init() has not returned within 0.1 s (start_timeout)'
: >begin
app_ends 1
leaves_nothing

# An actor that is added later has as long, and not all of --timeout.
rm begin
slow=$(actor /slow slow_start "\"args\": \"$PWD/begin\", \"start_timeout\": \"50ms\", \"shutdown\": \"kill\"")
manifest "\"actors\": [$(actor /a echo)]"
run_app
manifest "\"actors\": [$(actor /a echo), $slow]"
try "$IRIS" apply;                      exits 6; complains '/slow: its init() has not returned within 0.1 s (start_timeout)'
: >begin
try "$IRIS" ask /a still;               says still
"$IRIS" stop >out 2>err
app_ends 0
leaves_nothing
finish
