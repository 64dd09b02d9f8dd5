// Whole lives of processes, in random order: runtimes, actors, swaps, crashes, stops, workers, and one of many ends.
// Each must end with the status that its end has, and in time. SEED=n shows one life again.
import { spawn } from 'node:child_process'

const where = process.env.IRIS_NODE
export const LIMIT = 60000 // ms; for a machine with other things to do, and a sanitizer

/** Numbers from a seed, the same everywhere. */
function dice (seed) {
  let state = seed * 2654435761 >>> 0 || 1
  return n => {
    state ^= state << 13
    state >>>= 0
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state % n
  }
}

// What happens on the way. rt(), pid(): one of those that are there.
const STEPS = [
  'runtimes.push(quiet(new iris.Runtime()))',
  'runtimes.push(quiet(new iris.Runtime({ workers: 1, turnLimit: 1 })))',
  'pids.push(rt().spawn(m => m))',
  'pids.push(rt().spawn(async m => { await soon(); return m }))',
  'pids.push(rt().spawn(class { onMessage (m) { return m } }))',
  'pids.push(rt().spawn(m => { rt().send(pid(), m) }, 1))',
  'pids.push(rt().spawnWithMailbox(async box => { for await (const m of box) if (m.system) return }))',
  'pids.push(rt().spawnChild(pid(), m => m))',
  'pids.push(rt().spawn(() => { throw new Error("crash") }))',
  'pids.push(rt().spawn(async () => { await soon(); throw new Error("crash later") }))',
  'pids.push(rt().spawnBounded(async () => { await soon() }, 1))',
  'pids.push(rt().spawn(() => { setTimeout(() => {}, 1) }, { borrow: true }))',
  'for (let i = 0; i < 50; i++) rt().send(pid(), "message " + i)',
  'rt().send(pid(), Buffer.alloc(100000, 1))',
  'rt().sendWait(pid(), "wait").catch(nothing)',
  'rt().ask(pid(), "ask", 0.05).catch(nothing)',
  'rt().sendAfter(pid(), 2, "later")',
  'const one = rt(); timers.push([one, one.sendInterval(pid(), 1, "tick")])',
  'for (const [of, timer] of timers.splice(0)) attempt(() => of.cancelTimer(timer))',
  'attempt(() => rt().hotSwap(pid(), m => m))',
  'rt().swap(pid(), m => "new").catch(nothing)',
  'rt().rollback(pid()).catch(nothing)',
  'attempt(() => rt().watch(pid()))',
  'rt().stop(pid())',
  'rt().kill(pid())',
  'rt().join(pid(), 0.01).catch(nothing)',
  'rt().close(1)',
  'await rt().close(1)',
  'await soon()',
  'await new Promise(resolve => setTimeout(resolve, 3))',
  'new Worker(work("rt.send(pid, \\"x\\")"), { eval: true }).on("error", nothing)',
  'workers.push(new Worker(work("setInterval(() => rt.send(pid, \\"x\\"), 1)"), { eval: true }))',
  'workers.pop()?.terminate()',
  'await workers.pop()?.terminate()',
  'new Worker(work("throw new Error(\\"in a worker\\")"), { eval: true }).on("error", nothing)',
  'new Worker(work("process.exit(5)"), { eval: true })'
]

// How it ends, and with what status.
const tidy = 'for (const [of, timer] of timers) attempt(() => of.cancelTimer(timer)); await Promise.all(workers.map(w => w.terminate())); busy = false'
const ENDS = [
  ['process.exit(0)', 0],
  ['process.exit(7)', 7],
  ['setTimeout(() => process.exit(9), 2); await new Promise(() => {})', 9],
  ['const one = rt(); one.send(one.spawn(() => process.exit(4)), "x"); await new Promise(resolve => setTimeout(resolve, 50000))', 4],
  ['throw new Error("the end")', 1],
  ['setImmediate(() => { throw new Error("the end") }); await new Promise(resolve => setTimeout(resolve, 50000))', 1],
  ['Promise.reject(new Error("the end")); await new Promise(resolve => setTimeout(resolve, 50000))', 1],
  [`${tidy}; for (const one of runtimes) await one.close(1)`, 0],
  [`${tidy}; for (const one of runtimes) one.close(1)`, 0],
  [`${tidy}; for (const each of pids) for (const one of open()) one.kill(each)`, 0], // forgotten: it ends when it is idle
  ['process.kill(process.pid, "SIGKILL")', 'SIGKILL'],
  ['process.kill(process.pid, "SIGTERM"); await new Promise(resolve => setTimeout(resolve, 50000))', 'SIGTERM'],
  ['process.on("exit", () => { attempt(() => rt().send(pid(), "bye")) }); process.exit(3)', 3]
]

export function life (seed) {
  const any = dice(seed)
  const steps = Array.from({ length: 3 + any(25) }, () => STEPS[any(STEPS.length)])
  const [end, status] = ENDS[any(ENDS.length)]
  const source = `
const iris = require(${JSON.stringify(where)})
const { Worker } = require('node:worker_threads')
const nothing = () => {}
let busy = true
const attempt = what => { try { what() } catch (error) { if (!/^IRIS_/.test(error.code)) throw error } }
const soon = () => new Promise(resolve => setImmediate(resolve))
const quiet = one => one.on('event', nothing)
let state = ${seed}
const any = n => (state = (state * 1103515245 + 12345) % 2147483648) % n
const runtimes = [quiet(new iris.Runtime())]
const open = () => runtimes.filter(one => !one.closed)
const rt = () => {
  if (!open().length) runtimes.push(quiet(new iris.Runtime()))
  return open()[any(open().length)]
}
const pids = [rt().spawn(m => m)]
const pid = () => pids[any(pids.length)]
const timers = []
const workers = []
const work = what => 'const iris = require(${JSON.stringify(where)}); const rt = new iris.Runtime(); rt.on("event", () => {}); const pid = rt.spawn(m => m); ' + what
const step = async f => { try { await f() } catch (error) { if (!/^IRIS_/.test(error.code)) throw error } }
;(async () => {
${steps.map(step => `  await step(async () => { ${step} })`).join('\n')}
  ${end}
})()`
  return { source, status, end }
}

/** The life of this seed as a process. null: it was as it should be; or what was wrong. */
export function live (seed) {
  const { source, status, end } = life(seed)
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'ignore', 'pipe'] })
  let err = ''
  child.stderr.on('data', text => { err = (err + text).slice(-12000) })
  return new Promise(resolve => {
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGKILL')
    }, LIMIT)
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const ended = code ?? signal
      resolve(!late && ended === status ? null : `SEED=${seed}: ${late ? `not over after ${LIMIT} ms` : `ended ${ended}`}, not ${status}; its end: ${end}\n${err}`)
    })
  })
}

/** So many lives, two at once; those that were wrong. */
export async function lives (first, count) {
  const wrong = []
  const took = process.env.VERBOSE ? (seed, ms) => console.log(seed, ms.toFixed(), life(seed).end) : () => {}
  let next = first
  const some = async () => {
    while (next < first + count) {
      const [seed, begin] = [next++, performance.now()]
      const found = await live(seed)
      took(seed, performance.now() - begin)
      if (found) wrong.push(found)
    }
  }
  await Promise.all([some(), some()])
  return wrong
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const seed = Number(process.env.SEED ?? 0)
  if (seed) console.log(life(seed).source)
  const wrong = seed ? [await live(seed)].filter(Boolean) : await lives(1, Number(process.argv[2] ?? 100))
  wrong.forEach(text => console.log(text))
  process.exit(wrong.length ? 1 : 0)
}
