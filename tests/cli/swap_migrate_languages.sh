#!/bin/bash
# ctest: p3.swap_migrate_in_three_languages
# A state goes from Python to JavaScript and to C by functions that know both, and neither handler does.
. "$SRC/tests/cli/live_node"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
mkdir shop; touch shop/__init__.py
cat >shop/pay.py <<'END'
class Pay:
    __iris_version__ = 1
    def __init__(self): self.n = 0
    def __iris_save__(self): return b"%d" % self.n
    def on_msg(self, msg):
        self.n += 1
        return f"py {self.n}"
END
cat >shop/move.py <<'END'
import json
def migrate(saved, from_version):
    if from_version != 1: raise LookupError(f"format {from_version}")
    return json.dumps({"count": int(saved) * 10}).encode()
async def later(saved, from_version): return saved
def nothing(saved, from_version): return {"count": 1}
END
cat >pay.mjs <<'END'
export class Pay {
  static stateVersion = 2
  count = 0
  save () { return JSON.stringify({ count: this.count }) }
  static upgrade (from, saved) { return Object.assign(new Pay(), JSON.parse(saved)) }
  onMessage () { return `js ${++this.count}` }
}
END
cat >move.mjs <<'END'
export function toText (saved, from) {
  if (from !== 2) throw new Error(`format ${from}`)
  return `n=${JSON.parse(saved).count}`
}
export function migrate () { return { count: 1 } }
export async function later (saved) { return saved }
END
app() { manifest "\"actors\": [{\"path\": \"/pay\", \"handler\": \"$1\", \"host\": \"$2\", \"swap\": {\"migrate\": \"$3\"}}]"; }
app shop.pay:Pay python shop.move:migrate
try "$IRIS" check;                             exits 0
run_app
try "$IRIS" ask /pay x;                        exits 0; says 'py 1'
refused() { # migrate, words
    try "$IRIS" swap /pay ./pay.mjs#Pay --migrate "$1"; exits 6; complains "$2"
}
refused shop.move:later 'is async, and a swap does not wait for it'
refused shop.move:nothing "bytes-like object is required, not 'dict'"
refused shop/move.py:nobody 'it has no "nobody" that can be called; it has: migrate, later, nothing'
refused move.mjs#toText 'Error: format 1'
refused move.mjs#nobody 'it has no function "nobody" that migrates a state'
refused move.mjs 'expected the bytes of the new state'
refused move.mjs#later 'not a promise'
try "$IRIS" ask /pay x;                        exits 0; says 'py 2'
expect_field /pay rev 1
try "$IRIS" swap /pay ./pay.mjs#Pay;           exits 0; says 'v1 -> v2'
try "$IRIS" ask /pay x;                        exits 0; says 'js 21'

# By the manifest, in JavaScript, for C.
app "$behaviours/tally3.so" native move.mjs#toText
try "$IRIS" apply;                             exits 0; says 'swap.migrate'
try "$IRIS" ask /pay count;                    exits 0; says '3 21'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
