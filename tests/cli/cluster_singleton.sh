#!/bin/bash
# ctest: p5.cluster_singleton
# One instance in the cluster: the others stand by, and what they get for it goes there. Its node stops, is killed, is
# frozen: another one begins it, and never do two answer.
. "$SRC/tests/cli/etcd"

start_etcd
cat >one.py <<'EOF'
import os
me = os.environ["NODE"].encode()
seen = 0


def on_msg(msg):
    global seen
    seen += 1
    return me + b" %d" % seen
EOF
one='{"path": "/near", "handler": "'$behaviours'/echo.so", "depends_on": ["/one"]}, {"path": "/one", "handler": "../one.py:on_msg", "name": "one", "singleton": true, "restart": "always"}'
for n in a b; do member $n '"ttl": "2s"' "$one"; done
NODE=a start a || exit 1
node_says a '/one begins here'
NODE=b start b
linked b a

answers() { await answered "$@" || { tried="$*" status=- out=$(at "$1" ask "$2" x 2>&1) err=$(cat "$1.out" "$1.err") bad "expected the answer of $3"; }; }
answered() { at "$1" ask "$2" x 2>/dev/null | grep -q "^$3 "; }
state() { "$IRIS" ps -a "$1" --json | python3 -c 'import json,sys
for a in json.load(sys.stdin)["actors"]:
    if a["path"] == "/one": print(a["state"])'; }
is_state() { [ "$(state "$1")" = "$2" ]; }
stands_by() { await is_state "$1" "standby on node $2" || bad "expected $1 to stand by for $2, found $(state "$1")"; }

# By its path and its name, from either.
stands_by b a
answers a /one a; answers b /one a; answers b one a
try at b ps;                    exits 0; says 'standby on node a'
try at b inspect /one;          exits 0; says 'standby on node a'
try at b whereis /one;          exits 0; says 'a  for'
token=$(whereis_member b /one token)
try at a explain /one;          exits 0; says 'singleton: here, on node a for '; says "(token $token)"
try at b explain /one;          exits 0; says 'singleton: on node a for '; says "(token $token)"
try at b swap /one "$behaviours/echo.so"; [ "$status" -ne 0 ] || bad 'expected no swap of what stands by'
complains 'standby on node a'

# Stopped: the other one has it at once.
end a
answers b /one b
node_says b '/one begins here'
[ "$(whereis_member b /one token)" -gt "$token" ] || bad 'expected a higher token'
NODE=a start a || exit 1
stands_by a b
answers a /one b

# Killed: when its lease has ended.
kill -KILL "$pid_b"
wait "$pid_b" 2>/dev/null
answers a /one a
NODE=b start b
stands_by b a
answers b /one a

# Frozen, until another one has it; when it goes on, its own is no more.
token=$(whereis_member b /one token)
kill -STOP "$pid_a"
answers b /one b
[ "$(whereis_member b /one token)" -gt "$token" ] || bad 'expected a higher token'
kill -CONT "$pid_a"
for i in 1 2 3 4 5 6 7 8; do
    ! answered a /one a || bad 'expected a to answer for it no more'
    ! answered b /one a || bad 'expected a to answer for it no more'
done
stands_by a b
answers a /one b
node_says a '/one has ended here'

# It crashes: it begins again where it is, as any other.
end a
end b
finish
