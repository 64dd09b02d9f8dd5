#!/bin/bash
# ctest: cli.check_sees_what_cannot_start
# A manifest without mistakes whose files or hosts are not there does not pass, and run says the same.
. "$SRC/tests/cli/live"

# A build without languages.
mkdir -p lib/iris/hosts
ln -s "$BUILD/lib/iris/hosts/native.so" lib/iris/hosts/
export IRIS_LIB=$PWD/lib

: >libcounter2.so
: >pay.mjs
printf '{"name": "test", "actors": [\n{"path": "/shop/a", "handler": "./libcountr2.so"},\n{"path": "/shop/b", "handler": "pay.mjs#on_msg"},\n{"path": "/shop/c", "handler": "./libcounter2.so", "host": "natve"},\n{"path": "/shop/d", "handler": "libcountr2.so"}],\n"supervisors": [{"path": "/shp"}]}\n' >app.json
for verb in check run; do
    try "$IRIS" $verb;                     exits 3
    complains 'app.json:2:32: error: actors[0].handler: '; complains 'libcountr2.so: there is no such file'
    complains 'did you mean "libcounter2.so"?'
    complains 'app.json:3:32: error: actors[1].handler: host "node": this build of Iris has no such host'
    complains 'it has "native"; tools/setup installs libnode-dev'
    complains 'app.json:4:60: error: actors[2].host: host "natve"'; complains 'did you mean "native"?'
    complains 'app.json:5:32: error: actors[3].handler: libcountr2.so: there is no such file in '
    complains 'app.json:6:26: error: supervisors[0].path: found "/shp"; expected a path with actors below it'
    complains 'did you mean "/shop"?'
done
leaves_nothing

manifest "\"actors\": [$(actor /tally tally1)]"
run_app
try "$IRIS" swap /tally pay.mjs#on_msg;     exits 6; complains 'host "node": this build of Iris has no such host'
complains 'hint: it has "native"; tools/setup installs libnode-dev'
try "$IRIS" swap /tally libcountr2.so;     exits 6; complains 'there is no such file in '; complains 'hint: did you mean "libcounter2.so"?'
try "$IRIS" stop; app_ends 0

printf '{"name": "test", "env": {"LOG": "x"}, "actors": [%s]}' "$(actor /a echo '"args": "${LOG}${DIR:-y}"')" >app.json
try "$IRIS" check --set env.LGO=x;         exits 3; complains '--set env.LGO: error: nothing in the manifest uses it'; complains 'did you mean env.LOG?'
try "$IRIS" check --set env.LOG=x --set env.DIR=z; exits 0
long=$(printf '%0300d' 0)
printf '{"actors": [{"path": "/%s", "handler": "./a.so"}]}' $long >long.json
try "$IRIS" check long.json;               exits 3; complains 'found a path of 301 characters; expected at most 255'

# What a file of code says of itself is read, and nothing of it is run; as `iris run` says it.
samples=$BUILD/tests/behaviours/loader
cp "$behaviours/echo.so" other.so
printf '\xb7\x00' | dd of=other.so bs=1 seek=18 conv=notrunc status=none # for AArch64
head -c 4000 "$behaviours/echo.so" >short.so
printf 'def on_msg(msg):\n    return msg\n' >text.so
printf '{"name": "test", "actors": [\n{"path": "/a", "handler": "%s"},\n{"path": "/b", "handler": "./other.so"},\n{"path": "/c", "handler": "./short.so"},\n{"path": "/d", "handler": "./text.so"},\n{"path": "/e", "handler": "./text.so"},\n{"path": "/f", "handler": "%s"}]}\n' \
    "$samples/foreign.so" "$samples/entryless.so" >app.json
for verb in check run; do
    try "$IRIS" $verb;                     exits 3
    complains 'app.json:2:27: error: actors[0].handler: '; complains 'its note says ABI 99; this Iris speaks ABI 1; none of its code was run'
    complains 'app.json:3:27: error: actors[1].handler: '; complains 'is built for AArch64 (183, 64 bits); this machine is'
    complains 'app.json:4:27: error: actors[2].handler: '; complains 'is cut short'
    complains 'app.json:5:27: error: actors[3].handler: '; complains 'is not an ELF file: it begins with "def on_msg(msg):"'
    complains 'app.json:6:27: error: actors[4].handler: '
    complains 'app.json:7:27: error: actors[5].handler: '; complains 'exports no iris_plugin_entry'
    complains '{"path": "/d", "handler": "./text.so"},'
done
unset IRIS_LIB
if [ -e "$BUILD/lib/iris/hosts/python.so" ]; then
    mv text.so work.py; chmod o+w work.py
    printf '{"name": "test", "actors": [\n{"path": "/a", "handler": "work.py:on_msg"},\n{"path": "/b", "handler": "wrok.py:on_msg"}]}\n' >app.json
    try "$IRIS" check;                     exits 3; complains 'app.json:2:27: '; complains 'may be written by every user'; complains 'do: chmod o-w '
    complains 'app.json:3:27: '; complains 'did you mean "work.py"?'
fi

mkdir -m 755 open
printf '{"name": "test", "control": {"socket": "open/s"}, "actors": [%s]}' "$(actor /a echo)" >app.json
try "$IRIS" check;                         exits 3; complains 'app.json:1:40: error: control.socket: '; complains 'mode 0755 lets others in'
chmod 700 open
try "$IRIS" check;                         exits 0
manifest "\"actors\": [$(actor /a echo)]"
try "$IRIS" check;                         exits 0
leaves_nothing
finish
