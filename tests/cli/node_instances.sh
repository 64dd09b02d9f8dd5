#!/bin/bash
# ctest: p9.environments_of_one_app_run_side_by_side
# Two environments: what one is at does not hold up the other, each swap reaches its actor, and both end.
. "$SRC/tests/cli/live_node"
cat >busy.mjs <<'END'
import { threadId } from 'node:worker_threads'
import { readFileSync } from 'node:fs'
let n = 0
export function onMessage (msg) {
  const word = String(msg)
  if (word === 'loop') for (;;) readFileSync('/dev/null') // until it is terminated
  if (word === 'wait') while (readFileSync('go.txt', 'utf8') !== 'go\n') ;
  if (word === 'throw') throw new Error('told to')
  if (word === 'exit') process.exit(1)
  return `1: ${++n}`
}
export const save = () => String(n)
export const upgrade = (from, saved) => { n = Number(saved) }
END
echo wait >go.txt
manifest "\"hosts\": {\"node\": {\"instances\": 2, \"turn_limit\": \"20s\"}},
\"actors\": [$(actor /a ./busy.mjs), $(actor /b ./busy.mjs), $(actor /c ./busy.mjs)]"
run_app

try "$IRIS" ps;                            exits 0; says 'node: 2 environments, 3 versions, heap '

# /a and /c are in one, /b is in the other.
try "$IRIS" send /a wait;                  exits 0
try "$IRIS" ask /b x;                      exits 0; says '1: 1'
try "$IRIS" ask /c x --timeout=100ms;      exits 124
echo go >go.txt
try "$IRIS" ask /c x;                      exits 0; says '1: 2'

for how in throw exit; do
    try "$IRIS" send /a $how;              exits 0
    expect_field /a restarts $([ $how = throw ] && echo 1 || echo 2)
    try "$IRIS" ask /b x;                  exits 0
done

# Each is swapped where it is, its state goes along, and nothing that was sent before is lost.
for i in $(seq 20); do "$IRIS" send /b x >/dev/null 2>&1; done
sed -i 's/`1: /`2: /' busy.mjs
for path in /a /b /c; do try "$IRIS" swap $path; exits 0; done
try "$IRIS" ask /b x;                      exits 0; says '2: 24'
try "$IRIS" ask /c x;                      exits 0; says '2: '
try "$IRIS" rollback /b;                   exits 0
try "$IRIS" ask /b x;                      exits 0; says '1: 25'

# An endless loop in one, and the end of all.
try "$IRIS" send /a loop;                  exits 0
try "$IRIS" ask /b x;                      exits 0; says '1: 26'
"$IRIS" stop --timeout=10ms >out 2>&1
app_ends 1

# A language that has one says so.
if [ -e "$BUILD/lib/iris/hosts/python.so" ]; then
    echo 'def on_msg(msg): return msg' >one.py
    manifest "\"hosts\": {\"python\": {\"instances\": 2}}, \"actors\": [$(actor /one ./one.py)]"
    try "$IRIS" run; exits 3
    complains 'hosts.python.instances: this language has only one'
fi
finish
