#!/bin/bash
# ctest: p5.mesh_node_lost
# A node that is killed: who watches hears it once, mail for it is refused, and it is found again on its address.
. "$SRC/tests/cli/nodes"

node a '"listen": "127.0.0.1:'$(free_port)'"' "$(actor /svc/echo echo '"name": "echo"')"
start a
where=$(address a)
node a "\"listen\": \"$where\"" "$(actor /svc/echo echo '"name": "echo"')" # from now on always there
node b "\"peers\": [\"$where\"], \"timeouts\": {\"redial_max\": \"200ms\"}" \
    "$(actor /watcher order), {\"path\": \"/down\", \"remote\": \"echo@a\"}, {\"path\": \"/stay\", \"remote\": {\"address\": \"$where\", \"name\": \"echo\"}, \"on_loss\": \"stay\"}"
start b
linked b a
answers b /down x x
answers b /stay x x
pid=$(at b whereis echo@a --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])')
down=$("$IRIS" ps -a b --json | python3 -c 'import json,sys
print([a["pid"] for a in json.load(sys.stdin)["actors"] if a["path"] == "/down"][0])')
stay=$("$IRIS" ps -a b --json | python3 -c 'import json,sys
print([a["pid"] for a in json.load(sys.stdin)["actors"] if a["path"] == "/stay"][0])')
for p in $pid $down $stay; do try at b send /watcher "watch $p"; exits 0; done
answers b /watcher count '0 0 0'

kill -KILL "$pid_a"
wait "$pid_a" 2>/dev/null
answers b /watcher count '0 0 2' # the actor itself, and what stands for it; not the one that stays
node_says b 'node a went'
try at b ask echo@a x;              exits 5
try at b ask "$pid" x;              exits 5
try at b ask /down x;               exits 1; complains 'node: noconnection'

start a
linked b a
answers b /down again again
answers b /stay again again
try at b ask "$pid" x;              exits 5 # of the run before
answers b /watcher count '0 0 2'
try at b mesh;                      exits 0; says 'up'
end b a
finish
