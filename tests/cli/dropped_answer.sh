#!/bin/bash
# ctest: p2.an_answer_that_finds_no_room_is_a_counted_dead_letter_in_every_language
# What a handler returns is an answer; nobody hears the "no" that its send may get.
. "$SRC/tests/cli/live_node"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77

cat >answer.py <<'END'
def on_msg(msg): return b"yes"
async def later(msg): return b"yes"
END
cat >answer.cjs <<'END'
exports.onMessage = () => 'yes'
exports.later = async () => 'yes'
END
manifest "\"actors\": [$(actor /caller caller '"mailbox": 1'), $(actor /python ./answer.py), $(actor /later-python ./answer.py:later),
  $(actor /node ./answer.cjs), $(actor /later-node './answer.cjs#later')]"
run_app
n=0
for path in /python /later-python /node /later-node; do
    try "$IRIS" send /caller $path;        exits 0
    expect_field /caller handled $((n += 1))
    expect_field /caller refused $n
    get health;                            says "\"dropped\":$n}"
done
app_says 'an answer to ' || bad 'it is said once'
try "$IRIS" stop; app_ends 0
finish
