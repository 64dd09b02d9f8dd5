#!/bin/bash
# ctest: cli.until_idle
# --until-idle: 0 when all is done, 1 when a message was lost on the way.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /tally tally1), $(actor /word last_word)]"
try "$IRIS" run --until-idle;              exits 0; says 'idle: 0 messages handled, 0 dead letters'; says 'iris run app.json'; is_quiet
says '/word  ends'
leaves_nothing
try "$IRIS" run --until-idle --json;       exits 0; says '{"iris":1,"kind":"header"'; says '"kind":"actor"'; says '"kind":"log"'; is_quiet
try env IRIS_PROGRAM=./iris "$IRIS" run --until-idle app.json; says '  ./iris run app.json'

# It is not idle while a handler runs, or an answer is owed.
"$IRIS" run --until-idle >app.out 2>app.err & app=$!
try "$IRIS" send /tally x # may come too late: it had nothing to do
wait $app; status=$? tried='iris run --until-idle'; exits 0

manifest "\"actors\": [$(actor /poison poison '"restart": "never"'), $(actor /other tally1)]"
try "$IRIS" run --until-idle;              exits 1; says 'idle: '; says '1 dead letters (crashed 1)'
leaves_nothing
finish
