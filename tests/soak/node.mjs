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

function act (rt, pids) {
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
    pick([pid => rt.stop(pid), pid => rt.kill(pid)])(pid)
  }
}

async function life (until) {
  const rt = new iris.NodeRuntime()
  const pids = []
  rt.on('event', () => {})
  while (performance.now() < until) {
    for (let i = 0; i < 500; i++) act(rt, pids)
    while (pids.length > 200) rt.stop(pids.shift())
    await new Promise(resolve => setImmediate(resolve))
  }
  for (const pid of pids) rt.stop(pid)
  await Promise.all(pids.map(pid => rt.join(pid, 30)))
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
