#!/bin/bash
# ctest: cli.ready_in_python_and_node
# iris.ready() in an __init__ or constructor, in a handler, in a coroutine, in what that began, in a pull handler's loop.
. "$SRC/tests/cli/live_node"
cat >p.py <<'END'
import asyncio, iris
waiting, seen = [], []
class Init:
    def __init__(self): iris.ready()
    def on_msg(self, msg): return "init"
def plain(msg): iris.ready()
async def awaits(msg):
    await asyncio.sleep(0.001)
    iris.ready()
    return "awaits"
async def task(msg):
    async def later():
        await asyncio.sleep(0.001)
        iris.ready()
    waiting.append(asyncio.create_task(later()))
async def thread(msg):
    await asyncio.to_thread(iris.ready)
async def pull(mailbox):
    async for msg in mailbox:
        iris.ready()
def blocks(mailbox):
    for msg in mailbox:
        iris.ready()
def looks(msg):
    rt = iris.Runtime()
    seen.append(rt.info(rt.self())["state"])
    iris.ready()
    return seen[0]
def nobody(msg):
    from threading import Thread
    said = []
    def run():
        try: iris.ready()
        except iris.Error as e: said.append(str(e))
    thread = Thread(target=run)
    thread.start(), thread.join()
    return said[0]
END
cat >n.mjs <<'END'
import { ready, Runtime } from 'iris'
import { setTimeout as pause } from 'node:timers/promises'
export class Init {
  constructor () { ready() }
  onMessage () { return 'init' }
}
export function plain () { ready() }
export async function awaits () { await pause(1); ready(); return 'awaits' }
export function timer () { setTimeout(ready, 1) }
const seen = []
export function looks () {
  const rt = new Runtime()
  seen.push(rt.info(rt.self()).state)
  ready()
  return seen[0]
}
export async function pull (mailbox) { for await (const msg of mailbox) ready(msg) }
END
ready='"ready": "notify", "start_timeout": "20s"'
first='"timers": [{"after": "1ms", "send": "begin"}]'
actors=$(actor /init ./p.py:Init "$ready")
for name in plain awaits task thread looks; do actors="$actors, $(actor /$name ./p.py:$name "$ready, $first")"; done
for name in pull blocks; do actors="$actors, $(actor /$name ./p.py:$name "$ready, $first, \"kind\": \"pull\"")"; done
python="$actors, $(actor /nobody ./p.py:nobody)"
actors=$(actor /n/init ./n.mjs#Init "$ready")
for name in plain awaits timer looks; do actors="$actors, $(actor /n/$name ./n.mjs#$name "$ready, $first")"; done
node="$actors, $(actor /n/pull ./n.mjs#pull "$ready, $first")"
manifest "\"actors\": [$python, $node]"
run_app
try "$IRIS" ps;                         exits 0; ! grep -q starting out || bad 'expected that all run'
try "$IRIS" ask /awaits again;          says awaits
try "$IRIS" ask /n/awaits again;        says awaits
try "$IRIS" ask /looks x;               says starting
try "$IRIS" ask /n/looks x;             says starting
try "$IRIS" ask /nobody x;              says 'nobody says it here'
try "$IRIS" restart /awaits;            exits 0
try "$IRIS" restart /n/timer;           exits 0
try "$IRIS" stop; app_ends 0
finish
