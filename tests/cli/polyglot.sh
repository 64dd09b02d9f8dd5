#!/bin/bash
# ctest: p3.a_ring_of_three_languages_is_swapped_while_it_turns
# native -> Python -> JavaScript -> native, in one process: 100 messages go round 2,000 times, each language gets new
# code meanwhile, and all of them arrive.
. "$SRC/tests/cli/live_node"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77

cat >ring.py <<'END'
import iris

rt = iris.Runtime()
VERSION = 1

def on_msg(msg):
    if msg == b"version":
        return b"%d" % VERSION
    number, left = msg.split(b" ")
    rt.send_named("script" if left != b"0" else "finish", b"%s %d" % (number, int(left) - 1))
END
cat >ring.mjs <<'END'
import { Runtime } from 'iris'

const rt = new Runtime()
const VERSION = 1
const COUNT = 100

export function onMessage (msg) {
  if (msg.toString() === 'version') return String(VERSION)
  rt.sendNamed('native', msg)
}

export class Finish {
  begun = performance.now()
  arrived = new Set()
  onMessage (msg) {
    if (msg.toString() === 'begin') {
      this.begun = performance.now()
      for (let i = 0; i < COUNT; i++) rt.sendNamed('native', `${i} 2000`)
    } else if (msg.toString() === 'look') return `${this.arrived.size} arrived, ${Math.round(this.rate)} messages/s`
    else this.arrived.add(msg.toString().split(' ')[0])
    this.rate = COUNT * 2001 * 3 / (performance.now() - this.begun) * 1000
  }
}
END
manifest "\"actors\": [$(actor /native relay '"name": "native", "args": "/python", "swap": {"stateless": "restart"}'),
  $(actor /python "$PWD/ring.py:on_msg" '"mailbox": "unbounded"'),
  $(actor /script "$PWD/ring.mjs#onMessage" '"name": "script"'),
  $(actor /finish "$PWD/ring.mjs#Finish" '"name": "finish"')]"
run_app
"$IRIS" send /finish begin 2>err
sed -i 's/VERSION = 1/VERSION = 2/' ring.py ring.mjs
try "$IRIS" swap /python;                  exits 0; says 'v1 -> v2'
try "$IRIS" swap /script;                  exits 0; says 'v1 -> v2'
cp "$behaviours/relay.so" newer.so; echo newer >>newer.so
try "$IRIS" swap /native ./newer.so;       exits 0
arrived() { "$IRIS" ask /finish look | grep -q '^100 arrived'; }
await arrived
try "$IRIS" ask /python version;           says '2'
try "$IRIS" ask /script version;           says '2'
"$IRIS" ask /finish look
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
