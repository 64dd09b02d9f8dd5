#!/bin/bash
# ctest: python.hosts_python_is_its_environment
# "hosts": {"python": ..}: a venv, places to search, variables, a directory, options; what is wrong is told where it stands.
. "$SRC/tests/cli/live"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
python=$(sed -n 's/^IRIS_PYTHON_PROGRAM:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
mkdir lib work
echo 'X = "found"' >lib/extra.py
echo 'raise ImportError("this is not the iris that runs me")' >iris.py
cat >where.py <<'END'
import os, sys
import extra, iris
def on_msg(msg):
    if msg == b"runtime": return str(iris.Runtime().whereis("nobody"))
    return " ".join([sys.prefix, os.getcwd(), os.environ["COLOUR"], extra.X, str(sys.getswitchinterval()),
                     str(any(entry.endswith("dist-packages") for entry in sys.path))])
END
app() { manifest "\"hosts\": {\"python\": $1}, \"actors\": [$(actor /where ./where.py)]"; }
good='"search": ["lib"], "cwd": "work", "env": {"COLOUR": "${COLOUR:-red}"}, "options": {"switch_interval": 0.25}'
"$python" -m venv --without-pip venv
app "{\"venv\": \"venv\", $good}"
run_app
try "$IRIS" ask /where x;                  exits 0; says "$PWD/venv $PWD/work red found 0.25 False"
try "$IRIS" ask /where runtime;            exits 0; says None
try "$IRIS" stop; app_ends 0
app "{$good}"
run_app --set hosts.python.cwd="$PWD/lib"
try "$IRIS" ask /where x;                  exits 0; says "$("$python" -c 'import sys; print(sys.prefix)') $PWD/lib red found"
try "$IRIS" stop; app_ends 0

refused() { try "$IRIS" run; exits 3; complains "$1"; complains "app.json:2:$2: error:"; }
app '{"venv": "nowhere"}';                 refused 'hosts.python.venv: found "' 30
try "$IRIS" check;                         exits 3; complains 'expected a directory'
app '{"venv": "lib"}';                     refused 'hosts.python.venv: ' 30; complains 'has no pyvenv.cfg'; complains 'make one: '
mkdir old; echo 'version = 3.4.1' >old/pyvenv.cfg
app '{"venv": "old"}';                     refused 'is of Python 3.4; expected 3.' 30
app '{"options": {"swich_interval": 1}}';  refused 'hosts.python.options.swich_interval: unknown option; this host has ' 52
app '{"options": {"gil_pool_size": 0}}';   refused 'found 0; expected a whole number, 1 or more' 51
app '{"search": ["lib", "lob"]}';          refused 'hosts.python.search[1]: found "' 40
manifest "\"hosts\": {\"pyhton\": {}}, \"actors\": []"; refused 'did you mean "python"?' 11
manifest "\"hosts\": {\"native\": {\"cwd\": \"lib\"}}, \"actors\": [$(actor /tally tally1)]"
refused 'hosts.native: it takes no settings' 21
# A host that nothing needs is not started.
manifest "\"hosts\": {\"python\": {\"options\": {\"none\": 1}}}, \"actors\": [$(actor /tally tally1)]"
run_app
try "$IRIS" swap /tally "$PWD/where.py:on_msg"; exits 6; complains 'options.none: unknown option'
try "$IRIS" stop; app_ends 0; leaves_nothing

# A handler that cannot be run: what, and where in it.
echo 'def on_msg(msg: return' >where.py
app '{}'
try "$IRIS" run; exits 3; complains 'actors[0].handler: SyntaxError'; complains 'where.py", line 1'
finish
