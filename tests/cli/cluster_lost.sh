#!/bin/bash
# ctest: p5.cluster_never_two_owners
# The engine is silent, its lease ends, a node is frozen or killed: who may have lost its name does not answer for it, and in
# the end one node does, with a higher token.
. "$SRC/tests/cli/etcd"

start_etcd
engine='"ttl": "2s", "names": ["pay"], "on_loss": "demote"'
pay=$(actor /pay echo '"name": "pay"'),$(actor /own echo '"name": "own"')
member a "$engine" "$pay"
member b "$engine" "$pay"
start a
owns a pay a
start b
linked b a
owns b pay a
first=$(whereis_member b pay token)

one_owner() { owner=$(whereis_member a pay node) && [ -n "$owner" ] && [ "$owner" = "$(whereis_member b pay node)" ]; }
# agreed: waits until both name the same owner, whose token is above the one before
agreed() {
    await one_owner
    token=$(whereis_member "$owner" pay token)
    [ "$token" -gt "$first" ] || bad "expected a token above $first, found $token"
    first=$token
    is_owner a pay "$owner" && is_owner b pay "$owner" || bad "expected $owner at both"
}

# Silent: links and names of nodes go on; the name that is unique is nobody's before another could have it.
kill -STOP "$pid_etcd"
engine_is a degraded
answers b own@a 1 1
engine_is a lease-lost; engine_is b lease-lost
node_says a 'engine etcd: LEASE LOST'
node_says a 'name pay is not this node'
try at a ask pay x;             exits 5
try at b ask pay x;             exits 5
try at b ask pay@a x;           exits 5
try at a whereis pay;           exits 5
answers b own@a 2 2
try at a mesh;                  exits 0; complains 'LEASE LOST since'; says 'up'
kill -CONT "$pid_etcd"
engine_is a ok; engine_is b ok
agreed

# Its lease is ended by somebody: it is told with the next renewal.
lease=$(etcd lease/leases '{}' | sed 's/.*"leases":\[{"ID":"\([0-9]*\)".*/\1/')
etcd lease/revoke "{\"ID\": \"$lease\"}" >/dev/null
said() { grep -qF 'the engine has ended it' a.err b.err; }
await said
engine_is a ok; engine_is b ok
await one_owner

# Frozen: another has it; when it goes on it knows that, before it has heard of anybody.
await one_owner
frozen=$owner other=$([ "$owner" = a ] && echo b || echo a)
first=$(whereis_member "$other" pay token)
eval "kill -STOP \$pid_$frozen"
owns "$other" pay "$other"
eval "kill -CONT \$pid_$frozen"
try at "$frozen" ask pay@"$frozen" x; exits 5
agreed
[ "$owner" = "$other" ] || bad "expected $other to keep it"

# Killed: another has it when its lease has ended.
eval "kill -KILL \$pid_$owner; wait \$pid_$owner" 2>/dev/null
owns "$frozen" pay "$frozen"
answers "$frozen" pay 3 3

# What was missed while the watch was broken, and is forgotten by the engine since, is listed anew.
killed=$other left=$frozen
start "$killed"
linked "$left" "$killed"
eval "kill -STOP \$pid_$killed"
end_etcd
start_etcd
etcd kv/put '{"key": "eA==", "value": "eA=="}' >/dev/null
owns "$left" pay "$left"
revision=$(etcd kv/range '{"key": "AA=="}' | sed 's/.*"revision":"\([0-9]*\)".*/\1/')
etcd kv/compaction "{\"revision\": \"$revision\"}" >/dev/null
eval "kill -CONT \$pid_$killed"
engine_is "$killed" ok
owns "$killed" pay "$left"
answers "$killed" pay 4 4
end a b
finish
