#!/bin/bash
# ctest: cli.bad_start
# What cannot start says where in the manifest and why, all of it at once; what did start is stopped.
. "$SRC/tests/cli/live"

printf '{"name": "test",\n "actors": [{"path": "/a", "handler": "./a.so", "restrat": "never"}]}\n' >app.json
try "$IRIS" run;                           exits 3; complains 'app.json:2:49: error: actors[0].restrat: unknown key'; complains 'restart'
try "$IRIS" run --set nonsense;            exits 2; complains 'iris: --set nonsense: expected KEY=VALUE'; complains 'hint: as in: --set env.LOG='
try "$IRIS" run missing.json;              exits 3; complains 'missing.json'
echo 'def on_msg(msg): pass' >hello.py
try "$IRIS" run hello.py;                  exits 3; complains 'hello.py: error: is a handler'; complains '"handler": "hello.py"}'
mkdir empty
cd empty
try env IRIS_PROGRAM=./iris "$IRIS" run;   exits 3; complains 'hint: name a manifest: ./iris run FILE; ./iris new NAME makes one'
cd ..

echo 'no library' >text.so
printf '{"name": "test", "actors": [\n{"path": "/a", "handler": "missing.so"},\n{"path": "/b", "handler": "%s"},\n{"path": "/c", "handler": "./text.so"}]}\n' "$behaviours/last_word.so" >app.json
try "$IRIS" run;                           exits 3
complains 'app.json:2:27: error: actors[0].handler: missing.so: there is no such file in '
complains 'app.json:4:27: error: actors[2].handler: '
complains 'text.so'
if grep -q 'begins' out; then bad 'expected that nothing was started'; fi
leaves_nothing

manifest "\"actors\": [$(actor /a last_word), $(actor /b tally1 '"args": "refuse", "depends_on": ["/a"]'), $(actor /c last_word '"depends_on": ["/b"]')]"
try "$IRIS" run;                           exits 1
complains 'app.json:2:'
complains 'actors[1].args: init() of "tally" 1.0.0 failed: the args say refuse'
says '/a  begins'; says '/a  ends'
if grep -qE '/c  begins|restart' out; then bad 'expected that /c was not begun, and /b not tried again'; fi
leaves_nothing

mkdir -m 755 -p socket
printf '{"name": "test", "control": {"socket": "socket/s"}, "actors": [%s]}' "$(actor /a echo)" >app.json
try "$IRIS" run;                           exits 1; complains 'mode 0755 lets others in'; complains 'hint: put it in a directory of its own, e.g. '; complains '/socket/s/s'
if grep -q chmod err; then bad 'expected no advice to close a directory that others may use'; fi
[ "$(id -u)" != 0 ] || {
    try "$IRIS" run --set control.socket="/tmp/iris-$$.sock"
    exits 1; complains "/tmp/iris-$$/iris-$$.sock"
}
chmod 700 socket
run_app
try "$IRIS" ps -a "$PWD/socket/s";         exits 0; says '/a'
try "$IRIS" stop -a "$PWD/socket/s";       exits 0
app_ends 0
leaves_nothing
finish
