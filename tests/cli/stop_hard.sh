#!/bin/bash
# ctest: p9.second_stop_ends_at_once
# A handler that does not return: the second request to stop does not wait for it.
. "$SRC/tests/cli/live"
# What the thread that does not come back still uses is left to it, and so is the thread.
export ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 TSAN_OPTIONS=${TSAN_OPTIONS:-}:report_thread_leaks=0

manifest "\"actors\": [$(actor /word last_word), $(actor /tally tally1)]"
run_app
hold() { "$IRIS" send /tally "hold $PWD/never" 2>err; await is_field /tally mailbox 0; }
hold
post stop '{}'; post stop '{}';            says '"stopping":true'
app_ends 1
app_complains "/tally  $behaviours/tally1.so: its handler did not return"
app_says '/word  ends'
app_says '/word  ended: killed (how=kill): all are told to stop at once' # it comes behind /tally, and is not asked first
leaves_nothing

with='env --default-signal=INT' run_app # a background job of a script ignores SIGINT unless it is asked to
hold
kill -INT $app
await grep -q 'once more to stop at once' app.err
kill -INT $app
app_ends 130
run_app # takes over what that one left
hold
"$IRIS" stop >stop.out 2>stop.err & stopping=$!
is_stopping() { get health; grep -q '"state":"stopping"' out; }
await is_stopping
post stop '{}'
wait $stopping; status=$? tried='iris stop' out=$(cat stop.out) err=$(cat stop.err)
exits 1; cp stop.err err; complains 'not in order: a handler did not return'
app_ends 1; leaves_nothing

run_app
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
