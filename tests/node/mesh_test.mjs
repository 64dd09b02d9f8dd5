// Other nodes: two runtimes of this process, or another process, which is killed and comes back.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import net from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import { createInterface } from 'node:readline'
import { collector, eventually, iris, runNode, runtime } from './helpers.mjs'

const NODE = `
const rt = new iris.NodeRuntime({ mesh: { node: 'other' } })
rt.spawn(msg => 're: ' + msg, { name: 'echo' })
const got = []
rt.spawn(msg => {
  if (msg.toString() === 'count') return got.length + ' ' + got.every((n, i) => n === i)
  got.push(Number(msg.toString()))
}, { name: 'count' })
console.log(rt.listen(process.argv[1]))
`
const PATIENT = { timeout: 120000 }
const SWIFT = { timeouts: { redial: '20ms', redial_max: '100ms', connect: '2s', resolve: '2s' } }

let rt, far, addr
const others = []

beforeEach(() => {
  rt = runtime({ mesh: { node: 'here', ...SWIFT } })
  rt.on('event', () => {}) // what is expected is not printed
  far = runtime({ mesh: { node: 'far' } })
  far.on('event', () => {})
  addr = far.listen('127.0.0.1:0', { unref: true })
})

afterEach(() => { while (others.length) others.pop().kill('SIGKILL') })

/** A node of its own. */
async function other (where = '127.0.0.1:0') {
  const program = `const iris = require(${JSON.stringify(process.env.IRIS_NODE ?? 'iris-runtime')})\n${NODE}`
  const child = spawn(process.execPath, ['-e', program, where], { stdio: ['ignore', 'pipe', 'ignore'] })
  others.push(child)
  const [line] = await once(createInterface(child.stdout), 'line')
  return { addr: line, kill: async () => { child.kill('SIGKILL'); await once(child, 'exit') } }
}

const NOBODY = '127.0.0.1:1' // what another test may get by chance is no such place

async function remote (handler, name = 'it') {
  far.register(name, far.spawn(handler))
  return await rt.resolveRemote(addr, name)
}

const nodeDown = { name: 'NodeDown', code: 'IRIS_NODE_DOWN' }

test('listen says where, and a port that is taken is told', PATIENT, () => {
  const where = rt.listen('127.0.0.1:0')
  assert.match(where, /^127\.0\.0\.1:[1-9]\d*$/)
  assert.deepEqual([rt.address, rt.node], [where, 'here'])
  assert.throws(() => far.listen(where), { code: 'IRIS_MESH', message: /in use/ })
  assert.equal(rt.unlisten(where), true)
  assert.equal(rt.unlisten(where), false)
  far.listen(where)
})

test('what others could read is refused, and settings that are wrong', PATIENT, () => {
  assert.throws(() => rt.listen('0.0.0.0:0'), /not a loopback address.*tls/)
  assert.throws(() => rt.connect('nonsense'), /HOST:PORT/)
  assert.throws(() => new iris.NodeRuntime({ mesh: { nod: 'a' } }), /nod/)
})

test('a name of the other node', PATIENT, async () => {
  const pid = await remote(msg => msg.toString().toUpperCase())
  assert.ok(pid > 2 ** 43)
  assert.equal((await rt.ask(pid, 'hello')).toString(), 'HELLO')
  assert.equal(await rt.resolveRemote(addr, 'nobody'), null)
  assert.equal(await rt.find('it@far'), pid)
  assert.equal(await rt.find('it'), pid)
  assert.equal(await rt.find('nobody'), null)
  assert.equal(rt.whereis('it'), null)
  assert.throws(() => rt.whereis('it@far'), /await find/)
})

