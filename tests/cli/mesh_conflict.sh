#!/bin/bash
# ctest: p1.mesh_a_name_that_two_nodes_have
# One name at two nodes, found by a third one: the later run keeps it; the other is told, at its node; nobody ends.
. "$SRC/tests/cli/nodes"

node a '"listen": "127.0.0.1:0"' "$(actor /a/pay order '"name": "pay"')"
start a
node b '"listen": "127.0.0.1:0"' "$(actor /b/pay order '"name": "pay"')"
start b
node c "\"peers\": [\"$(address a)\", \"$(address b)\"]" "$(actor /x echo)"
start c
linked c a
linked c b
try at c whereis pay;               exits 0; says 'b'
node_says c 'name pay is claimed by node b and by node a; b keeps it'
node_says a "name pay is claimed by node b, too, which keeps it; here it is a's"
is_told() { at a ask pay stuck | grep -qF 'name_conflict (node=b): node b has the name pay too'; }
await is_told || bad 'expected that the actor was told'
answers b pay stuck ''
answers a pay count '0 0 0'
if grep -q 'claimed' b.err; then bad 'expected that who keeps it is not told'; fi
end c b a
finish
