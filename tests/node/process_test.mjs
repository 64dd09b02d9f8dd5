import assert from 'node:assert/strict'
import { test } from 'node:test'
import { iris, runtime, runNode, eventually } from './helpers.mjs'

test('an idle runtime lets the process exit, a busy one does not', async () => {
  const { code, out, err } = await runNode(`
    const rt = new iris.NodeRuntime()
    let left = 1000
    const pid = rt.spawn(() => { if (--left > 0) rt.send(pid, 'x'); else console.log(left ? 'late' : 'done') }, 1)
    rt.send(pid, 'x')
    rt.sendAfter(pid, 50, 'late')
    rt.spawnWithMailbox(async mailbox => { await mailbox.recv() })
    process.on('exit', () => console.log('exit', left))`)
  assert.deepEqual([code, out, err], [0, 'done\nlate\nexit -1\n', ''])
})

/** So long nothing else runs on this thread. */
function busy (ms) {
  for (const end = performance.now() + ms; performance.now() < end;);
}

test('a loop that is always busy leaves actors as much of the thread as it takes', async () => {
  const rt = runtime()
  let left = 200
  let rounds = 0
  let given = 0 // counted by messages it would be less on a machine that is busy
  const pid = rt.spawn(() => { busy(1); left-- })
  for (let i = 0; i < left; i++) rt.send(pid, 'x')
  for (; left > 0; rounds++) {
    busy(20)
    const begun = performance.now()
    await new Promise(resolve => setImmediate(resolve))
    given += performance.now() - begun
  }
  assert.ok(given / rounds > 6, `${rounds} rounds of 20 ms gave actors ${given} ms`) // a slice is of 2 ms
})

test('ref() keeps the process', async () => {
  const { out } = await runNode(`
    const rt = new iris.NodeRuntime().ref()
    setTimeout(() => { console.log('here'); rt.unref() }, 30).unref()`)
  assert.equal(out, 'here\n')
})

for (const [name, source] of Object.entries({
  'process.exit() with actors at work': `
    const rt = new iris.NodeRuntime()
    const pid = rt.spawn(m => { rt.send(pid, m) }); rt.send(pid, 'x')
    setTimeout(() => process.exit(0), 5)`,
  'process.exit() in a handler': `
    const rt = new iris.NodeRuntime()
    rt.send(rt.spawn(() => process.exit(0)), 'x')`,
  'several runtimes': `
    for (let i = 0; i < 5; i++) { const rt = new iris.NodeRuntime(); rt.send(rt.spawn(() => {}), 'x') }`,
  'close and exit': `
    const rt = new iris.NodeRuntime(); rt.send(rt.spawn(() => {}), 'x'); rt.close()`,
  'close twice and use it afterwards': `
    const rt = new iris.NodeRuntime()
    Promise.all([rt.close(), rt.close()]).then(() => { try { rt.spawn(() => {}) } catch (e) { if (e.code !== 'IRIS_CLOSED') process.exit(3) } })`,
  'a crash in flight': `
    const rt = new iris.NodeRuntime(); rt.on('event', () => {})
    for (let i = 0; i < 100; i++) rt.send(rt.spawn(() => { throw new Error('x') }), 'x')`,
  'swaps in flight': `
    const rt = new iris.NodeRuntime(); const pid = rt.spawn(() => {})
    for (let i = 0; i < 100; i++) { rt.send(pid, 'x'); rt.hotSwap(pid, () => {}) }
    rt.swap(pid, () => {}); process.exit(0)`,
  'close with an ask, a join and a recv open': `
    const rt = new iris.NodeRuntime()
    const pid = rt.spawn(async () => { await new Promise(() => {}) })
    rt.ask(pid, 'x', 60).catch(() => {}); rt.join(pid); rt.spawnWithMailbox(async m => { await m.recv() })
    setTimeout(() => rt.close(), 5)`
})) {
  test(`the process ends in order: ${name}`, async () => {
    for (let i = 0; i < 3; i++) {
      const { code, err } = await runNode(source)
      assert.equal(code, 0, err)
    }
  })
}