test('sends by pid and by address', PATIENT, async () => {
  const { got, pid: own } = collector(far, { name: 'it' })
  assert.throws(() => rt.sendRemote(addr, own, '0'), nodeDown) // not linked yet; it is dialled
  const pid = await rt.resolveRemote(addr, 'it')
  assert.equal(rt.send(pid, '1'), true)
  assert.equal(rt.sendRemote(addr, pid, Buffer.from('2')), true)
  assert.equal(rt.sendRemote(addr, own, '3'), true)
  assert.equal(rt.sendRemote('far', own, '4'), true)
  await eventually(() => got.length === 4)
  assert.deepEqual(got, ['1', '2', '3', '4'])
})

test('an actor that has ended', PATIENT, async () => {
  const pid = await remote(() => {})
  assert.equal(rt.isAlive(pid), true)
  assert.equal(await rt.probe(pid), true)
  far.stop(far.whereis('it'))
  await rt.join(pid, 60)
  assert.equal(await rt.probe(pid), false)
  await assert.rejects(rt.ask(pid, ''), iris.NoSuchActor)
  assert.equal(rt.send(pid, 'on its way'), true)
  await eventually(() => rt.nodes().reduce((sum, node) => sum + node.refused, 0) === 2)
  assert.throws(() => rt.kill(pid), /another node/)
})

test('a link is told of an end', PATIENT, async () => {
  const pid = await remote(() => { throw new Error('fall') })
  const mine = rt.spawnObservedHandler()
  rt.link(mine, pid)
  rt.send(pid, 'fall')
  await eventually(() => rt.getMessages(mine).length)
  const [{ system }] = rt.getMessages(mine)
  assert.deepEqual([system.typeName, system.targetPid], ['EXIT', pid])
  assert.match(system.reason, /^(Crash|Noproc)$/) // which of both was there first, message or link
})

test('who may not supervise is told so', PATIENT, async () => {
  const pid = await remote(msg => msg)
  rt.createPathSupervisor('/svc')
  const told = {
    name: 'IrisError',
    message: /node far does not let node here supervise actor \d+; its manifest must say "mesh": \{"allow": \{"supervise": \["here"\]\}\}/
  }
  assert.throws(() => rt.pathSupervisorWatch('/svc', pid), told)
  assert.throws(() => rt.watch(pid), told)
  assert.deepEqual([rt.pathSupervisorChildren('/svc'), rt.childPids()], [[], []])
})

test('a supervisor here has an actor there', PATIENT, async () => {
  const fallOrNot = msg => {
    if (msg.toString() === 'fall') throw new Error('told to')
    return msg
  }
  const kept = runtime({ mesh: { node: 'kept', allow: { supervise: ['here'] } } })
  kept.on('event', () => {})
  const own = kept.spawn(fallOrNot, { name: 'it' })
  const near = rt.spawn(fallOrNot)
  const pid = await rt.resolveRemote(kept.listen('127.0.0.1:0', { unref: true }), 'it')
  rt.createPathSupervisor('/svc', 'restart_all', 20)
  for (const one of [near, pid]) rt.pathSupervisorWatch('/svc', one)
  assert.deepEqual(rt.pathSupervisorChildren('/svc'), [near, pid])
  for (const [n, one] of [[1, pid], [2, near]]) { // whoever falls, both begin again in place
    rt.send(one, 'fall')
    await eventually(() => rt.info(near)?.restarts === n && kept.info(own)?.restarts === n)
    assert.equal((await rt.ask(pid, 'x')).toString(), 'x')
  }
  rt.removePathSupervisor('/svc') // nobody supervises it now
  assert.equal((await rt.ask(pid, 'y')).toString(), 'y')
  rt.send(pid, 'fall')
  await eventually(() => !kept.isAlive(own))
})

test('order is kept, and what is too large says no', PATIENT, async () => {
  const { got } = collector(far, { name: 'it' })
  const pid = await rt.resolveRemote(addr, 'it')
  for (let n = 0; n < 5000; n++) assert.equal(rt.sendRemote(addr, pid, String(n)), true)
  await eventually(() => got.length === 5000)
  assert.ok(got.every((text, n) => text === String(n)))
  const large = Buffer.alloc(8 << 20)
  assert.equal(rt.send(pid, large), false)
  assert.throws(() => rt.sendRemote(addr, pid, large), RangeError)
})

