#!/bin/bash
# ctest: cli.stop_actor
# One actor may be stopped, by path, name or pid. It is not restarted, whatever its "restart" says.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /a last_word '"restart": "always"'), $(actor /b last_word '"name": "bee"'), $(actor /c last_word), $(actor /tally tally1 '"shutdown": "1m"')]"
run_app
try "$IRIS" stop /a;                       exits 0; says '/a  stopped'
try "$IRIS" ps --json;                     [ "$(json '[a["path"] for a in d["actors"]]')" = "['/b', '/c', '/tally']" ] || bad 'expected no /a'
try "$IRIS" stop /a;                       exits 5; complains 'no actor /a'
try "$IRIS" stop bee --json;               exits 0; is_json; says '"target":"bee"'
try "$IRIS" stop "$(field /c pid)";        exits 0
try "$IRIS" ask /c x;                      exits 5
"$IRIS" send /tally "hold $PWD/go" 2>err
await is_field /tally mailbox 0
"$IRIS" send /tally x 2>err
try "$IRIS" stop /tally --timeout 20ms;    exits 124; complains '/tally: stopping, 1 message left'
try "$IRIS" send /tally y;                 exits 5
: >go
await grep -q '/tally  stopped' app.out
try "$IRIS" ps;                            exits 0
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