test('a handler that does not return is interrupted, and the others go on', async () => {
  const rt = runtime({ turnLimit: 0.5 })
  const events = []
  rt.on('event', event => events.push(event))
  const pid = rt.spawn(() => { for (;;); })
  const echo = rt.spawn(message => message)
  rt.send(pid, 'x')
  await rt.join(pid)
  assert.equal(String(await rt.ask(echo, 'alive')), 'alive')
  await eventually(() => events.some(event => /interrupted/.test(event.text)))
})

test('closing ends everything, and is for ever', async () => {
  const rt = new iris.NodeRuntime()
  const pid = rt.spawn(message => message)
  const asked = rt.ask(rt.spawn(async () => { await new Promise(() => {}) }), 'x', 60)
  assert.equal(rt.closed, false)
  await Promise.all([rt.close(), assert.rejects(asked, iris.IrisError)])
  assert.equal(rt.closed, true)
  assert.throws(() => rt.send(pid, 'x'), { code: 'IRIS_CLOSED' })
  await rt.close()
})

test('disposed of, it closes', { skip: !Symbol.asyncDispose }, async () => {
  const rt = new iris.NodeRuntime()
  rt.send(rt.spawn(() => {}), 'x')
  await rt[Symbol.asyncDispose]()
  assert.equal(rt.closed, true)
  const other = new iris.NodeRuntime()
  other[Symbol.dispose]()
  assert.equal(other.closed, true)
  await other.close()
})

test('events for await', async () => {
  const rt = runtime()
  const controller = new AbortController()
  setImmediate(() => rt.send(rt.spawn(() => { throw new Error('seen') }), 'x'))
  for await (const event of rt.events({ signal: controller.signal })) {
    assert.match(event.text, /seen/)
    break
  }
})

test('events are held from the call on, by pattern, and end with the runtime', async () => {
  const rt = runtime()
  const all = rt.events()
  const some = rt.events({ pattern: '/svc/*' })
  const crash = path => rt.send(rt.spawn(() => { throw new Error(path) }, { path }), 'x')
  crash('/other')
  crash('/svc/a')
  await rt.close()
  const seen = []
  for await (const event of all) seen.push(event.path)
  assert.deepEqual([...new Set(seen)], ['/other', '/svc/a'])
  for await (const event of some) assert.equal(event.path, '/svc/a')
  assert.equal(all.closed, true)
  for await (const event of rt.events()) assert.fail(event.text) // it is closed
})

test('who aborts waits for events no longer', async () => {
  const rt = runtime()
  const controller = new AbortController()
  const next = rt.events({ signal: controller.signal }).next()
  controller.abort(new Error('enough'))
  await assert.rejects(next, /enough/)
  assert.throws(() => rt.events({ signal: controller.signal }), /enough/)
})

test('events say what they are of', async () => {
  const rt = runtime().ref()
  const events = rt.events()
  const pid = rt.spawn(() => { throw new Error('seen') })
  rt.send(pid, 'x')
  assert.equal((await events.next()).value.kind, 'crashed')
  await assert.rejects(rt.rollback(rt.spawn(() => {})))
  assert.equal((await events.next()).value.kind, 'swap-refused')
  events.close()
})

test('what a listener throws is uncaught, as anywhere in Node', async () => {
  const { code, err } = await runNode(`
    const rt = new iris.NodeRuntime()
    rt.on('event', () => { throw new Error('in the listener') })
    rt.send(rt.spawn(() => { throw new Error('crash') }), 'x')
  `)
  assert.equal(code, 1)
  assert.match(err, /in the listener/)
})

test('only events are listened to', () => {
  assert.throws(() => runtime().on('events', () => {}), /"events".*expected "event"/)
})

test('timers of the same loop go on beside a flood', async () => {
  const rt = runtime()
  let turns = 0
  const pid = rt.spawn(message => {
    turns++
    rt.send(pid, message)
  }, 10)
  for (let i = 0; i < 100; i++) rt.send(pid, 'x')
  for (let i = 0; i < 20; i++) await new Promise(resolve => setTimeout(resolve, 1))
  assert.ok(turns > 0)
  rt.kill(pid)
})
