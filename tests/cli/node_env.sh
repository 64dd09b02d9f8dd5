#!/bin/bash
# ctest: node.an_actor_has_variables_of_its_own
. "$SRC/tests/cli/live_node"
cat >who.mjs <<'END'
import { Runtime } from 'iris'

const rt = new Runtime()
let outside
try { rt.env('WHO') } catch (e) { outside = e.message }

export class Handler {
  begun = rt.env('WHO')
  onMessage (msg) {
    if (msg.toString() === 'outside') return outside
    return [this.begun, rt.env('WHO'), rt.env('OUTER'), rt.env('NO'), JSON.stringify(rt.env())].join(' ')
  }
}

export async function later () {
  const before = rt.env('WHO')
  await new Promise(resolve => setTimeout(resolve, 1))
  try { return rt.env('WHO') } catch { return before + ' before' }
}
END
manifest "\"hosts\": {\"node\": {\"env\": {\"OUTER\": \"host\"}}},
  \"actors\": [$(actor /a "$PWD/who.mjs#Handler" '"env": {"WHO": "a"}'),
  $(actor /b "$PWD/who.mjs#Handler" '"env": {"WHO": "b", "OUTER": "own"}'),
  $(actor /later "$PWD/who.mjs#later" '"env": {"WHO": "c"}')]"
run_app
try "$IRIS" ask /a x;                      exits 0; says 'a a host  {"WHO":"a"}'
try "$IRIS" ask /b x;                      exits 0; says 'b b own  {"WHO":"b","OUTER":"own"}'
try "$IRIS" ask /later x;                  exits 0; says 'c before'
try "$IRIS" ask /a outside;                exits 0; says 'nobody knows whose handler this is'
"$IRIS" stop >out 2>err
app_ends 0
finish
