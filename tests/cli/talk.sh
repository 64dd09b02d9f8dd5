#!/bin/bash
# ctest: cli.talk
# The first minutes with a running app: who is there, send, ask, and the same by curl.
. "$SRC/tests/cli/live"

manifest "\"actors\": [$(actor /svc/echo echo '"name": "eve"'), $(actor /svc/tally tally1)]"
run_app
app_says "iris 0.1.0  test  pid $app  socket $XDG_RUNTIME_DIR/iris/test.sock"
app_says '✓ /svc/echo  '
app_says '  v1  (native, '

try "$IRIS" ps;                            exits 0; says '/svc/echo'; says 'v1 1.0.0'; is_quiet
try "$IRIS" ps --json;                     exits 0; is_json; is_quiet
[ "$(json 'd["app"], d["pid"]')" = "('test', $app)" ] || bad 'expected the app and its pid'
[ "$(json '[a["path"] for a in d["actors"]]')" = "['/svc/echo', '/svc/tally']" ] || bad 'expected the order of the manifest'
[ "$(json 'sorted(d["actors"][0])')" = "['backoff_ms', 'behaviour', 'capacity', 'capacity_bytes', 'dead_letters', 'dropped', 'handled', 'handler', 'host', 'mailbox', 'mailbox_bytes', 'of', 'overflow', 'path', 'pid', 'rates', 'redirected', 'refused', 'restarts', 'rev', 'spilled', 'state', 'stuck_ms', 'tags', 'uptime_ms', 'version', 'waited', 'waiting']" ] || bad 'the shape of ps is a promise'

try "$IRIS" ask /svc/echo 'hello';         exits 0; says 'hello'; complains ' ms'
try "$IRIS" ask eve 'by name';             exits 0; says 'by name'
try "$IRIS" ask "$(field /svc/echo pid)" x; exits 0; says 'x'
try "$IRIS" ask /svc/echo 'grüße' --json;  exits 0; is_json; says '"reply":"grüße"'; says '"version":"v1"'
try "$IRIS" ask /svc/echo '' --json;       exits 0; says '"reply":""'
printf 'a\0\377b' >bytes
try "$IRIS" ask /svc/echo --file bytes --json; exits 0; is_json; says '"reply_base64":"YQD/Yg=="'
"$IRIS" ask /svc/echo --file bytes 2>err >out; printf '\n' >>bytes; cmp -s bytes out || bad 'expected the bytes themselves'
# As many bytes as are said to fit do fit.
dd if=/dev/urandom of=noise bs=1000 count=50 2>err
try "$IRIS" send /svc/echo -f noise;       exits 1; complains 'noise has 50,000 bytes; at most '; complains '(binary travels as base64)'
most=$(sed -n 's/.*at most \([0-9,]*\) fit.*/\1/p' err | tr -d ,)
head -c "$most" noise >fits
try "$IRIS" send /svc/echo -f fits;        exits 0
try "$IRIS" send /svc/echo -f noise --json; exits 1; is_json; says '"code":"too-large"'; is_quiet
head -c 70000 /dev/zero | tr '\0' 'a' >letters
try "$IRIS" send /svc/echo -f letters;     exits 1; complains 'letters has 70,000 bytes; at most 65,'
try "$IRIS" ask /svc/echo -f /dev/zero;    exits 1; complains '/dev/zero has more than 1,048,576 bytes'
try "$IRIS" ask /svc/echo -f missing --json; exits 1; is_json; says 'missing: No such file or directory'
for i in 1 2 3; do try "$IRIS" send /svc/tally "m$i"; exits 0; complains 'iris ps'; done
try "$IRIS" send /svc/tally x --json;      exits 0; is_json; says '"target":"/svc/tally"'; is_quiet
try "$IRIS" ask /svc/tally count;          says '1 4'
expect_field /svc/tally handled 5
try "$IRIS" send /svc/echo 'log I was here'; await grep -q 'I was here' app.out; app_says '/svc/echo  I was here'

try "$IRIS" ask /svc/talley count;         exits 5; complains 'did you mean /svc/tally?'
try "$IRIS" ask /nowhere x --json;         exits 5; is_json; says '"code":"no-such-target"'
try "$IRIS" ask /svc/tally silent --timeout 10ms; exits 124; complains 'no answer within 10 ms'
try "$IRIS" ask /svc/tally silent --timeout 0 --json; exits 124; says '"code":"timeout"'

get health;                                says '"ok":true'; says '"state":"running"'; says '"dead_letters":{"crashed":0'
get ps;                                    is_json; says '"path":"/svc/echo"'
post ask '{"target": "/svc/echo", "data": "curl"}'; is_json; says '"reply":"curl"'
post send '{"target": "/svc/tally"}';      says '"target":"/svc/tally"'
get 'events?since=0';                      is_json; says '"kind":"started"'; says 'I was here'
next=$(json 'd["next"]')
get "events?since=$next";                  says '"events":[]'; says "\"next\":$next"
get 'events?since=x';                      says '"code":"bad-request"'

# Where the manifest is the default one, its name is not needed; elsewhere it is, and blanks are quoted.
try "$IRIS" stop;                          exits 0; [ "$out" = 'stopped; start it again with: iris run' ] || bad 'expected the command to start it again'
app_ends 0
mkdir 'a b'
IRIS_PROGRAM='a b/iris' run_app
app_says "talk to it: 'a b/iris' ps"
cd 'a b'
try env IRIS_PROGRAM='/o pt/iris' "$IRIS" stop
exits 0; says "with: '/o pt/iris' run $(dirname "$PWD")/app.json"
cd ..
app_ends 0
cp app.json 'a b/app.json'
run_app 'a b/app.json'
try "$IRIS" stop;                          exits 0; says "with: iris run 'a b/app.json'"
app_ends 0
run_app 'a b/app.json'
try "$IRIS" stop --json;                   exits 0; is_json; is_quiet
[ "$(json 'd["stopped"], d["manifest"]')" = "(True, '$PWD/a b/app.json')" ] || bad 'expected that it has stopped, and its manifest'
app_ends 0
leaves_nothing
finish
