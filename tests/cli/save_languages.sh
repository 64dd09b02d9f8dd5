#!/bin/bash
# ctest: cli.save_and_restore_in_three_languages
# The bytes of a swap are those of a save: state goes on in each language, and from one to the next.
for language in python node; do
    [ -e "$BUILD/lib/iris/hosts/$language.so" ] || { echo "this build has no $language"; exit 77; }
done
. "$SRC/tests/cli/live_node"
cat >count.py <<'END'
class Count:
    def __init__(self):
        self.n = 0

    def __iris_save__(self):
        return str(self.n).encode()

    def __iris_upgrade__(self, version, saved):
        self.n = int(saved)

    def on_msg(self, msg):
        if bytes(msg) == b"count":
            return str(self.n)
        self.n += 1


class Careless:
    def on_msg(self, msg):
        return "careless"


def greet(msg):
    return "hello"


async def later(msg):
    return "later"
END
cat >count.mjs <<'END'
export class Count {
  n = 0
  save () { return String(this.n) }
  static upgrade (version, saved) { return Object.assign(new Count(), { n: Number(String(saved)) }) }
  onMessage (msg) {
    if (String(msg) === 'count') return String(this.n)
    this.n++
  }
}
export async function later (msg) { return 'later' }
END
others='{"path": "/greet", "handler": "count.py:greet"}, {"path": "/later/py", "handler": "count.py:later"}, {"path": "/later/js", "handler": "count.mjs#later"}'
first='{"path": "/python", "handler": "count.py:Count"}, {"path": "/node", "handler": "count.mjs#Count"}'
manifest "\"actors\": [$(actor /native tally1), $first, {\"path\": \"/many\", \"handler\": \"count.py:Count\", \"instances\": 2}, $others]"
run_app
for i in 1 2 3; do for path in native python node many; do "$IRIS" send /$path x 2>err; done; done
for path in python node; do try "$IRIS" ask /$path count; says 3; done
expect_field /native handled 3; expect_field /many/1 handled 2; expect_field /many/2 handled 1
try "$IRIS" stop --save saves;          exits 0; says 'saved 9 actors with 0 messages in'; says 'stopped; start it again with: iris run --restore saves'
app_ends 0

# /python goes on in JavaScript, and /node in Python.
second='{"path": "/python", "handler": "count.mjs#Count"}, {"path": "/node", "handler": "count.py:Count"}'
manifest "\"actors\": [$(actor /native tally1), $second, {\"path\": \"/many\", \"handler\": \"count.py:Count\", \"instances\": 2}, $others]"
run_app --restore saves
for path in python node; do
    "$IRIS" send /$path x 2>err
    try "$IRIS" ask /$path count;       says 4
done
try "$IRIS" ask /native count;          says '1 3'
try "$IRIS" ask /many/1 count;          says 2
try "$IRIS" ask /many/2 count;          says 1
try "$IRIS" ask /greet x;               says hello
try "$IRIS" ask /later/py x;            says later
try "$IRIS" ask /later/js x;            says later
"$IRIS" stop >out; app_ends 0

# An object that cannot be saved, unless it may begin afresh.
careless='{"path": "/careless", "handler": "count.py:Careless"}'
manifest "\"actors\": [$careless]"
run_app
try "$IRIS" stop --save saves;          exits 1; complains 'not saved: /careless: '; complains 'class Careless has no __iris_save__(self)'
try "$IRIS" ask /careless x;            says careless
"$IRIS" stop >out; app_ends 0
manifest "\"actors\": [{\"swap\": {\"stateless\": \"restart\"}, ${careless#\{}]"
run_app
try "$IRIS" stop --save saves;          exits 0; says 'saved 1 actor with 0 messages'
app_ends 0
run_app --restore saves
try "$IRIS" ask /careless x;            says careless
"$IRIS" stop >out; app_ends 0
leaves_nothing
finish
