#!/bin/bash
# ctest: p3.node_swaps_what_runs
# What a user does first: a function that answers, edited and swapped while it runs; then what goes wrong.
. "$SRC/tests/cli/live_node"

cat >hello.mjs <<'END'
import { HELLO } from './words.cjs'
import { basename } from 'node:path'
import { Worker } from 'node:worker_threads'
import esmOnly from 'esm-only'
import iris from 'iris'

export const version = '1.0'
export function onMessage (msg) { return HELLO + msg }

export class Counter {
  static stateVersion = 2
  constructor ({ start = 0 } = {}) { this.n = start }
  onMessage (msg) {
    if (msg.toString() !== 'count') this.n++
    return 'v1 ' + this.n
  }
  save () { return 'n=' + this.n }
  static upgrade (from, saved) { return new Counter({ start: Number(saved.toString().slice(2)) }) }
}

export async function later (msg) {
  await new Promise(resolve => setTimeout(resolve, 1))
  if (msg.toString() === 'reject') throw new Error('rejected')
  return 'later ' + msg
}

export function square (msg) {
  const worker = new Worker(new URL('./square.mjs', import.meta.url), { workerData: Number(msg) })
  return new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject))
}

export async function pull (mailbox) {
  for (let msg; (msg = await mailbox.recv()) !== null;) iris.Runtime && new iris.Runtime().sendNamed('greeter', msg)
}

export async function pullFault (mailbox) {
  await mailbox.recv()
  await mailbox.recv(0.001)
  throw new Error('on no message')
}

export function onFault (msg) {
  switch (msg.toString()) {
    case 'zero': return null.x
    case 'exit': process.exit(7)
    case 'leave': process.exit(0)
    case 'timer': setTimeout(() => { throw new RangeError('in a timer') }, 1); return
    case 'reject': Promise.reject(new Error('nobody caught it')); return
    case 'deep': return onFault(msg)
    case 'signal': process.on('SIGTERM', () => {}); break
  }
  return `alive ${esmOnly} ${basename('/a/b')}`
}
END
echo 'exports.HELLO = "hello, "' >words.cjs
echo 'import { parentPort, workerData } from "node:worker_threads"; parentPort.postMessage(String(workerData ** 2))' >square.mjs
mkdir -p node_modules/esm-only
echo '{"name": "esm-only", "type": "module", "exports": {"import": "./main.js"}}' >node_modules/esm-only/package.json
echo 'export default "esm"' >node_modules/esm-only/main.js
cat >common.cjs <<'END'
const { Runtime } = require('iris')
let n = 0
exports.onMessage = msg => `common ${++n} ${new Runtime().whereis('/hello') !== null}`
exports.save = () => String(n)
exports.upgrade = (from, saved) => { n = Number(saved) }
END
manifest "\"actors\": [$(actor /hello "$PWD/hello.mjs#onMessage" '"name": "greeter"'),
  $(actor /counter "$PWD/hello.mjs#Counter" '"args": {"start": 5}'),
  $(actor /common "$PWD/common.cjs"), $(actor /later "$PWD/hello.mjs#later" '"restart": "always"'),
  $(actor /square "$PWD/hello.mjs#square"), $(actor /pull "$PWD/hello.mjs#pull" '"kind": "pull"'),
  $(actor /fault "$PWD/hello.mjs#onFault" '"restart": "always"'),
  $(actor /slip "$PWD/hello.mjs#onFault"), $(actor /slip/pull "$PWD/hello.mjs#pullFault"),
  $(actor /tally tally2)],
  \"supervisors\": [{\"path\": \"/\", \"intensity\": 100}]"
run_app
app_says '(node, '

try "$IRIS" ask /hello Ada;                exits 0; says 'hello, Ada'
try "$IRIS" ask /counter x;                says 'v1 6'
try "$IRIS" ask /common x;                 says 'common 1 true'
try "$IRIS" ask /later x;                  says 'later x'
try "$IRIS" ask /square 12;                 says '144'

sed -i 's/HELLO + msg/HELLO + String(msg).toUpperCase()/; s/v1 /v2 /' hello.mjs
try "$IRIS" swap /hello;                   exits 0; says '/hello  v1 -> v2  swapped in'
try "$IRIS" ask /hello Ada;                says 'hello, ADA'
try "$IRIS" swap /counter;                 exits 0
try "$IRIS" ask /counter count;            says 'v2 6'
try "$IRIS" rollback /hello;               exits 0; says '(=v1)'
try "$IRIS" ask /hello Ada;                says 'hello, Ada'
try "$IRIS" rollback /counter;             exits 0
try "$IRIS" ask /counter x;                says 'v1 7'
try "$IRIS" swap /common;                  exits 0
try "$IRIS" ask /common x;                 says 'common 2 true'

