#!/bin/bash
# ctest: cli.doctor
# What a machine lacks, and what mends it: hosts, limits, directories. A problem is status 1, a warning none.
. "$SRC/tests/cli/expect"

# check NAME: "STATE FOUND | FIX" of the JSON on stdout
check() { json 'next(c["state"] + " " + c["found"] + " | " + c.get("fix", "") for c in d["checks"] if c["check"] == "'"$1"'")'; }
expect() { [[ "$(check "$1")" == $2 ]] || bad "expected of $1: $2"; }

try "$IRIS" doctor;         exits 0; is_quiet; says 'host native'; says 'private copies'; says 'control sockets'
try "$IRIS" doctor --json;  exits 0; is_json; is_quiet
expect 'host native' 'ok *.so*'
expect 'behaviours' 'ok * speak this ABI*'
expect 'private copies' "ok in $IRIS_STATE_DIR*"
expect 'control sockets' "ok in $XDG_RUNTIME_DIR/iris*"
expect 'running' 'ok no app*'

# Few open files: what this user may do about it.
(ulimit -S -n 256; exec "$IRIS" doctor --json) >out; status=$?
exits 0; expect 'open files' 'warning up to 256, * | *LimitNOFILE*'
# A directory that others may look into.
mkdir -m 755 "$XDG_RUNTIME_DIR/iris"
try "$IRIS" doctor --json;  exits 1; expect 'control sockets' 'problem *expected 0700 | try: chmod 700 *'
try "$IRIS" doctor;         exits 1; says 'fix: try: chmod 700'
rmdir "$XDG_RUNTIME_DIR/iris"

# Hosts and behaviours that do not load, or speak another ABI.
mkdir -p lib/iris/hosts lib/iris/behaviours
cp "$BUILD/lib/iris/hosts/native.so" lib/iris/hosts/
cp "$BUILD/tests/behaviours/loader/foreign.so" lib/iris/behaviours/
cp "$BUILD/tests/behaviours/loader/unlinked.so" lib/iris/hosts/python.so
try env IRIS_LIB="$PWD/lib" "$IRIS" doctor --json; exits 1
expect 'host native' 'ok *'
expect 'host python' 'problem *nothing defines*| install what it names*'
expect 'host node' 'warning *no such host | *libnode-dev*'
expect 'behaviours' 'problem *its note says ABI 99*| build it again*'
try env IRIS_LIB="$PWD/none" "$IRIS" doctor --json; exits 1; expect 'hosts' 'problem *beside libiris | install Iris whole*'

# Of one app: its manifest, its languages with their settings, what its mesh, limits and log need.
rm -r lib; mkdir -p lib/iris/hosts
ln -s "$BUILD/lib/iris/hosts/native.so" "$BUILD/lib/iris/hosts/mesh.so" lib/iris/hosts/
here() { env IRIS_LIB="$PWD/lib" "$IRIS" doctor "$@"; } # without what is looked at above
cp "$BUILD/lib/iris/behaviours/libcounter.so" .
cp "$BUILD/tests/behaviours/loader/foreign.so" .
says_app() { printf '{"name": "test",%s "actors": [{"path": "/a", "handler": "./libcounter.so"%s}]}\n' "$1" "${2:-}" >app.json; }
mesh() { says_app "\"mesh\": {\"node\": \"a\", $1},"; }
try here none.json;            exits 1; says 'none.json: error: cannot be opened'
try here app.json app.json;    exits 2
try here --set a=b;            exits 2; complains 'expected a FILE'
says_app '' ', "restat": "never"'
try here app.json;             exits 1; says 'app.json:1:74: error: actors[0].restat: unknown key'; says '^~~~~~~~'; says 'fix: did you mean "restart"?'
says_app '' '}, {"path": "/b", "handler": "./foreign.so"'
try here app.json --json;      exits 1; expect manifest 'problem *actors[[]1].handler: *its note says ABI 99*'

"$IRIS" mesh cert --ca ca >made && "$IRIS" mesh cert a --ca ca --days 3 >made || bad 'expected certificates'
tls='"key": "ca/a.key", "ca": "ca/ca.crt"'
mesh "\"tls\": {\"cert\": \"ca/a.crt\", $tls, \"warn\": \"24h\"}"
try here app.json --json;      exits 0; is_json; is_quiet
expect manifest 'ok app.json: no errors | '
expect limits.memory 'ok * MiB are here*'
expect mesh.tls 'ok iris://iris/a, until 20*'
mesh "\"tls\": {\"cert\": \"ca/a.crt\", $tls}, \"cookie\": {\"file\": \"cookie\"}, \"engine\": {\"etcd\": [\"http://127.0.0.1:1\"]}"
try here app.json --json;      exits 1
expect mesh.tls 'warning the certificate of iris://iris/a ends in 2 days*| make certificates with*'
expect mesh.cookie 'problem *cookie: No such file*'
expect mesh.engine 'problem http://127.0.0.1:1: Connection refused | start the engine*'
chmod 644 ca/a.key
try here app.json --json;      exits 1; expect mesh.tls 'problem *mode 0644 lets others in*'
says_app '"limits": {"memory": "900000GiB"}, "logs": {"file": "none/app.log"},'
try here app.json --json;      exits 1
expect limits.memory 'warning messages may take 921600000 MiB, and this process may have * | set limits.memory below it*'
expect logs.file "problem $PWD/none/app.log cannot be written: No such file or directory | make its directory*"

[ -e "$BUILD/lib/iris/hosts/python.so" ] || finish
mkdir venv
printf 'def on_msg(msg):\n    return msg\n' >work.py
python() { printf '{"name": "test", %s "actors": [{"path": "/a", "handler": "work.py:on_msg"}]}\n' "$1" >app.json; try "$IRIS" doctor app.json --json; }
python '"hosts": {"python": {"venv": "venv"}},'; exits 1; expect hosts.python 'problem *venv has no pyvenv.cfg*make one: *'
python '';                     exits 0; expect hosts.python 'ok begins*'
finish
