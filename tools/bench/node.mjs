#!/usr/bin/env node
// What Node actors do, with no-op handlers: sent AND handled, medians of five.
//
//     make bench-node
//     tools/bench/node.mjs [--runs N] [--json] [ROW ...]
//
// Prints a markdown table (--json: an object, for tools/bench/suite): the median and the range, what it should be, and what the original (SSL-ACTX/Iris 0.3,
// once patched so that it compiles) did on such a machine. All rows in turn, each run a process of its own.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { createServer, get } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import os from 'node:os'
import { throughRouter } from './router.mjs'

const build = process.env.IRIS_BUILD ?? fileURLToPath(new URL('../../build/release', import.meta.url))
const iris = createRequire(import.meta.url)(`${build}/lib/iris/node`)

const PING = Buffer.alloc(64)
const nothing = () => {}
const turn = () => new Promise(resolve => setImmediate(resolve))
const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
const seconds = begin => (performance.now() - begin) / 1000

async function until (test) {
  while (!test()) await turn()
}

/** Rounds, so that the handler has what to do and the memory stays small. */
async function flood (rt, pid, n, data = PING, round = 50000) {
  const begin = performance.now()
  for (let sent = 0; sent < n; sent += round) {
    for (let i = 0; i < round; i++) rt.send(pid, data)
    await until(() => rt.mailboxSize(pid) === 0)
  }
  return n / seconds(begin)
}

async function one (rt, options) {
  const pid = rt.spawn(nothing, { budget: 256, ...options })
  await flood(rt, pid, 200000)
  return await flood(rt, pid, 2000000)
}

async function many (rt, n = 100000, times = 5) {
  const pids = Array.from({ length: n }, () => rt.spawn(nothing))
  const begin = performance.now()
  for (let i = 0; i < times; i++) {
    for (const pid of pids) rt.send(pid, PING)
    await until(() => rt.mailboxSize(pids.at(-1)) === 0)
  }
  await until(() => pids.every(pid => rt.mailboxSize(pid) === 0))
  return n * times / seconds(begin)
}

/** The sender is a C thread: iris-bench knows how. It runs in libnode, under `iris run`'s host. */
function native (workload) {
  const out = execFileSync(`${build}/bin/iris-bench`, ['--runs', '1', '--json', workload], { encoding: 'utf8' })
  return 1e6 * JSON.parse(out).rows[0].iris.median
}

/** An observed actor is the native one that a program has: it keeps the last 65,536. Sent; that all are handled is looked at after. */
async function toNative (rt, n = 2000000, warm = 200000) {
  const pid = rt.spawnObservedHandler()
  for (let i = 0; i < warm; i++) rt.send(pid, PING)
  await until(() => rt.info(pid).handled === warm)
  const begin = performance.now()
  for (let i = 0; i < n; i++) if (!rt.send(pid, PING)) throw new Error('a message was not accepted')
  const took = seconds(begin)
  await until(() => rt.info(pid).handled === warm + n)
  return n / took
}

async function pull (rt, n = 1000000, round = 50000) {
  let got = 0
  const pid = rt.spawnWithMailbox(async mailbox => {
    while (await mailbox.recv()) got++
  }, 256)
  const begin = performance.now()
  for (let sent = 0; sent < n; sent += round) {
    for (let i = 0; i < round; i++) rt.send(pid, PING)
    await until(() => got === sent + round)
  }
  return n / seconds(begin)
}

async function promises (rt, n = 300000) {
  const pid = rt.spawn(async () => {}, 256)
  return await flood(rt, pid, n, PING, 30000)
}

async function spawns (rt, n = 100000) {
  const begin = performance.now()
  for (let i = 0; i < n; i++) rt.spawn(nothing)
  return n / seconds(begin)
}

function resident () {
  globalThis.gc()
  return process.memoryUsage().rss
}

async function idle (rt, n = 100000) {
  const before = resident()
  for (let i = 0; i < n; i++) rt.spawn(nothing)
  return (resident() - before) / n
}

async function idlePull (rt, n = 100000) {
  const before = resident()
  for (let i = 0; i < n; i++) rt.spawnWithMailbox(async mailbox => { await mailbox.recv() })
  await until(() => rt._calls.isIdle())
  return (resident() - before) / n
}

async function swaps (rt, n = 100000) {
  const [a, b] = [() => {}, () => {}]
  const pid = rt.spawn(a)
  const begin = performance.now()
  for (let i = 0; i < n; i++) rt.hotSwap(pid, i % 2 ? a : b)
  await until(() => rt.behaviorVersion(pid) > n)
  return n / seconds(begin)
}

