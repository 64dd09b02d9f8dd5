#!/bin/bash
# ctest: p10.a_kind_that_the_handler_is_not_is_refused
# "kind" says what the handler must be; nothing starts where it is something else.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /pulls puller '"kind": "push"'), $(actor /echo echo '"kind": "pull"')]"
try "$IRIS" run;                           exits 3
complains 'actors[0].kind: found "push", but "puller" calls recv() itself; say "pull", or leave it out'
complains 'actors[1].kind: found "pull", but "echo" is called for each message; say "push", or leave it out'

manifest "\"actors\": [$(actor /pulls puller '"kind": "pull"'), $(actor /echo echo '"kind": "push"')]"
run_app
try "$IRIS" ask /pulls x;                  says '1'
"$IRIS" send /pulls 'first b' 2>err; "$IRIS" send /pulls a 2>err; "$IRIS" send /pulls b1 2>err
await grep -q 'first b1' app.out
try "$IRIS" swap /pulls "$behaviours/echo.so"; exits 6; complains 'are of two kinds'
cp "$behaviours/puller.so" again.so && printf x >>again.so # other bytes, the same code
try "$IRIS" swap /pulls ./again.so;        says '/pulls  v1 -> v2  swapped'
try "$IRIS" ask /pulls x;                  says '1' # it began anew, with the same pid and mail
try "$IRIS" ask /echo x;                   says 'x'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
