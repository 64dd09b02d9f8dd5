#!/bin/bash
# ctest: p2.an_answer_that_finds_no_room_is_a_counted_dead_letter_in_every_language
# What a handler returns is an answer; nobody hears the "no" that its send may get.
. "$SRC/tests/cli/live_node"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77

cat >answer.py <<'END'
import asyncio, os
def on_msg(msg): return b"yes"
async def later(msg): return b"yes"
async def at_last(msg):
    while not os.path.exists("go"): await asyncio.sleep(0.01)
    return b"yes"
END
cat >answer.cjs <<'END'
const { existsSync } = require('node:fs')
const { setTimeout } = require('node:timers/promises')
exports.onMessage = () => 'yes'
exports.later = async () => 'yes'
exports.atLast = async () => {
  while (!existsSync('go')) await setTimeout(10)
  return 'yes'
}
END
manifest "\"actors\": [$(actor /caller caller '"mailbox": 1'), $(actor /python ./answer.py), $(actor /later-python ./answer.py:later),
  $(actor /node ./answer.cjs), $(actor /later-node './answer.cjs#later'),
  $(actor /last-python ./answer.py:at_last), $(actor /last-node './answer.cjs#atLast')]"
run_app
n=0
for path in /python /later-python /node /later-node; do
    try "$IRIS" send /caller $path;        exits 0
    expect_field /caller handled $((n += 1))
    expect_field /caller refused $n
    get health;                            says "\"dropped\":$n}"
done
app_says 'an answer to ' || bad 'it is said once'

# An answer for which nobody waits any more is one, too.
for path in /last-python /last-node; do
    try "$IRIS" ask $path x --timeout 50ms; exits 124
done
is_unwanted() { get health && grep -qF "\"unwanted\":$1,\"dropped\":$n}" <<<"$out"; }
is_unwanted 0 || bad 'nobody has answered yet'
: >go
await is_unwanted 2
try "$IRIS" stop; app_ends 0
finish