test('who monitors a node hears of it, and no actor here is hurt', PATIENT, async () => {
  const told = []
  const events = []
  const signals = []
  rt.on('event', event => { if (event.kind.startsWith('node-')) events.push(event) })
  const number = rt.monitorRemote(addr)
  rt.monitorRemote('far', null, event => told.push(event.kind))
  rt.spawnWithMailbox(async mailbox => {
    rt.monitorRemote(addr, mailbox)
    for await (const { system } of mailbox) signals.push([system.typeName, system.reason])
  })
  rt.connect(addr)
  await eventually(() => events.length === 1 && signals.length === 1)
  const own = Array.from({ length: 10 }, () => rt.spawn(() => {}))
  await far.close()
  await eventually(() => events.length === 2 && signals.length === 2 && told.length === 2)
  assert.deepEqual(told, ['node-up', 'node-down'])
  assert.deepEqual(signals, [['PONG', 'Up'], ['DOWN', 'Noconnection']])
  assert.match(events[1].text, /^node far at 127.*went: /)
  assert.ok(own.every(pid => rt.isAlive(pid)))
  assert.equal(rt.unmonitorRemote(number), true)
  assert.equal(rt.unmonitorRemote(number), false)
})

test('nodes are listed', PATIENT, async () => {
  await remote(() => {})
  const [{ node, address, state }] = rt.nodes()
  assert.deepEqual({ node, address, state }, { node: 'far', address: addr, state: 'up' })
  assert.equal(await rt.isNodeUp(addr), true)
  assert.equal(rt.disconnect(addr), true)
  assert.equal(rt.disconnect(addr), false)
})

test('nobody is there', PATIENT, async () => {
  assert.equal(await rt.isNodeUp(NOBODY), false)
  await assert.rejects(rt.resolveRemote(NOBODY, 'x'), nodeDown)
  assert.throws(() => rt.sendRemote(NOBODY, 5, ''), nodeDown)
})

test('closing ends what waits', PATIENT, async t => {
  const server = net.createServer().listen(0, '127.0.0.1') // accepts, and never says a word
  await once(server, 'listening')
  t.after(() => server.close())
  const where = `127.0.0.1:${server.address().port}`
  await assert.rejects(rt.resolveRemote(where, 'x', { timeout: 0.05 }), nodeDown)
  const asking = assert.rejects(rt.resolveRemote(where, 'x', { timeout: 1000 }))
  await rt.close()
  await asking
})

test('the example that people know, between processes', PATIENT, async () => {
  const { addr } = await other()
  const targetPid = await rt.resolveRemote(addr, 'echo')
  if (targetPid) rt.sendRemote(addr, targetPid, Buffer.from('login'))
  assert.equal((await rt.ask(targetPid, 'login')).toString(), 're: login')
  const count = await rt.resolveRemote(addr, 'count')
  for (let n = 0; n < 5000; n++) rt.sendRemote(addr, count, String(n))
  assert.equal((await rt.ask(count, 'count')).toString(), '5000 true')
})

test('a node that is killed', PATIENT, async () => {
  const process = await other()
  const pid = await rt.resolveRemote(process.addr, 'echo')
  const ends = rt.join(pid, 60)
  await process.kill()
  await ends
  assert.equal(rt.isAlive(pid), false)
  assert.equal(rt.send(pid, ''), false)
  assert.throws(() => rt.sendRemote(process.addr, pid, ''), nodeDown)
  await assert.rejects(rt.ask(pid, ''), iris.NoSuchActor)
})

async function heals (process, ask) {
  assert.equal((await ask('1')).toString(), 're: 1')
  await process.kill()
  await other(process.addr)
  await eventually(async () => {
    try {
      return (await ask('2')).toString() === 're: 2'
    } catch (error) {
      if (!(error instanceof iris.IrisError)) throw error
    }
  })
}

