#!/bin/bash
# ctest: cli.explain_tells_an_actors_story
# Which message crashed which version, what the supervisor decided and by which numbers, swaps, and now.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /svc/tally tally1 '"restart": "on-failure"'), $(actor /svc/echo echo)],
 \"supervisors\": [{\"path\": \"/svc\", \"intensity\": 2, \"period\": \"60s\"}]"
run_app
try "$IRIS" explain /svc/tally;            exits 0; is_quiet
says '/svc/tally  running for '; says ', v1 1.0.0  '; says 'mailbox 0 of 65,536, 0 handled, 0 restarts'
[ "$(grep -c started out)" = 1 ] || bad 'expected one event'

# The how many-th message it was counts those before it; what would drive the terminal is shown, not sent.
for i in 1 2 3; do "$IRIS" send /svc/tally "m$i" 2>err; done
try "$IRIS" ask /svc/tally $'crash "me\x1b[31m\nnow'; exits 1
complains 'iris explain /svc/tally'
await explained /svc/tally 'restarted    v1'
try "$IRIS" explain /svc/tally;            exits 0; is_quiet
says 'crashed      v1 1.0.0 on message 4 from outside, 18 bytes: "crash \"me\x1b[31m\nnow"'
says 'told to: crash "me\x1b[31m'
says 'decided      /svc: restart 1 of 2 within 60.0 s'
says 'restarted    v1 1.0.0, restart 1'
says '1 restart, 1 within 1m 00s; /svc allows 2'
says 'mend its code, then: '; says 'swap /svc/tally'
if grep -q $'\x1b' out; then bad 'expected no escape in what is printed'; fi

try "$IRIS" swap /svc/tally "$behaviours/tally2.so"; exits 0
try "$IRIS" swap /svc/tally "$behaviours/none.so";   exits 6
printf 'crash \0\377%099d' 7 >bytes
try "$IRIS" ask /svc/tally -f bytes;       exits 1
await explained /svc/tally 'restarted    v2'
try "$IRIS" explain /svc/tally
says 'swapped      v1 -> v2'; says 'swap-refused'
says 'crashed      v2 2.0.0 on message 5 from outside, 107 bytes: "crash \x00\xff0000'; says '0"...'
says 'decided      /svc: restart 2 of 2 within 60.0 s'
says 'or go back: '; says 'rollback /svc/tally'

# With --json the same, in members. One more crash is too many for /svc: / restarts all that is below it.
try "$IRIS" ask /svc/tally 'crash again';  exits 1
await explained /svc/tally 'restarted    v2 2.0.0, restart 3'
await explained /svc/echo 'restart 1'
try "$IRIS" explain /svc/tally --json;     exits 0; is_json; is_quiet
[ "$(json '[e["kind"] for e in d["events"]]')" = "['started', 'crashed', 'decided', 'restarted', 'swapped', 'swap-refused', 'crashed', 'decided', 'restarted', 'crashed', 'decided', 'exhausted', 'decided', 'restarted']" ] || bad 'expected the order of what happened'
[ "$(json 'd["events"][1]["message"]')" = "{'number': 4, 'of': 1, 'from': 0, 'len': 18, 'excerpt': 'crash \"me\\x1b[31m\\nnow'}" ] || bad 'expected the message'
[ "$(json 'd["events"][6]["rev"], d["events"][6]["state_version"], d["events"][6]["message"]["number"], "excerpt_base64" in d["events"][6]["message"]')" = "(2, 2, 5, True)" ] || bad 'expected what crashed'
[ "$(json '[(e["decision"]["what"], e["decision"]["by"], e["decision"]["count"], e["decision"]["limit"]) for e in d["events"] if "decision" in e]')" = "[('restart', '/svc', 1, 2), ('restart', '/svc', 2, 2), ('escalate', '/svc', 2, 2), ('restart', '/', 1, 3)]" ] || bad 'expected four decisions'
[ "$(json 'd["now"]["path"], d["now"]["state"], d["now"]["restarts"], d["forgotten"]')" = "('/svc/tally', 'running', 3, 0)" ] || bad 'expected how it is'
post explain '{"target": "/svc/tally"}';   is_json; says '"kind":"crashed"'
get explain;                               says '"code":"not-allowed"'

# A neighbour that makes noise pushes nothing out, and neither does its own log.
for i in $(seq 1100); do
    printf 'url = "http://iris/v1/send"\nunix-socket = "%s/iris/test.sock"\noutput = /dev/null\ndata-binary = "{\\"target\\": \\"/svc/echo\\", \\"data\\": \\"log noise\\"}"\nnext\n' "$XDG_RUNTIME_DIR"
done | sed '$d' >requests
curl -s -K requests
await is_field /svc/echo handled 1100
get 'events?since=0';                      says '"missed":'; [ "$(json 'd["missed"] > 0')" = True ] || bad 'expected that the ring of all had overflowed'
try "$IRIS" explain /svc/tally --json;     [ "$(json 'd["events"][0]["kind"], len(d["events"])')" = "('started', 14)" ] || bad 'expected all of it'
try "$IRIS" explain /svc/echo --json;      [ "$(json '[e["kind"] for e in d["events"]]')" = "['started', 'restarted']" ] || bad 'expected no log'

# One that has ended is told of; one that never was is not.
try "$IRIS" stop /svc/echo;                exits 0
try "$IRIS" explain /svc/echo;             exits 0; says '/svc/echo  has ended'; says 'ended        killed (how=stop, drained='
try "$IRIS" explain /svc/ech;              exits 5; complains 'did you mean /svc/echo?'
try "$IRIS" explain /svc/nobody --json;    exits 5; is_json; says '"code":"no-such-target"'
try "$IRIS" explain mailbox;               exits 5; complains "did you mean actors.mailbox?"
try "$IRIS" explain mailbox --json;        exits 5; is_json; says '"code":"no-such-target"'; is_quiet
try "$IRIS" explain;                       exits 2; complains 'PATH or KEY is missing'
try "$IRIS" stop; app_ends 0; leaves_nothing
try "$IRIS" explain /svc/tally;            exits 4
finish
