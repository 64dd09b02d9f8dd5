#!/bin/bash
# ctest: p8.nobody_reads_the_output
# A terminal that was stopped, a pipe that is full: the actors go on, and nothing piles up.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /echo echo)]"
mkfifo console
exec 9<>console # holds 64 KiB, and nobody reads it
: >app.out
"$IRIS" run >console 2>app.err 9>&- & app=$!
await "$IRIS" ask /echo ready
line=$(printf '%01000d' 0)
for i in $(seq 200); do "$IRIS" send /echo "log $i $line" 2>err 9>&-; done
try "$IRIS" ask /echo 'still here';        exits 0; says 'still here'
get events;                                is_json; says '"text":"200 0000'
expect_field /echo mailbox 0

cat <console >app.out 9>&- & reader=$!
exec 9>&- # whoever writes last ends it
await grep -q '/echo  200 0000' app.out
try "$IRIS" stop; app_ends 0
wait $reader
app_says '/echo  stopped'
leaves_nothing
finish
