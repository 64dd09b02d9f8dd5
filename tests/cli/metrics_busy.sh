#!/bin/bash
# ctest: cli.metrics_of_a_busy_node_are_what_prometheus_reads
# A node of a mesh with swaps, crashes, restarts, dead letters, full mailboxes and three languages: figures are there, and
# the format holds.
. "$SRC/tests/cli/nodes"
. "$SRC/tests/cli/prometheus"
. "$SRC/tests/cli/libnode"

cat >late.py <<'P'
def on_msg(msg):
    return msg
P
echo 'export function onMessage (msg) { return msg }' >late.mjs
python=$([ -e "$BUILD/lib/iris/hosts/python.so" ] && echo 1)
node=$([ -e "$BUILD/lib/iris/hosts/node.so" ] && echo 1)
mkdir -p a b; cp late.py late.mjs a
beat='"heartbeat": {"interval": "50ms", "timeout": "4s"}'
node a "\"listen\": \"127.0.0.1:0\", $beat" "$(actor /svc/tally tally1 '"name": "tally", "restart": "always"'),
    $(actor /svc/held order '"name": "held", "mailbox": {"capacity": 2, "overflow": "dropold"}')${python:+, $(actor /py ./late.py)}${node:+, $(actor /js ./late.mjs)}"
start a
node b "\"peers\": [\"$(address a)\"], $beat" "$(actor /svc/order order)"
start b
linked b a
linked a b

try at b ask tally@a count;                              exits 0
try at a swap /svc/tally "$behaviours/tally2.so";        exits 0
at a send /svc/tally 'crash it' 2>err
[ -z "$python" ] || { try at a ask /py x;                exits 0; }
[ -z "$node" ] || { try at a ask /js x;                  exits 0; }
expect_sample 'iris_events_total{kind="crashed"}' 1 a
expect_sample 'iris_dead_letters_total{reason="crashed"}' 1 a
expect_sample 'iris_actor_restarts_total{path="/svc/tally"}' 1 a
expect_sample 'iris_events_total{kind="swapped"}' 1 a
at a send /svc/held "hold $PWD/go" 2>err
expect_sample 'iris_mailbox_depth{path="/svc/held"}' 0 a # it has begun
for i in 1 2 3 4 5; do at a send /svc/held "$i" 2>err; done
expect_sample 'iris_mailbox_dropped_total{path="/svc/held"}' 4 a
expect_sample 'iris_dead_letters_total{reason="dropped"}' 4 a
holds_format
expect_sample 'iris_mesh_up{node="b"}' 1 a
expect_sample 'iris_mesh_links_total{node="b"}' 1 a
expect_sample 'iris_mesh_received_total{node="b"}' 1 a
expect_sample 'iris_mesh_noconnection_total{node="b"}' 0 a
expect_sample 'iris_mesh_engine_info{kind="static"}' 1 a
expect_sample 'iris_mesh_engine_health{health="ok"}' 1 a
expect_sample 'iris_mesh_engine_health{health="degraded"}' 0 a
measured() { awk -v n="$(sample "$1" a)" 'BEGIN { exit !(n > 0) }'; } # SERIES: more than 0
await measured 'iris_mesh_rtt_seconds{node="b"}'
await measured 'iris_executor_age_seconds{executor="native"}' # it holds
[ -z "$python" ] || expect_sample 'iris_host_versions{host="python"}' 1 a
[ -z "$python" ] || await measured 'iris_handler_seconds_sum{path="/py"}'
[ -z "$node" ] || expect_sample 'iris_host_instances{host="node"}' 1 a
[ -z "$node" ] || await measured 'iris_handler_seconds_sum{path="/js"}'
: >go
await measured 'iris_handler_seconds_count{path="/svc/held"}'
end b
expect_sample 'iris_mesh_up{node="b"}' 0 a
holds_format
start b
expect_sample 'iris_mesh_links_total{node="b"}' 2 a
holds_format
end b
end a
finish