async function stopped (rt, n = 100000) {
  let handled = 0
  const count = () => { handled++ }
  const pids = Array.from({ length: n }, () => rt.spawn(count, 10))
  for (const pid of pids) rt.send(pid, PING)
  for (const pid of pids) rt.stop(pid)
  for (const pid of pids) await rt.join(pid)
  return handled
}

async function live (rt, n = 100000) {
  let got = 0
  const handler = async mailbox => {
    await mailbox.recv()
    got++
  }
  const pids = Array.from({ length: n }, () => rt.spawnWithMailbox(handler))
  for (const pid of pids) rt.send(pid, PING)
  await until(() => got === n)
  return got
}

function percentile (values, part) {
  return values.sort((a, b) => a - b)[Math.floor(values.length * part)]
}

async function asks (rt, part, n = 5000) {
  const pid = rt.spawn(message => message)
  const times = []
  for (let i = 0; i < n; i++) {
    const begin = performance.now()
    await rt.ask(pid, 'x')
    times.push((performance.now() - begin) / 1000)
  }
  return percentile(times, part)
}

/** 1,000 messages that go round and round in one actor. */
function keepBusy (rt) {
  const pid = rt.spawn(message => { rt.send(pid, message) })
  for (let i = 0; i < 1000; i++) rt.send(pid, PING)
}

async function light (rt, part) {
  const late = []
  keepBusy(rt)
  const pid = rt.spawn(message => late.push((performance.now() - message.readDoubleLE()) / 1000))
  for (let i = 0; i < 500; i++) {
    const now = Buffer.alloc(8)
    now.writeDoubleLE(performance.now())
    rt.send(pid, now)
    await sleep(1)
  }
  await until(() => late.length === 500)
  return percentile(late, part)
}

/** setTimeout() and an HTTP server of the same loop, beside a flood. */
async function delay (rt) {
  keepBusy(rt)
  const server = createServer((_, response) => response.end('x')).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address()
  const histogram = monitorEventLoopDelay({ resolution: 1 })
  const end = performance.now() + 2000
  histogram.enable()
  while (performance.now() < end) {
    await new Promise(resolve => get({ port, agent: false }, response => response.resume().on('end', resolve)))
    await sleep(1)
  }
  histogram.disable()
  server.close()
  return histogram.percentile(99) / 1e9
}

function exits (_, times = 100) {
  const program = `
    const iris = require(${JSON.stringify(`${build}/lib/iris/node`)})
    const rt = new iris.NodeRuntime()
    rt.on('event', () => {})
    const pids = [rt.spawn(m => { rt.send(pids[0], m) }), rt.spawn(async () => { await new Promise(() => {}) }),
      rt.spawnWithMailbox(async m => { await m.recv() }), rt.spawn(() => { throw new Error('x') })]
    for (const pid of pids) { rt.send(pid, 'x'); rt.hotSwap(pids[0], () => {}); rt.sendInterval(pid, 1, 'x') }
    setTimeout(() => process.exit(0), Math.random() * 20)`
  let good = 0
  for (let i = 0; i < times; i++) {
    try {
      execFileSync(process.execPath, ['-e', program], { timeout: 60000, stdio: 'ignore' })
      good++
    } catch {}
  }
  return good
}

