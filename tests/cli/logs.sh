#!/bin/bash
# ctest: p9.logs_go_where_the_manifest_says
# Levels by path, rates, a file that is moved away, a disk that is full, secrets: nothing of it stops the app.
. "$SRC/tests/cli/live"

# logged FILE EXPRESSION: a Python expression on the list d of its lines, each of which must be JSON
logged() {
    tried="$1: $2" status=- err= out=$(cat "$1")
    python3 -c 'import json,sys
d = [json.loads(line) for line in open(sys.argv[1])]
assert all(e["app"] == "test" and e["time"].endswith("Z") and "level" in e and "path" in e for e in d)
t = [e["text"] for e in d]
sys.exit(not eval(sys.argv[2]))' "$1" "$2"
}
holds() { await logged "$1" "$2" || bad 'expected that'; }

# ---- a file, levels, and SIGHUP
manifest "\"actors\": [$(actor /svc/a echo), $(actor /svc/b echo), $(actor /c echo '"log_level": "error"')],
\"logs\": {\"file\": \"app.log\", \"levels\": {\"/svc\": \"warn\", \"/svc/b\": \"info\"}}"
with='setsid' run_app
get health;                                is_json; pid=$(json 'd["pid"]')
for path in /svc/a /svc/b /c; do "$IRIS" send $path 'log said' 2>err; done
"$IRIS" send /svc/b 'log two
lines' 2>err
holds app.log '"two\nlines" in t'
holds app.log '[e["path"] for e in d if e["text"] == "said"] == ["/svc/b"]'
holds app.log 'any(e["kind"] == "started" and e["path"] == "/svc/b" and e["level"] == "info" for e in d)'
holds app.log 'not any(e["path"] in ("/svc/a", "/c") for e in d)'
grep -q said app.out && bad 'the console told what the log tells'
mv app.log old.log
kill -HUP "$pid"
await test -e app.log
"$IRIS" send /svc/b 'log anew' 2>err
holds app.log 't == ["anew"]'
# What is in the place of the log cannot be opened: it goes on in the old one, and says so.
mv app.log older.log; mkdir app.log
kill -HUP "$pid"
app_complains 'app.log: Is a directory; it goes on in the file that was open'
"$IRIS" send /svc/b 'log still' 2>err
holds older.log 't[-1] == "still"'
"$IRIS" stop >out 2>err
app_ends 0
holds older.log 'any(e["kind"] == "ended" and e["path"] == "/svc/b" for e in d)'
rmdir app.log

# ---- what is too much of one path is counted, and others are not kept from theirs
manifest "\"actors\": [$(actor /loud echo), $(actor /quiet echo)], \"logs\": {\"rate\": 1, \"file\": \"rate.log\"}"
run_app
# By one program, as eight of them may take seconds; and where that one does, too, fewer than its eight.
burst=()
for i in 1 2 3 4 5 6 7 8; do
    for message in '/loud", "data": "log '$i '/quiet", "data": "log x'; do
        burst+=(--next -s --unix-socket "$XDG_RUNTIME_DIR/iris/test.sock" http://iris/v1/send --data-binary "{\"target\": \"$message\"}")
    done
done
try curl "${burst[@]:1}"
holds rate.log 'sum("lines were left out: more than 1 in a second" in x for x in t) >= 1'
holds rate.log 'sum(int(e["text"].split()[0]) if "left out" in e["text"] else e["kind"] == "log" for e in d if e["path"] == "/loud") == 8'
"$IRIS" stop >out 2>err
app_ends 0

# ---- a full disk: one sentence, and the app goes on
manifest "\"actors\": [$(actor /echo echo)], \"logs\": {\"file\": \"/dev/full\"}"
run_app
for i in 1 2 3; do try "$IRIS" ask /echo "log $i"; exits 0; done
app_complains '/dev/full: No space left on device; lines are left out, and counted, until it can be written'
[ "$(grep -c 'No space left' app.err)" = 1 ] || bad 'expected one sentence'
get events;                                says '"text":"3"'
"$IRIS" stop >out 2>err
app_ends 0

# ---- a directory that comes later: what was missed is said there
manifest "\"actors\": [$(actor /echo echo)], \"logs\": {\"file\": \"later/app.log\"}"
run_app
app_complains 'later/app.log: No such file or directory'
"$IRIS" ask /echo 'log lost' >out 2>err # or is written a moment later, where its directory is there by then
mkdir later
comes() { "$IRIS" ask /echo 'log found' && logged later/app.log '"found" in t'; }
await comes
holds later/app.log '"lines are missing here: No such file or directory" in t[0] and "started" not in t'
"$IRIS" stop >out 2>err
app_ends 0

# ---- text, on stderr; what would drive a terminal does not
manifest "\"actors\": [$(actor /echo echo)], \"logs\": {\"format\": \"text\"}"
run_app
"$IRIS" send /echo "$(printf 'log red\e[31m\nnext')" 2>err
app_complains '  | next'
grep -qE '^20[0-9-]+T[0-9:.]+Z INFO  /echo  red\?\[31m$' app.err || { tried=text out=$(cat app.err) bad 'expected a line'; }
"$IRIS" stop >out 2>err
app_ends 0

# ---- nobody reads it: the actors go on
mkfifo pipe; exec 9<>pipe
manifest "\"actors\": [$(actor /echo echo)], \"logs\": {\"format\": \"text\"}"
: >app.out
"$IRIS" run >app.out 2>pipe 9>&- & app=$!
await grep -q 'talk to it' app.out
line=$(printf '%01000d' 0)
for i in $(seq 100); do "$IRIS" send /echo "log $i $line" 2>err 9>&-; done
try "$IRIS" ask /echo 'still here' 9>&-;   exits 0; says 'still here'
try "$IRIS" stop 9>&-;                         exits 0
wait $app; exec 9>&-

# ---- secrets
echo a-secret-of-many-letters >token
manifest "\"env\": {\"TOKEN\": {\"file\": \"token\"}}, \"actors\": [$(actor /echo echo)], \"logs\": {\"file\": \"s.log\"}"
run_app
"$IRIS" send /echo 'log I know a-secret-of-many-letters.' 2>err
holds s.log '"I know ***." in t'
get events;                                says 'I know ***.'
try "$IRIS" explain /echo
"$IRIS" stop >out 2>err
app_ends 0
tried='the secret' status=- err= out=$(grep -l many-letters s.log app.out app.err)
[ -z "$out" ] || bad 'it is shown'

# ---- without "logs", log_level alone
manifest "\"actors\": [$(actor /a echo), $(actor /b echo '"log_level": "warn"')]"
run_app
for path in /b /a; do "$IRIS" send $path 'log here' 2>err; done
app_says '/a  here'
grep -q '/b  here' app.out && bad 'expected nothing of /b'
"$IRIS" stop >out 2>err
app_ends 0
leaves_nothing
finish
