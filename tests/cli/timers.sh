#!/bin/bash
# ctest: cli.timers_of_the_manifest
# What the manifest's timers send comes, again in each incarnation, and ends with the actor.
. "$SRC/tests/cli/live"

count() { "$IRIS" ask "$1" count | grep -oE '[0-9]+$'; }
has_counted() { [ "$(count "$1")" -ge "$2" ]; }
is_asleep() { is_field "$1" state asleep; }

every='"timers": [{"every": "2ms", "send": "x"}, {"after": "1ms", "send": {"once": true}}]'
once='"timers": [{"after": "1ms", "send": "x"}]'
manifest "\"actors\": [$(actor /every tally1 "$every"), $(actor /once tally1 "$once"), $(actor /none tally1)]"
run_app
await has_counted /every 20
await has_counted /once 1
try "$IRIS" send /every crash;             exits 0
await is_field /every restarts 1
await has_counted /every 5
try "$IRIS" send /once crash;              exits 0
await is_field /once restarts 1
await has_counted /once 1
try "$IRIS" ask /once count;               says '1 1'
try "$IRIS" ask /none count;               says '1 0'
try "$IRIS" stop /every;                   exits 0
try "$IRIS" ask /none count;               says '1 0'
try "$IRIS" stop; app_ends 0; leaves_nothing

# Once is work that --until-idle waits for, each is not.
manifest "\"actors\": [$(actor /once tally1 "$once"), $(actor /every tally1 '"timers": [{"every": "1h", "send": "x"}]')]"
try "$IRIS" run --until-idle;              exits 0; says 'idle: 1 messages handled, 0 dead letters'

# A lazy one begins with its first message, which may be that of a timer, and rests again.
lazy='"start": "lazy", "idle_timeout": "5ms"'
manifest "\"actors\": [$(actor /lazy tally1 "$lazy"), $(actor /woken tally1 "\"start\": \"lazy\", $once")]"
run_app
app_says 'begins with its first message'
is_asleep /lazy || bad 'expected it to be asleep'
expect_field /lazy uptime_ms -1
try "$IRIS" ps; says ' asleep '; says ' -'; if grep -q -e '-1' out; then bad 'expected no time that is not one'; fi
await has_counted /woken 1
expect_field /woken state running
try "$IRIS" ask /lazy count;               says '1 0'
await is_asleep /lazy
try "$IRIS" send /lazy x;                  exits 0
await is_field /lazy handled 2
await is_asleep /lazy
try "$IRIS" swap /lazy "$behaviours/tally2.so"; exits 0; says 'v2'
is_asleep /lazy || bad 'expected a swap to wake nobody'
try "$IRIS" ask /lazy count;               says '2 0'
try "$IRIS" stop; app_ends 0; leaves_nothing

manifest "\"actors\": [$(actor /lazy tally1 "$lazy")]"
try "$IRIS" run --until-idle;              exits 0; says 'idle: 0 messages handled, 0 dead letters'
leaves_nothing
finish
