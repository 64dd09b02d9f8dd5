#!/bin/bash
# ctest: cli.logs_are_followed
# What was logged last, by path and level, and what comes: for several who follow, and for one that is slow.
. "$SRC/tests/cli/live"
manifest "\"actors\": [$(actor /last order), $(actor /svc/a echo), $(actor /svc/deep/b echo), $(actor /c echo)]"
run_app
"$IRIS" send /svc/a 'log one' 2>err
"$IRIS" send /svc/deep/b 'log two' 2>err
"$IRIS" send /c 'log three' 2>err
told() { "$IRIS" logs >out 2>err && [ "$(grep -cE '/svc/a  one|/svc/deep/b  two|/c  three' out)" = 3 ]; }
await told
try "$IRIS" logs '/svc/**';                exits 0; is_quiet; says '/svc/a  one'; says '/svc/deep/b  two'
grep -q three out && bad 'expected nothing of /c'
try "$IRIS" logs '/svc/*';                 says one; grep -q two out && bad 'expected one level'
try "$IRIS" logs /c --json;                says '"text":"three"'; n=$(json 'd["number"]' 2>/dev/null)
python3 -c 'import json; [json.loads(l) for l in open("out")]' || bad 'expected JSON lines'
try "$IRIS" logs --level error;            exits 0; [ -z "$out" ] || bad 'expected no errors'
try "$IRIS" logs --since 1h;               says three
try "$IRIS" logs --since 1000000;          [ -z "$out" ] || bad 'expected nothing behind that'
try "$IRIS" logs --level loud;             exits 2; complains 'expected trace, debug, info, warn or error'
try "$IRIS" logs svc;                      exits 2; complains 'expected a path'
try "$IRIS" logs --since never;            exits 2; complains 'expected a time such as 10m'

"$IRIS" logs -f '/svc/**' >one.txt 2>&1 & one=$!
"$IRIS" logs -f --json >two.txt 2>&1 & two=$!
await grep -q two one.txt; await grep -q three two.txt
"$IRIS" send /svc/a 'log four' 2>err
await grep -q 'four' one.txt; await grep -q '"four"' two.txt
"$IRIS" send /c 'log five' 2>err
await grep -q '"five"' two.txt
grep -q five one.txt && bad 'expected nothing of /c'

# One that does not read: the others and the app go on, and it hears what it missed.
"$IRIS" logs -f /c >slow.txt 2>&1 & slow=$!
await grep -q five slow.txt
kill -STOP $slow
for i in $(seq 11); do
    curl -s --unix-socket "$XDG_RUNTIME_DIR/iris/test.sock" \
        $(printf "http://x/v1/send?%d " $(seq 100)) --data-binary '{"target": "/c", "data": "log x"}' >curl.out
done
await grep -q '"text":"x"' two.txt
"$IRIS" send /c 'log last' 2>err
await grep -q '"last"' two.txt
kill -CONT $slow
await grep -q last slow.txt
await grep -q 'lines were left out: they came faster than they were read' slow.txt
kill $slow; wait $slow 2>err

# Many who are killed while they wait for what does not come keep no place.
timeout 60 python3 - "$XDG_RUNTIME_DIR/iris/test.sock" <<'END' || bad 'expected that there is a place for who follows'
import json, socket, sys

def ask(pattern, since):
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    body = json.dumps({"pattern": pattern, "since": since, "follow": True}).encode()
    s.sendall(b"POST /v1/logs HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    return s

for n in range(100):
    ask("/nobody", 0).close()
answer = ask("/c", 0).recv(100000)
sys.exit(b"200 OK" not in answer)
END
# Those that wait for the next line when the app has come to its end are not told of an error.
"$IRIS" send /last "hold $PWD/go" 2>err
"$IRIS" stop >out 2>err &
await grep -q 'svc/a.*ended' one.txt; await grep -q 'svc/a.*killed' two.txt
touch go
app_ends 0
wait $one; status=$?
wait $two || bad 'expected that the second follower ends well, too'
tried='logs -f' out=$(cat one.txt)
exits 0; grep -q 'the app has ended' one.txt || bad 'expected it to say that the app has ended'
leaves_nothing
finish
