#!/bin/bash
# ctest: cli.inspect_tree_and_ls
# All that is known of one actor; supervisors with theirs; the apps of a directory, those that were killed among them.
. "$SRC/tests/cli/live"
rows() { sed 's/  */ /g; s/ $//' out; }
has() { rows | grep -qE -- "$1" || bad "expected a line like: $1"; }

manifest "\"actors\": [$(actor /svc/tally tally1 '"name": "count", "timers": [{"every": "1h", "send": "tick"}], "mailbox": {"capacity": 3}'),
 $(actor /svc/deep/echo echo '"restart": "always"'), $(actor /throng throng)],
 \"supervisors\": [{\"path\": \"/svc\", \"strategy\": \"rest_for_one\", \"intensity\": 4, \"period\": \"1h\"}, {\"path\": \"/svc/deep\"}]"
run_app
try "$IRIS" inspect /svc/tally;            exits 0; is_quiet
has '^path /svc/tally pid [0-9]+$'; has '^state running, for '; has '^behaviour tally native, push, on executor native$'
has '^version v1 1.0.0$'; has '^mailbox 0 of 3, dropnew, 0 not done, 0 at the door$'; has '^timers 1, the next in 5[0-9]m '; has '^name count$'
has '^restarts 0; /svc: on-failure, rest_for_one, 0 of 4 in 1h 00m$'; has '^watched by 0 monitors; it monitors 0; 0 links, 0 children$'
grep -qE 'last error|back to' out && bad 'expected nothing that has not happened'

try "$IRIS" swap /svc/tally "$behaviours/tally2.so"; exits 0
"$IRIS" send /svc/tally 'crash it' 2>err
await is_field /svc/tally restarts 1
await is_field /svc/deep/echo restarts 1
await is_field /svc/deep/echo state running
try "$IRIS" inspect count;                 exits 0
has '^version v2 2.0.0$'; has '^back to v1 1.0.0 .*tally1.so'; has '^restarts 1; /svc: on-failure, rest_for_one, 1 of 4'
has '^dead 1, [0-9.]+/s$'; has '^last error .*, crashed: crash: told to: crash it'; has 'explain /svc/tally$'
try "$IRIS" inspect /svc/tally --json;     exits 0; is_json
[ "$(json 'sorted(d)')" = "['actor', 'children', 'executor', 'iris', 'kind', 'last_error', 'links', 'mailbox', 'monitored_by', 'monitors', 'names', 'own_thread', 'supervisor', 'target', 'timers', 'versions']" ] || bad 'the shape of inspect is a promise'
[ "$(json '[(v["rev"], v["version"], v["now"]) for v in d["versions"]], d["actor"]["dead_letters"]')" = "([(1, '1.0.0', False), (2, '2.0.0', True)], 1)" ] || bad 'expected two versions'
try "$IRIS" inspect /svc/taly;             exits 5; complains 'did you mean /svc/tally?'
try "$IRIS" inspect;                       exits 2; complains 'PATH is missing'
post inspect '{}';                         says '"code":"bad-request"'

"$IRIS" ask /throng 'spawn 1' >out 2>err
try "$IRIS" tree;                          exits 0; is_quiet
cat >expected <<'END'
/ one_for_one
├─ /svc rest_for_one
│ ├─ /svc/tally running
│ └─ /svc/deep one_for_one
│ └─ /svc/deep/echo running
└─ /throng running
END
rows | sed 1d | grep -oE '^.*(one_for_one|rest_for_one|running)' | diff expected - >diff || { out=$(cat diff); bad 'expected this tree'; }
has '/svc rest_for_one 1 of 4 restarts in 1h 00m$'; has '/svc/tally running 1 restart, on-failure v2 2.0.0$'; has '/echo running 1 restart, always v1'; has '^1 actor has no supervisor; see: '
try "$IRIS" tree -n 0 --json;              exits 0; is_json
[ "$(json 'd["tree"]["count"], d["tree"]["left_out"], d["tree"]["members"][0]["path"]')" = "(2, 1, '/svc')" ] || bad 'expected the actors of each to be left out'
try "$IRIS" tree -n 0;                     has '1 more$'
try "$IRIS" tree all;                      exits 2; complains 'expected no argument'

# Who runs: this app, and a socket that one left behind which was killed.
try "$IRIS" ls "$XDG_RUNTIME_DIR/iris";    exits 0; is_quiet; has "^test $app running [0-9a-z. ]+ - $PWD\$"
try "$IRIS" ls;                            exits 0; has "^test $app running "
post health '{}';                          says not-allowed
kill -KILL $app; wait $app 2>/dev/null
try "$IRIS" ls "$XDG_RUNTIME_DIR/iris";    exits 0; has "^test $app stale - - $XDG_RUNTIME_DIR/iris/test.sock\$"
try "$IRIS" ls "$XDG_RUNTIME_DIR/iris" --json; is_json; [ "$(json '[(a["name"], a["state"], a["pid"]) for a in d["apps"]]')" = "[('test', 'stale', $app)]" ] || bad 'expected what was left'
run_app
try "$IRIS" ls "$XDG_RUNTIME_DIR/iris";    has "^test $app running "
"$IRIS" stop >out; app_ends 0; leaves_nothing
try "$IRIS" ls "$XDG_RUNTIME_DIR";         exits 0; says "no app runs in $XDG_RUNTIME_DIR; start one with: "
try "$IRIS" ls /nowhere;                   exits 1; complains '/nowhere: No such file or directory'
try "$IRIS" ls a b;                        exits 2; complains 'expected at most one DIR'
finish
