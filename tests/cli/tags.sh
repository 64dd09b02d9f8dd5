#!/bin/bash
# ctest: p9.tags_are_labels
# Of an actor's figures, its lines in the log and its rows, of all of its instances and of nobody else's; another
# manifest changes them at once.
. "$SRC/tests/cli/live"
app() {
    manifest "\"logs\": {\"file\": \"app.log\"},
      \"supervisors\": [{\"path\": \"/svc\", \"defaults\": {\"tags\": {\"tier\": \"1\"}}}],
      \"actors\": [$(actor /svc/pay echo "\"tags\": {\"team\": \"$1\"}"), $(actor /svc/mail echo),
      $(actor /more echo '"instances": 2, "tags": {"team": "q\"uote"}'), $(actor /none echo)]"
}
series() { try curl -s --unix-socket "$XDG_RUNTIME_DIR/iris/test.sock" http://iris/metrics; }
rows() { "$IRIS" ps "$1" --json | python3 -c 'import json,sys
print(*[a["path"] for a in json.load(sys.stdin)["actors"]])'; }
lists() { tried="iris ps $1" status=- err= out=$(rows "$1"); [ "$out" = "$2" ] || bad "expected $2"; }
app pay
run_app
"$IRIS" send /svc/pay 'log one' 2>err; "$IRIS" send /none 'log none' 2>err
series
says 'iris_actor_messages_total{path="/svc/pay",host="native",team="pay",tier="1"}'
says 'iris_mailbox_depth{path="/svc/mail",tier="1"} 0'
says 'iris_mailbox_depth{path="/more/2",team="q\"uote"} 0'
says 'iris_mailbox_depth{path="/none"} 0'
field /svc/pay tags >out;                  says "{'team': 'pay', 'tier': '1'}"
field /none tags >out;                     says '{}'
try "$IRIS" inspect /svc/pay;              exits 0; says 'team=pay, tier=1'
await grep -qF '"text":"one","tags":{"team":"pay","tier":"1"}' app.log
await grep -qF '"text":"none"}' app.log
lists tag:team=pay '/svc/pay'
lists tag:team '/svc/pay /more/1 /more/2 /more'
lists tag:tier=1 '/svc/pay /svc/mail'
lists tag:tea ''
lists tag:team=pa ''
try "$IRIS" ps tag:tea;                    says 'no actor has the tag "tea"'
app billing
try "$IRIS" apply;                         exits 0; says 'set      /svc/pay  tags'; says 'keep     5'; is_quiet
lists tag:team=billing '/svc/pay'
lists tag:team=pay ''
"$IRIS" send /svc/pay 'log two' 2>err
await grep -qF '"text":"two","tags":{"team":"billing","tier":"1"}' app.log
series
says 'iris_mailbox_depth{path="/svc/pay",team="billing",tier="1"} 0'
"$IRIS" stop >out 2>err
app_ends 0
finish
