#!/bin/bash
# ctest: p5.singleton_of_three_nodes
# Its node is killed: exactly one of two others has it. Its supervisors give it up: another node has it when that ends
# the app. It does not begin on one node: another one may. A save leaves it out.
. "$SRC/tests/cli/etcd"

start_etcd
cat >one.py <<'EOF'
import os
me = os.environ["NODE"]


class One:
    def __init__(self):
        if os.path.exists(me + ".sick"):
            raise RuntimeError(me + " is sick")

    def on_msg(self, msg):
        if msg == b"fall":
            raise ValueError("told to")
        return me.encode()
EOF
one='{"path": "/team/inner/one", "handler": "../one.py:One", "singleton": true}, {"path": "/after", "handler": "'$behaviours'/echo.so", "depends_on": ["/team/inner/one"]}],
"supervisors": [{"path": "/team/inner", "intensity": 0}, {"path": "/team", "intensity": 1, "period": "1h", "on_exhausted": "exit"}'
begin() { NODE=$1 start "$@"; }
for n in a b c; do member $n '"ttl": "2s", "cluster": "three"' "$one"; done
begin a || exit 1
node_says a '/team/inner/one begins here'
begin b && begin c || exit 1
linked b c

one=/team/inner/one
is_state() { at "$1" inspect $one | grep -Eq "^state +$2,"; }
state_is() { await is_state "$@" || { tried="$*" status=- out=$(at "$1" inspect $one 2>&1) err=$(cat "$1.err") bad "expected $2 of $1"; }; }
# has NODE OTHER..: it runs there and the others stand by, and what they get goes there
has() {
    local owner=$1
    for n in "$@"; do answers "$n" $one x "$owner"; done
    state_is "$owner" running
    shift
    for n in "$@"; do state_is "$n" "standby on node $owner"; done
}
has a b c
answers c /after x x

# Killed: one of the two others has it, and the one that was killed stands by when it is back.
kill -KILL "$pid_a"
wait "$pid_a" 2>/dev/null
taken() { at b ask $one x >taken 2>/dev/null && grep -qx '[bc]' taken; }
await taken || bad 'expected another node to have it'
owner=$(cat taken) other=b
[ "$owner" = b ] && other=c
has "$owner" "$other"
begin a || exit 1
has "$owner" "$other" a

# The inner supervisor gives up at once, and the outer one begins all of it again once; the second time its app ends.
at "$owner" send $one fall 2>err
node_says "$owner" 'supervisor /team/inner: more than 0 restarts'
has "$owner" "$other" a
touch a.sick
at "$other" stop >out 2>&1 # so that a is next
wait "$(eval "echo \$pid_$other")"
at "$owner" send $one fall 2>err
wait "$(eval "echo \$pid_$owner")"
status=$?
exits 1

# It does not begin on a: a lets it go, and whoever comes has it. The node that is well again stands by.
node_says a 'does not begin here, another node may have it'
node_says a 'a is sick'
try at a explain $one;              exits 0; says 'singleton: nobody has it now'
begin "$other" || exit 1
has "$other" a
rm a.sick

# Who stands by saves the rest of its app, and who has it as well: the other one begins it anew.
begin "$owner" || exit 1
has "$other" a "$owner"
mkdir saves
try at a stop --save "$PWD/saves";  exits 0; says 'saved 1 actor with'; ! grep -q singleton out || bad 'expected none that runs here'
wait "$pid_a"
try at "$other" stop --save "$PWD/saves" --json; exits 0; says '"singletons":1'
wait "$(eval "echo \$pid_$other")"
has "$owner"
begin "$other" --restore saves || exit 1
has "$owner" "$other"
end "$owner" "$other"
finish
