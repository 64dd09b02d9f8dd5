#!/bin/bash
# ctest: cli.ps_shows_the_first_of_many
# Of thousands of actors the first lines, sorted by the app; those that have a text in them; what was lost, and how fast.
. "$SRC/tests/cli/live"
is_there() { "$IRIS" ask /throng "name $1" >/dev/null && "$IRIS" ps -n 1 | grep -qF "$2 more; all of them: "; }

manifest "\"actors\": [$(actor /throng throng), $(actor /tally tally1 '"mailbox": {"capacity": 2, "overflow": "dropnew"}')]"
run_app
await is_there 1500 1,501
try "$IRIS" ps;                            exits 0; is_quiet; says '/throng '; says '502 more; all of them: '
[ "$(wc -l <out)" = 1002 ] || bad 'expected a heading, 1,000 lines and how many more there are'
grep -qE 'DEAD|OVERFLOWS' out && bad 'expected no columns of what has not happened'
[ "$(sed -n '2,3s/ .*//p' out | xargs)" = '/throng /tally' ] || bad 'expected the actors of the manifest first'
try "$IRIS" ps -n 0;                       [ "$(wc -l <out)" = 1503 ] || bad 'expected all of them'
try "$IRIS" ps --json;                     is_json; [ "$(json 'len(d["actors"]), d["total"], d["matched"]')" = '(1502, 1502, 1502)' ] || bad 'expected all of them'
try "$IRIS" ps -s path -n 3;               exits 0; [ "$(sed -n '2,4s/ .*//p' out | xargs)" = '/crowd/0 /crowd/1 /crowd/10' ] || bad 'expected them by their paths'
try "$IRIS" ps crowd/149 -s age -n 0;      exits 0; [ "$(wc -l <out)" = 12 ] || bad 'expected /crowd/149 and 1490 to 1499'
try "$IRIS" ps TALLY1;                     says '/tally '; [ "$(wc -l <out)" = 2 ] || bad 'expected what has it in its handler'
try "$IRIS" ps nobody;                     exits 0; says 'no actor has "nobody" in its path'
try "$IRIS" ps nobody --json;              exits 0; [ "$(json 'd["actors"], d["matched"], d["total"]')" = '([], 0, 1502)' ] || bad 'expected none'
try "$IRIS" ps -s size;                    exits 2; complains '"sort": expected written, queue,'
try "$IRIS" ps -n some;                    exits 2; complains '--limit=some: expected a number'
post ps '{"sort": "path", "limit": 2, "offset": 1, "reversed": true}'
[ "$(json '[a["path"] for a in d["actors"]]')" = "['/tally', '/crowd/999']" ] || bad 'expected the second and third from the end'
post ps '{"limit": -1}';                   says '"code":"bad-request"'

# What met a full mailbox, and what became a dead letter.
"$IRIS" send /tally "hold $PWD/go" 2>err
await is_field /tally mailbox 0
"$IRIS" send /tally one 2>err; "$IRIS" send /tally two 2>err; "$IRIS" send /tally three 2>err
try "$IRIS" ps tally;                      says 'OVERFLOWS'; grep -qE '/tally .* 0 0\.0/s +2 [0-9.]+/s$' out || bad 'expected two overflows, and their rate'
try "$IRIS" ps --json -s queue -n 1;       [ "$(json 'd["actors"][0]["path"], d["actors"][0]["mailbox"], d["queued"]')" = "('/tally', 1, 1)" ] || bad 'expected the longest mailbox'
[ "$(json 'd["rates"]["overflows"] > 0 and d["actors"][0]["rates"]["over_ms"] >= 0')" = True ] || bad 'expected a rate'
: >go
await is_field /tally mailbox 0
"$IRIS" send /tally 'crash it' 2>err
expect_field /tally dead_letters 1
try "$IRIS" ps -s dead-letters -n 1;       grep -qE '^/tally .* 1 [0-9.]+/s +2 [0-9.]+/s$' out || bad 'expected one dead letter'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