// name: what, its words, unit, factor, digits, at least or at most, the original's
const ROWS = {
  one: [rt => one(rt, {}), 'JavaScript to one actor, a Buffer each', 'M msgs/s', 1e-6, 2, '>= 2.0', '0.30'],
  borrow: [rt => one(rt, { borrow: true }), 'JavaScript to one actor, borrowed', 'M msgs/s', 1e-6, 2, '', ''],
  many: [many, 'JavaScript to 100,000 actors', 'M msgs/s', 1e-6, 2, '', ''],
  native: [() => native('node'), 'a C thread to one actor (libnode), a Buffer each', 'M msgs/s', 1e-6, 2, '>= 4.0', ''],
  nativeBorrow: [() => native('node-borrow'), 'a C thread to one actor (libnode), borrowed', 'M msgs/s', 1e-6, 2, '>= 6.0', ''],
  toNative: [toNative, '`send` to a native actor', 'M msgs/s', 1e-6, 2, '>= 8.0', ''],
  router: [() => throughRouter(build, 1), 'JavaScript through a router to 4 instances, in one environment', 'M msgs/s', 1e-6, 2, '', ''],
  routerTwo: [() => throughRouter(build, 2), 'JavaScript through a router to 4 instances, in two environments', 'M msgs/s', 1e-6, 2, '', ''],
  pull: [pull, '`await recv()`', 'M msgs/s', 1e-6, 2, '>= 1.0', ''],
  promises: [promises, '`async` handler', 'M msgs/s', 1e-6, 2, '', ''],
  swaps: [swaps, 'swaps in effect', 'k/s', 1e-3, 0, '', ''],
  spawns: [spawns, 'spawns', 'k/s', 1e-3, 0, '', '121 to 129'],
  idle: [idle, 'an idle actor that shares its handler', 'bytes', 1, 0, '', '6400'],
  idlePull: [idlePull, 'an idle pull actor', 'bytes', 1, 0, '', ''],
  asksMedian: [rt => asks(rt, 0.5), '`ask`, p50', 'us', 1e6, 1, '', '50 (one way)'],
  asksLate: [rt => asks(rt, 0.99), '`ask`, p99', 'us', 1e6, 1, '', '241 (one way)'],
  lightMedian: [rt => light(rt, 0.5), 'a light actor beside one that floods, p50', 'us', 1e6, 1, '', ''],
  lightLate: [rt => light(rt, 0.99), 'a light actor beside one that floods, p99', 'us', 1e6, 1, '', ''],
  delay: [delay, 'event-loop delay beside a flood and an HTTP server, p99', 'ms', 1e3, 2, '<= 10', ''],
  stopped: [stopped, 'messages to 100,000 actors, then `stop`: handled', '', 1, 0, '100000', ''],
  live: [live, '100,000 waiting pull actors: served', '', 1, 0, '100000', ''],
  exits: [exits, '100 processes that end with live actors: status 0', '', 1, 0, '100', '']
}

async function measure (name) {
  const rt = new iris.NodeRuntime()
  rt.on('event', () => {})
  const begin = performance.now()
  const value = await ROWS[name][0](rt)
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  console.log(value, (userCPUTime + systemCPUTime) / 1e6 / seconds(begin), maxRSS / 1024)
  process.exit(0)
}

function run (name) {
  const flags = ['--expose-gc', fileURLToPath(import.meta.url), '--measure', name]
  return execFileSync(process.execPath, flags, { encoding: 'utf8' }).trim().split(/\s+/).slice(-3).map(Number)
}

const sort = values => [...values].sort((a, b) => a - b)
const median = values => sort(values)[values.length >> 1]

/** runs: of each the figure, the cores used, and the most memory. */
function object (name, runs) {
  const [, words, unit, factor, , should] = ROWS[name]
  const [figure, cores, peak] = [0, 1, 2].map(i => median(runs.map(run => run[i])))
  const isLess = should.startsWith('<') || ['us', 'ms', 'bytes'].includes(unit)
  return { row: name, title: words.replaceAll('`', ''), unit, median: figure * factor, less_is_better: isLess, cores, peak_mb: peak }
}

function print (name, all) {
  const [, words, unit, factor, digits, should, original] = ROWS[name]
  const sorted = sort(all.map(run => run[0] * factor))
  const runs = sorted.length
  const [low, middle, high] = [sorted[0], sorted[runs >> 1], sorted.at(-1)].map(value => value.toFixed(digits))
  console.log(`| ${name} | ${words} | ${unit} | ${middle} (${low} to ${high}) | ${should} | ${original} |`)
}

function main (args) {
  if (args[0] === '--measure') return measure(args[1])
  const isJson = args.includes('--json')
  args = args.filter(arg => arg !== '--json')
  const runs = args[0] === '--runs' ? Number(args[1]) : 5
  const asked = args.slice(args[0] === '--runs' ? 2 : 0)
  const names = asked.length ? asked : Object.keys(ROWS)
  const wrong = names.find(name => !(name in ROWS))
  if (wrong) {
    console.error(`node.mjs: no row "${wrong}"; there are: ${Object.keys(ROWS).join(', ')}`)
    process.exit(1)
  }
  const load = os.loadavg()[0].toFixed(1)
  const found = Object.fromEntries(names.map(name => [name, []]))
  for (let i = 0; i < runs; i++) for (const name of names) found[name].push(run(name))
  if (isJson) {
    const rows = names.map(name => object(name, found[name]))
    return console.log(JSON.stringify({ version: `Node ${process.versions.node}`, rows }))
  }
  console.log(`- Node ${process.versions.node}, ${os.cpus().length} cores; load before the first run ${load}; ` +
    `median and range of ${runs} runs\n`)
  console.log('| row | measured | unit | Iris | should be | the original |\n|---|---|---|---|---|---|')
  for (const name of names) print(name, found[name])
}

await main(process.argv.slice(2))
