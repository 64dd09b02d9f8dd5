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

mkdir -m 755 open
printf '{"name": "test", "control": {"socket": "open/s"}, "actors": [%s]}' "$(actor /a echo)" >app.json
try "$IRIS" check;                         exits 3; complains 'app.json:1:40: error: control.socket: '; complains 'mode 0755 lets others in'
chmod 700 open
try "$IRIS" check;                         exits 0
manifest "\"actors\": [$(actor /a echo)]"
try "$IRIS" check;                         exits 0
leaves_nothing
finish
