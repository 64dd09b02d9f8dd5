#!/bin/bash
# ctest: p1.mesh_two_nodes
# Two processes, linked over the loopback: names of the other node, order, what stands for an actor of it.
. "$SRC/tests/cli/nodes"

node a '"listen": "127.0.0.1:0"' "$(actor /svc/echo echo '"name": "echo"'), $(actor /svc/order order '"name": "order", "mailbox": "unbounded"')"
start a --workers 6 # most of them sleep, and do not look at sockets
where=$(address a)
node b "\"listen\": \"127.0.0.1:0\", \"peers\": [\"$where\"]" "$(actor /svc/mine echo '"name": "mine"'), $(actor /svc/order order), {\"path\": \"/far\", \"remote\": \"echo@a\"}"
start b
linked b a
linked a b
node_says b 'node a is up'

try at b ask echo@a hello;          exits 0; says hello
try at b ask /svc/echo@a path;      exits 0; says path
try at a ask mine@b back;           exits 0; says back
try at b ask echo plain;            exits 0; says plain
try at b send order@a 1;            exits 0
answers a /svc/order count '1 0 0'
answers b /far proxied proxied

try at b ask nobody@a x;            exits 5; complains 'no actor nobody@a'
try at b ask echo@c x;              exits 5; complains 'echo@c'
try at b ask nobody x --json;       exits 5; is_json; says '"code":"no-such-target"'
try at b whereis echo@a;            exits 0; says 'a'
pid=$(at b whereis order@a --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])')
try at a whereis order --json;      exits 0; is_json; says '"here":true'

# 5,000 in order, and then some that fill the link: nothing is lost on the way, nothing overtakes.
try at b send /svc/order "go $pid 5000"; exits 0
answers a /svc/order count '5001 1 0' # one that began anew: "1", "1", "2"
try at b send /svc/order "go $pid 200000"; exits 0
answers a /svc/order count '205001 2 0'

try at b mesh;                      exits 0; says 'up'; says "$where"; complains 'this is node b'
complains 'engine static: OK'
try at b mesh --json;               exits 0; is_json; says '"node":"a"'; says '"engine":{"kind":"static","health":"ok"'
[ "$(node_field b a lost)" = 0 ] || bad 'expected no message to be lost'
try at b ps;                        exits 0; says '/far'; says 'echo@a'
end b
node_says a 'node b went'
end a
finish
