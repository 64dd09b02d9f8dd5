#!/bin/bash
# ctest: cli.metrics_are_what_prometheus_reads
# Per path and never per pid, bounded, and in the exposition format: by a parser of ours, and by promtool where it is.
. "$SRC/tests/cli/live"
. "$SRC/tests/cli/prometheus"

manifest "\"actors\": [$(actor /a echo), $(actor /b tally1 '"restart": "always"'), $(actor /c echo)], \"metrics\": {\"max_series\": 10}"
run_app
for i in 1 2 3; do "$IRIS" send /a x 2>err; done
expect_sample 'iris_actor_messages_total{path="/a",host="native"}' 3
"$IRIS" send /c x 2>err
expect_sample 'iris_actor_messages_total{path="other",host=""}' 1
"$IRIS" send /b "crash it" 2>err
expect_sample 'iris_events_total{kind="crashed"}' 1
expect_sample 'iris_dead_letters_total{reason="crashed"}' 1
expect_sample 'iris_actor_restarts_total{path="/b"}' 1
expect_sample 'iris_mailbox_depth{path="/a"}' 0
expect_sample iris_actors 3
expect_sample 'iris_handler_seconds_count{path="/a"}' '' # there was no room for it
is_timed() { metrics; [ "$(sample 'iris_handler_seconds_count{path="other"}')" -gt 0 ]; }
await is_timed
tried=metrics status=- err= out=$(cat head metrics.txt)
grep -q 'Content-Type: text/plain; version=0.0.4' head || bad 'expected the type of the format'
grep -q 'path="/c"' metrics.txt && bad 'expected two paths, and the rest as others'
grep -q 'pid=' metrics.txt && bad 'expected no pid'
for name in iris_workers process_resident_memory_bytes process_open_fds process_threads process_start_time_seconds; do
    grep -q "^$name [1-9]" metrics.txt || bad "expected $name"
done
holds_format
try curl -s -X POST --unix-socket "$XDG_RUNTIME_DIR/iris/test.sock" http://x/metrics; says not-allowed
"$IRIS" stop >out 2>err
app_ends 0
leaves_nothing

# By TCP, with labels of the app's own; that is all that is had there.
manifest "\"actors\": [$(actor /a echo)], \"metrics\": {\"listen\": \"127.0.0.1:0\", \"path\": \"/figures\", \"labels\": {\"cluster\": \"eu-1\", \"what\": \"a \\\"b\\\"\"}}"
run_app
app_says '/figures'
at=$(grep -o 'http://127.0.0.1:[0-9]*' app.out)
curl -sD head "$at/figures" >metrics.txt
tried="$at" status=- err= out=$(cat head metrics.txt)
grep -qF 'iris_actors{cluster="eu-1",what="a \"b\""} 1' metrics.txt || bad 'expected labels where there were none'
grep -qF 'iris_mailbox_depth{cluster="eu-1",what="a \"b\"",path="/a"} 0' metrics.txt || bad 'expected labels before others'
holds_format
for what in / /v1/ps /metrics; do
    [ "$(curl -s -o /dev/null -w '%{http_code}' "$at$what")" = 404 ] || { tried="$at$what"; bad 'expected that there is nothing else'; }
done
[ "$(curl -s -o /dev/null -w '%{http_code}' -X POST -d '{}' "$at/v1/stop")" = 404 ] || bad 'expected that it cannot be stopped there'
# An address that is taken, and one that is open to others.
printf '{"name": "second", "actors": [], "metrics": {"listen": "%s"}}' "${at#http://}" >second.json
try timeout 30 "$IRIS" run second.json; exits 1; complains "metrics.listen: ${at#http://}: cannot listen there: address already in use"
try timeout 30 "$IRIS" run --until-idle --set name=third --set metrics.listen=0.0.0.0:0 app.json
complains 'metrics.listen: whoever reaches 0.0.0.0:0 from outside may read'
"$IRIS" stop -a test >out 2>err
app_ends 0
leaves_nothing

# Where nothing is said of the path.
manifest "\"actors\": [$(actor /a echo)], \"metrics\": {\"listen\": \"127.0.0.1:0\"}"
run_app
app_says '/metrics'
curl -s "$(grep -o 'http://[^ ]*' app.out)" >metrics.txt
grep -q '^iris_actors 1' metrics.txt || bad 'expected figures at /metrics'
"$IRIS" stop >out 2>err
app_ends 0
leaves_nothing
finish
