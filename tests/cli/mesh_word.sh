#!/bin/bash
# ctest: p5.mesh_keeps_its_word
# After a silence of 10 s nothing is lost; 5,000 come in order; who has died or does not answer is told of in time;
# a port that is taken is refused. On the loopback.
. "$SRC/tests/cli/nodes"

node a '"listen": "127.0.0.1:0"' "$(actor /svc/echo echo '"name": "echo"'), $(actor /svc/order order '"name": "order", "mailbox": "unbounded"')"
start a
where=$(address a)
node b "\"listen\": \"127.0.0.1:0\", \"peers\": [\"$where\"]" "$(actor /svc/order order)"
start b
linked b a
pid=$(at b whereis order@a --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])')

try at b send order@a 1;            exits 0
answers a /svc/order count '1 0 0'
sleep 10 # longer than the original keeps a silent connection
for i in {2..20}; do try at b send order@a $i; exits 0; done
answers a /svc/order count '20 0 0'
echo "after 10 s of silence: 19 of 19 came"

try at b send /svc/order "go $pid 5000"; exits 0
answers a /svc/order count '5020 1 0' # 1 again, after 20
echo "5,000 came in order"

# Somebody else has the port.
node c "\"listen\": \"$where\"" "$(actor /svc/echo echo)"
try "$IRIS" run c/app.json;         [ "$status" -ne 0 ] || bad 'expected no run with a port that is taken'
complains 'Address already in use'
echo "a busy port: exit status $status"

# It stops without a word: a question is answered in 5 s, by the one who asks.
kill -STOP "$pid_a"
began=$(date +%s%N)
try at b ask "$pid" x;              [ "$status" -ne 0 ] || bad 'expected no answer'
took=$((($(date +%s%N) - began) / 1000000))
echo "a node that was stopped: exit status $status after $took ms: $err"
[ $took -lt 15000 ] || bad "expected a refusal in 5 s, or 15 where others work, too: $took ms"
node_says b 'node a went'
kill -CONT "$pid_a"
linked b a

# It dies: what is sent is refused at once, or is a dead letter.
pid=$(at b whereis order@a --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])')
kill -KILL "$pid_a"
wait "$pid_a" 2>/dev/null
began=$(date +%s%N)
try at b ask "$pid" x;              [ "$status" -ne 0 ] || bad 'expected no answer'
took=$((($(date +%s%N) - began) / 1000000))
echo "a node that was killed: exit status $status after $took ms: $err"
[ $took -lt 5000 ] || bad "expected a refusal at once: $took ms"
try at b ask order@a x;             exits 5
end b
finish
