#!/bin/bash
# ctest: p9.stop_under_load
# Clients ask, send, swap and roll back while the app stops: each gets an answer or is hung up on, and the
# app ends in order.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /tally tally1), $(actor /echo echo), $(actor /word last_word)]"
run_app
clients() {
    while [ ! -e enough ]; do
        "$IRIS" ask /echo x
        "$IRIS" send /tally x
        "$IRIS" swap /tally "$behaviours/tally2.so" --timeout 1s
        "$IRIS" ask /tally silent --timeout 5s & # never answered
        "$IRIS" rollback /tally
        "$IRIS" ps
    done >client.out 2>&1 </dev/null
    wait
}
for i in 1 2 3; do clients & done
await grep -q 'v8' app.out
kill $app
app_ends 0
app_says '/word  ends'
: >enough
wait
leaves_nothing
if grep -qiE 'sanitizer|assert' app.err; then cp app.err err; bad 'expected no report'; fi
finish
