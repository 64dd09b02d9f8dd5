#!/bin/bash
# ctest: p4.mesh_a_frozen_language_is_seen_from_afar
# A handler that does not return: other nodes see which executor it is, and who monitors an actor of it is told.
. "$SRC/tests/cli/nodes"

stuck='"stuck": "300ms", "heartbeat": {"interval": "100ms", "timeout": "4s"}'
python=$([ -e "$BUILD/lib/iris/hosts/python.so" ] && echo 1)
cat >frozen.py <<'P'
import os, time
def on_msg(msg):
    while not os.path.exists(msg.decode()):
        time.sleep(0.01)
P
echo 'def on_msg(msg): return msg' >idle.py
mkdir -p a; cp frozen.py idle.py a
pid_of() { at "$1" whereis "$2" --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])'; }
is_stuck() { node_field b a stuck | grep -q "^$1\$"; }
says_stuck() { at b ask "$1" stuck 2>/dev/null | grep -q "^$2: [0-9]* ms"; }

node a "\"listen\": \"127.0.0.1:0\", $stuck" "$(actor /held order '"name": "held"')${python:+, $(actor /frozen ./frozen.py), $(actor /idle ./idle.py '"name": "idle"')}"
start a
node b "\"peers\": [\"$(address a)\"], $stuck" "$(actor /watcher order), $(actor /other order)"
start b
linked b a
await is_stuck ''
try at b send /watcher "watch $(pid_of b held@a)"; exits 0
try at a send held "hold $PWD/go"; exits 0
await is_stuck 'native [0-9.]* s' || bad 'expected that the pool is told of'
await says_stuck /watcher native || bad 'expected a STUCK'
try at b mesh;                      exits 0; says 'stuck: native '
: >go
await is_stuck '' || bad 'expected that it is well again'

if [ "$python" ]; then # an actor that shares its thread with the one that does not return
    try at b send /other "watch $(pid_of b idle@a)"; exits 0
    try at a send /frozen "$PWD/go2"; exits 0
    await is_stuck 'python[^ ]* [0-9.]* s' || bad 'expected that Python is told of'
    await says_stuck /other 'python[^ ]*' || bad 'expected a STUCK'
    : >go2
    await is_stuck '' || bad 'expected that it is well again'
fi
end b a
finish
