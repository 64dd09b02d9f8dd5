#!/bin/bash
# ctest: p1.cluster_members_and_names
# Nodes that know only an engine find each other, and a name has one owner among them; it is told who it is.
. "$SRC/tests/cli/etcd"

start_etcd
names='"names": ["pay"], "cluster": "shop"'
member a "$names, \"on_loss\": \"demote\"" "$(actor /pay echo '"name": "pay"'), $(actor /own echo '"name": "own"')"
start a
owns a pay a
member b "$names, \"on_loss\": \"demote\"" "$(actor /pay echo '"name": "pay"'), $(actor /own echo '"name": "own"')"
start b
member c "$names" "$(actor /pay echo '"name": "pay", "restart": "on-failure"'), $(actor /other echo)"
start c

# Members are dialled.
linked a b; linked b a; linked c a; linked c b
engine_is a ok; engine_is b ok; engine_is c ok
try at c mesh;                  exits 0; says 'LEASE'; complains 'engine etcd: OK'
try at c mesh --json;           exits 0; is_json; says '"lease":true'; says '"members":2'

# One owner, wherever it is asked; b's own actor of this name is none.
owns b pay a; owns c pay a
try at a whereis pay;           exits 0; says 'a  for'; says 'token'
try at b whereis pay --json;    exits 0; is_json; says '"here":false'
token=$(whereis_member b pay token)
[ "$token" = "$(whereis_member a pay token)" ] && [ "$token" -gt 0 ] || bad 'expected the same token at both'
answers b pay hello hello
answers c pay hello hello
node_says b 'it belongs to node a'
try at b ask pay@b x;           exits 5
try at a ask pay@b x;           exits 5
try at b whereis own --json;    exits 0; says '"here":true'; ! grep -q token out || bad 'expected no token' # a name like others
# c's is ended, as its manifest says.
node_says c 'is ended'
no_pay() { ! "$IRIS" ps -a c | grep -q /pay; }
await no_pay

# It leaves: the name is b's at once, with a higher token.
leases() { etcd lease/leases '{}' | grep -o '"ID"' | wc -l; }
[ "$(leases)" = 3 ] || bad 'expected three leases'
end a
[ "$(leases)" = 2 ] || bad 'expected its lease to have ended before it did'
owns c pay b
[ "$(whereis_member c pay token)" -gt "$token" ] || bad 'expected a higher token'
answers c pay 1 1
node_says b 'name pay is this node'
# Back again it is told that it comes too late.
start a
linked a b
owns a pay b
node_says a 'it belongs to node b'
answers a pay 2 2

# The actor ends: the name is free.
"$IRIS" stop -a b /pay >/dev/null
owns b pay a
end a b c
finish
