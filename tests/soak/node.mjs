// Node actors at random for so many seconds: spawned, asked, swapped, crashed, stopped; memory stays flat.
import { createRequire } from 'node:module'

const iris = createRequire(import.meta.url)(process.env.IRIS_NODE)

const pick = list => list[Math.floor(Math.random() * list.length)]

function plain (msg) {
  if (msg.length === 5 && msg.toString() === 'crash') throw new Error('told to')
  return msg
}

async function waits (msg) {
  await new Promise(resolve => setImmediate(resolve))
  return plain(msg)
}

class Counter {
  n = 0
  onMessage (msg) {
    this.n++
    return plain(msg)
  }
}

async function pull (mailbox) {
  for await (const msg of mailbox) {
    if (msg.system) return
    plain(msg)
  }
}

const large = Buffer.alloc(20000)
const AT_ONCE = 2000 // stopped ones that may be on their way: who makes more than is handled proves nothing

/** Stops it, and sees to it that it ends. */
function finish (rt, pid, how, ending) {
  rt[how](pid)
  const ended = rt.join(pid, 30).catch(error => {
    throw new Error(`${error.message}: ${how}, ${ending.size} are to end: ${JSON.stringify(rt.info(pid))}`)
  }).finally(() => ending.delete(ended))
  ending.add(ended)
}

function act (rt, pids, ending) {
  const kind = Math.floor(Math.random() * 11)
  if (kind < 3 || !pids.length) {
    pids.push(Math.random() < 0.8 ? rt.spawn(pick([plain, waits, Counter, msg => msg])) : rt.spawnWithMailbox(pull))
    return
  }
  const pid = pick(pids)
  if (kind < 7) rt.send(pid, Math.random() < 0.05 ? 'crash' : pick(['x', large, 'y']))
  else if (kind === 7) rt.hotSwap(pid, Math.random() < 0.5 ? async () => {} : msg => { plain(msg) })
  else if (kind === 8) rt.sendAfter(pid, 1, 'later')
  else if (kind === 9) rt.ask(pid, 'x', 0.05).catch(() => {})
  else {
    pids.splice(pids.indexOf(pid), 1)
    finish(rt, pid, pick(['stop', 'kill']), ending)
  }
}

async function life (until) {
  const rt = new iris.NodeRuntime()
  const pids = []
  const ending = new Set()
  rt.on('event', () => {})
  while (performance.now() < until) {
    for (let i = 0; i < 500; i++) act(rt, pids, ending)
    while (pids.length > 200) finish(rt, pids.shift(), 'stop', ending)
    do await new Promise(resolve => setImmediate(resolve))
    while (ending.size > AT_ONCE)
  }
  for (const pid of pids) finish(rt, pid, 'stop', ending)
  await Promise.all(ending)
  await rt.close()
}

const end = performance.now() + 1000 * Number(process.argv[2])
let first
while (performance.now() < end) {
  await life(Math.min(end, performance.now() + 5000))
  globalThis.gc()
  const now = process.memoryUsage().rss
  console.log(`${Math.round(now / 1e6)} MB`)
  first ??= now
  if (now > first * 1.5 + 50e6) {
    console.error(`memory grows: ${first} bytes at first, ${now} now`)
    process.exit(1)
  }
}