# Refused, and the old goes on.
cp hello.mjs good.mjs
echo 'export function onMessage (msg { }' >hello.mjs
try "$IRIS" swap /hello;                   exits 6; complains 'SyntaxError'; complains 'hello.mjs:1'
echo 'import "./no-such-file.mjs"' >hello.mjs
try "$IRIS" swap /hello;                   exits 6; complains 'no-such-file.mjs'
echo 'export function onMesage () {}' >hello.mjs
try "$IRIS" swap /hello;                   exits 6; complains 'it has no "onMessage"'; complains 'onMesage'
echo 'process.exit(3)' >hello.mjs
try "$IRIS" swap /hello;                   exits 6; complains 'process.exit(3)'
try "$IRIS" ask /hello Ada;                says 'hello, Ada'

# From C to JavaScript and back: the count crosses as bytes.
"$IRIS" send /tally x 2>err
"$IRIS" send /tally x 2>err
try "$IRIS" swap /tally "$PWD/good.mjs#Counter"; exits 0
try "$IRIS" ask /tally x;                  says 'v2 3'
try "$IRIS" swap /tally "$behaviours/tally2.so"; exits 0
try "$IRIS" ask /tally count;              says '2 3'

# A fault ends the actor, never the process; the reason is the stack.
for fault in zero exit deep; do try "$IRIS" ask /fault $fault; exits 1; done
for fault in timer reject; do
    "$IRIS" send /fault $fault 2>err
    await grep -q "restart $((n = ${n:-3} + 1))" app.out
done
app_says 'TypeError: Cannot read properties of null'
app_says 'process.exit(7)'
app_says 'RangeError: Maximum call stack size exceeded'
app_says 'RangeError: in a timer'
app_says 'Error: nobody caught it'
# Also outside of its handler it is a crash, after which it begins again.
for n in 1 2; do
    "$IRIS" send /slip $([ $n = 1 ] && echo timer || echo reject) 2>err
    await grep -q "/slip  restart $n" app.out
    "$IRIS" send /slip/pull x 2>err
    await grep -q "/slip/pull  restart $n" app.out
done
app_says 'Error: on no message'
try "$IRIS" ask /slip x;                   exits 0; says 'alive'
try "$IRIS" ask /later reject;             exits 1; complains 'Error: rejected'
"$IRIS" send /fault leave 2>err
await grep -q '/fault  restart 6' app.out
lives() { [ "$("$IRIS" ask /fault x 2>err)" = 'alive esm b' ]; }
await lives
try "$IRIS" ask /fault signal;             says 'alive'
app_says "process.on('SIGTERM') does nothing here"

try "$IRIS" stop; app_ends 0; leaves_nothing

# "kind" is held against the handler.
manifest "\"actors\": [$(actor /pull "$PWD/good.mjs#pull" '"kind": "push"'), $(actor /hello "$PWD/good.mjs" '"kind": "pull"')]"
try "$IRIS" run;                           exits 3
complains 'actors[0].kind: found "push", but "pull" calls recv() itself; say "pull", or leave it out'
complains 'actors[1].kind: found "pull", but "onMessage" is called for each message; say "push", or leave it out'

# What handlers run in.
mkdir -p packages/found
echo 'exports.word = "found"' >packages/found/index.js
cat >where.mjs <<'END'
import { word } from 'found'
export const onMessage = () => `${word} ${process.env.REGION} ${process.cwd().split('/').pop()}`
END
manifest "\"hosts\": {\"node\": {\"env\": {\"REGION\": \"eu\"}, \"cwd\": \"packages\", \"search\": [\"packages\"]}}, \"actors\": [$(actor /where "$PWD/where.mjs")]"
run_app
try "$IRIS" ask /where x;                  says 'found eu packages'
try "$IRIS" stop; app_ends 0
manifest "\"hosts\": {\"node\": {\"options\": {\"wings\": 2}}}, \"actors\": [$(actor /where "$PWD/where.mjs")]"
try "$IRIS" run;                           exits 3; complains 'hosts.node.options'; complains 'unknown option; this host has none'
finish
