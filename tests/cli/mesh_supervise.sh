#!/bin/bash
# ctest: p6.mesh_supervises_actors_of_other_nodes
# A supervisor has an actor of another node: it begins again there, in place, its siblings here with it. Who is not
# allowed to is told so; out of reach, its own node looks after it, and it is taken up again.
. "$SRC/tests/cli/nodes"

node a '"listen": "127.0.0.1:'$(free_port)'", "allow": {"supervise": ["b"]}' "$(actor /svc/pay order '"name": "pay"'), $(actor /svc/own echo)"
start a
where=$(address a)
pay='"remote": "pay@a", "supervise": true, "on_loss": "stay"'
mkdir -p b c
for n in b c; do
    printf '{"name": "%s", "mesh": {"node": "%s", "peers": ["%s"], "timeouts": {"redial_max": "100ms"}},
"supervisors": [{"path": "/shop", "strategy": "one_for_all", "intensity": 20}],
"actors": [%s, {"path": "/shop/pay", %s}]}\n' $n $n "$where" "$(actor /shop/near order)" "$pay" >$n/app.json
done
start b
linked b a

supervised() { at b tree --json | grep -q '"node":"a"[^}]*"state":"remote"'; }
field_at() { "$IRIS" ps -a "$1" --json | python3 -c 'import json,sys
for a in json.load(sys.stdin)["actors"]:
    if a["path"] == sys.argv[1]: print(a[sys.argv[2]])' "$2" "$3"; }
has() { [ "$(field_at "$1" "$2" "$3")" = "$4" ]; }
has_restarts() { await has "$1" "$2" restarts "$3" || bad "expected $3 restarts of $2 at $1, found $(field_at "$1" "$2" restarts)"; }
await supervised || bad 'expected it in the tree of b'
by_b() { at a inspect /svc/pay | grep -qF '/shop of node b: on-failure'; }
await by_b || bad "expected its supervisor: $(at a inspect /svc/pay)"
try at b tree;                      exits 0; says 'of node a'
try at a explain /svc/pay;          exits 0; says 'supervised by /shop of node b: on-failure'
pid=$(field_at a /svc/pay pid)

# It crashes: b decides, a begins it again in place, and its sibling at b too.
try at b send pay@a crash;          exits 0
has_restarts a /svc/pay 1
has_restarts b /shop/near 1
[ "$(field_at a /svc/pay pid)" = "$pid" ] || bad 'expected the same pid'
answers b pay@a count '0 0 0'
node_says b '/shop: actor'
# The sibling at b crashes: that of a begins again, too.
await supervised
try at b send /shop/near crash;     exits 0
has_restarts a /svc/pay 2
has_restarts b /shop/near 2
[ "$(field_at a /svc/own restarts)" = 0 ] || bad 'expected no restart of what b does not have'

# b is killed: a looks after it itself; b, another run now, has it again.
kill -KILL "$pid_b"
wait "$pid_b" 2>/dev/null
node_says a 'node b went'
try at a send /svc/pay crash;       exits 0
has_restarts a /svc/pay 3
answers a /svc/pay count '0 0 0'
start b
await by_b || bad 'expected it to be supervised again'
await supervised

# c is not named by a: it is told, with the key that is missing.
start c
node_says c 'node a does not let node c supervise actor'
node_says c '"mesh": {"allow": {"supervise": ["c"]}}'
try at c tree;                      exits 0
! grep -q 'of node a' out || bad 'expected nothing of a'

# a is gone: what it had is no member any more; back again it is found by its name.
kill -KILL "$pid_a"
wait "$pid_a" 2>/dev/null
node_says b 'has gone'
node a "\"listen\": \"$where\", \"allow\": {\"supervise\": [\"b\"]}" "$(actor /svc/pay order '"name": "pay"')"
start a
await by_b || bad 'expected the new run to be supervised'
try at b send pay@a crash;          exits 0
has_restarts a /svc/pay 1
end c b a
finish
