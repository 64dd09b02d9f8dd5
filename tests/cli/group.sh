#!/bin/bash
# ctest: cli.subtree_is_stopped_and_restarted
# By a pattern: in order, with counts and what failed; what is no pattern, or nobody's, changes nothing.
. "$SRC/tests/cli/live"

word() { actor "$1" last_word "${2:-}"; }
manifest "\"actors\": [$(word /svc/c '"depends_on": ["/svc/b"]'), $(word /svc/a), $(word /svc/b '"depends_on": ["/svc/a"]'),
  $(word /other), $(word /many/w '"instances": 2'), $(word /once '"restart": "never"'), $(word /lazy/l '"start": "lazy"'),
  $(actor /slow/tally tally1 '"shutdown": "1m"'), $(word /slow/before),
  $(actor /stuck/t tally1 '"shutdown": "1ms"'), $(actor /killed/t tally1 '"shutdown": "1ms"'), $(actor /throng throng)]"
run_app
order() { grep -oE "/$1[a-z/0-9]*  $2" app.out | tr -d ' ' | tr '\n' ' '; }
expect_order() { tried='the order' status=- err= out=$(order "$1" "$2"); [ "$out" = "$3" ] || bad "expected $3"; }
paths() { "$IRIS" ps --json | python3 -c 'import json,sys; print(*[a["path"] for a in json.load(sys.stdin)["actors"]])'; }
is_gone() { [ -z "$(field "$1" state)" ]; }
all=$(paths)

try "$IRIS" stop 'svc/**';                 exits 2; complains 'expected a path, where a star stands for one level'
try "$IRIS" restart '/svc/c*';             exits 2; complains 'a star stands for a whole level'
try "$IRIS" stop '/svx/**';                exits 5; complains 'no actor has a path like /svx/**'
try "$IRIS" restart '/svx/**' --json;      exits 5; is_json; says '"no-such-target"'
try "$IRIS" stop '/a/*' '/b/*';            exits 2; complains 'is to be quoted'
try "$IRIS" stop '/svc/**' --save saves;   exits 2
post stop '{"pattern": "/svc/**", "target": "/other"}'; says 'expected one of them'
post stop '{"pattern": 3}';                says 'expected a string'
[ "$(paths)" = "$all" ] || bad 'expected that nothing has changed'

pid=$(field /svc/b pid)
try "$IRIS" restart '/svc/*';              exits 0; is_quiet; says '/svc/*  3 of 3 actors restarted in'
is_field /svc/b pid "$pid" && is_field /svc/b restarts 1 || bad 'expected /svc/b in place'
is_field /other restarts 0 || bad 'expected /other as it was'
try "$IRIS" restart '/many/*' --json;      exits 0; is_json
[ "$(json '(d["matched"], d["restarted"], d["failed"], d["left"])')" = '(3, 3, 0, 0)' ] || bad 'expected the router and both behind it'
is_field /many/w/2 restarts 1 || bad 'expected that the instance has begun again'
try "$IRIS" restart '/lazy/**';            exits 0

try "$IRIS" stop '/svc/**';                exits 0; is_quiet; says '/svc/**  3 of 3 actors stopped in'
await grep -q '/svc/a  stopped' app.out
expect_order svc/ stopped '/svc/cstopped /svc/bstopped /svc/astopped '
expect_order svc/ begins '/svc/abegins /svc/bbegins /svc/cbegins /svc/abegins /svc/bbegins /svc/cbegins '
try "$IRIS" stop '/svc/**';                exits 5
try "$IRIS" stop '/many/*';                exits 0; says '3 of 3'

# One that does not end in time is named, and who comes behind it is not touched.
"$IRIS" send /slow/tally "hold $PWD/go" 2>err
await is_field /slow/tally mailbox 0
"$IRIS" send /slow/tally x 2>err
try "$IRIS" stop '/*/tally' --timeout 500ms; exits 1; says '0 of 1'; complains '/slow/tally: stopping, 1 message left'
: >go
await grep -q '/slow/tally  stopped' app.out
await is_field /slow/before state running

# Nor is one stopped that its supervisor had to kill: what it had not handled is lost.
"$IRIS" send /killed/t "hold $PWD/go1" 2>err
await is_field /killed/t mailbox 0
"$IRIS" send /killed/t x 2>err
"$IRIS" stop '/killed/**' >out 2>err & stop=$!
await explained /killed/t 'told to end, it does not return'
: >go1
wait $stop; status=$? tried='stop /killed' out=$(cat out) err=$(cat err)
exits 1; says '0 of 1'; grep -qE '/killed/t: (killed: it had not stopped within 0.001 s|it does not come back)' err || bad 'expected that it was killed'
await is_gone /killed/t

# Nor is one that never comes back. Those that actors have begun are found by their paths, too.
"$IRIS" send /stuck/t "hold $PWD/go2" 2>err
await is_field /stuck/t mailbox 0
try "$IRIS" stop '/stuck/**';              exits 1; complains '/stuck/t: it does not come back from its handler'
: >go2
await is_gone /stuck/t
"$IRIS" send /throng 'name 3' 2>err
await is_field /crowd/2 state running
try "$IRIS" stop '/crowd/*';               exits 0; says '3 of 3 actors stopped'

try "$IRIS" stop '/**' --json;             exits 0; is_json
[ "$(json 'd["matched"] == d["stopped"] == 5')" = True ] || bad 'expected the five that are left'
[ "$(json 'd["failures"]')" = '[]' ] || bad 'expected no failures'
try "$IRIS" ps --json;                     [ "$(json 'd["total"]')" = 0 ] || bad 'expected nobody'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