test('a factory resolves again', PATIENT, async () => {
  const process = await other()
  const factory = () => rt.resolveRemote(process.addr, 'echo')
  rt.superviseWithFactory(await factory(), factory, 'restart_one')
  await heals(process, async text => await rt.ask(rt.childPids()[0] ?? 1, text, 1))
})

test('a factory makes what forwards', PATIENT, async () => {
  const process = await other()
  const factory = async () => {
    const pid = await rt.resolveRemote(process.addr, 'echo')
    const link = rt.spawn(msg => rt.ask(pid, msg, 1), { name: 'link' })
    return link
  }
  rt.superviseWithFactory(await factory(), factory)
  await heals(process, async text => await rt.ask(rt.whereis('link') ?? 1, text, 2))
})

test('a proxy heals', PATIENT, async () => {
  const process = await other()
  rt.connect(process.addr)
  const pid = rt.proxy(process.addr, 'echo', { path: '/far/echo', onLoss: 'stay' })
  await eventually(() => rt.ask(pid, '').then(() => true, () => false))
  await heals(process, text => rt.ask(pid, text, 1))
  assert.equal(rt.whereis('/far/echo'), pid)
})

test('a runtime that listens keeps its process, as a server does', PATIENT, async () => {
  const { code, out } = await runNode(`
    const rt = new iris.NodeRuntime()
    rt.listen('127.0.0.1:0')
    setTimeout(() => { console.log('still here'); rt.close() }, 50).unref()`)
  assert.deepEqual([code, out], [0, 'still here\n'])
  const idle = await runNode('new iris.NodeRuntime().listen("127.0.0.1:0", { unref: true })')
  assert.equal(idle.code, 0)
})

test('a name or a pid that nobody can have is nobody, and ends no link', PATIENT, async () => {
  await remote(() => {})
  const [{ since }] = rt.nodes()
  assert.equal(await rt.resolveRemote(addr, ''), null)
  assert.equal(await rt.find('@far'), null)
  assert.equal(await rt.probe(2 ** 43 * rt.nodes()[0].index), false)
  assert.equal(await rt.isNodeUp(addr), true)
  assert.ok(rt.nodes()[0].since >= since)
  assert.equal(rt.nodes()[0].state, 'up')
  await assert.rejects(rt.resolveRemote(addr), TypeError)
  await assert.rejects(rt.resolveRemote(addr, 'it', { timeout: 'soon' }), TypeError)
  await assert.rejects(rt.isNodeUp(addr, -1), RangeError)
})

test('who is to hear of an address is linked with it', PATIENT, async () => {
  const told = []
  rt.monitorRemote(addr, null, event => told.push(event.kind))
  await eventually(() => told.length === 1)
  assert.deepEqual(told, ['node-up'])
  assert.throws(() => rt.monitorRemote(addr, null, 5), TypeError)
})

/** What the first byte of each connection is. */
async function peerOfTheOriginal () {
  const firsts = []
  const server = net.createServer(socket => socket.on('error', () => {}).once('data', data => {
    firsts.push(data[0])
    socket.destroy()
  })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { firsts, server, at: `127.0.0.1:${server.address().port}` }
}

test('what was said of a peer of the original holds, whoever dials it', PATIENT, async () => {
  const { firsts, server, at } = await peerOfTheOriginal()
  try {
    rt.connect(at, { compat: 'iris-0.3' })
    await eventually(() => firsts.length === 1)
    rt.connect(at)
    rt.proxy(at, 'it')
    await eventually(() => firsts.length === 5)
    assert.deepEqual(firsts, [1, 1, 1, 1, 1])
  } finally {
    rt.disconnect(at)
    server.close()
  }
})

test('a node reaches itself by its own address', PATIENT, async () => {
  const { pid, got } = collector(far, { name: 'own' })
  assert.equal(await far.resolveRemote(addr, 'own'), pid)
  assert.equal(far.sendRemote(addr, pid, 'login'), true)
  assert.equal(await far.isNodeUp(addr), true)
  await eventually(() => got.length === 1)
})
