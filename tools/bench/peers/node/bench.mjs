// One workload in a process of its own: bench.mjs PEER WORKLOAD. Prints lines "NAME VALUE", as ../../suite knows them.
//
// Peers: emitter (an EventEmitter and a microtask for each message), port (a MessagePort to a Worker), nact (where it is
// installed), node (its timers). Workloads: one (64 bytes, to one), timers.
import { EventEmitter } from 'node:events'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { fileURLToPath } from 'node:url'

const PING = Buffer.alloc(64)
const say = (name, value) => console.log(name, value)
const seconds = begin => (performance.now() - begin) / 1000
const turn = () => new Promise(resolve => setImmediate(resolve))

async function rate (n, act) {
  await act(n / 10)
  const begin = performance.now()
  await act(n)
  return n / seconds(begin) / 1e6
}

/** Each message is a Buffer of its own, as a handler may keep it. */
async function emitterOne () {
  const actor = new EventEmitter()
  let got = 0
  actor.on('message', () => { got++ })
  say('one', await rate(2000000, async n => {
    got = 0
    for (let sent = 0; sent < n; sent += 50000) {
      for (let i = 0; i < 50000; i++) {
        const message = Buffer.from(PING)
        queueMicrotask(() => actor.emit('message', message))
      }
      await turn()
    }
    if (got !== n) throw new Error(`${got} of ${n} were handled`)
  }))
}

async function portOne () {
  const worker = new Worker(fileURLToPath(import.meta.url))
  say('one', await rate(200000, n => new Promise(resolve => {
    worker.once('message', resolve)
    worker.postMessage(n)
    for (let i = 0; i < n; i++) worker.postMessage(PING)
  })))
  await worker.terminate()
}

function beWorker () {
  let left = 0
  parentPort.on('message', message => {
    if (typeof message === 'number') left = message
    else if (--left === 0) parentPort.postMessage('all')
  })
}

async function nactOne () {
  const { start, spawn, dispatch } = await import('nact')
  let got = 0
  const actor = spawn(start(), () => { got++ })
  say('one', await rate(300000, async n => {
    got = 0
    for (let i = 0; i < n; i++) dispatch(actor, Buffer.from(PING))
    while (got < n) await turn()
  }))
}

function nodeTimers (n = 100000) {
  const late = []
  const cpu = process.cpuUsage()
  const end = () => {
    const { user, system } = process.cpuUsage(cpu)
    late.sort((a, b) => a - b)
    say('cpu', (user + system) * 1000 / n)
    say('late50', late[n >> 1] * 1000)
    say('late99', late[Math.round(0.99 * (n - 1))] * 1000)
  }
  const begin = performance.now()
  for (let i = 0; i < n; i++) {
    const delay = 500 + i % 1000
    const due = performance.now() + delay
    setTimeout(() => {
      late.push(Math.max(0, performance.now() - due))
      if (late.length === n) end()
    }, delay)
  }
  say('set', seconds(begin) * 1e9 / n)
}

const works = { emitter: { one: emitterOne }, port: { one: portOne }, nact: { one: nactOne }, node: { timers: nodeTimers } }

if (isMainThread) {
  const [peer, workload] = process.argv.slice(2)
  const work = works[peer]?.[workload]
  if (!work) throw new Error(`bench.mjs: ${peer} has no workload ${workload}`)
  await work()
} else {
  beWorker()
}
