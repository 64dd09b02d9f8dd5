import assert from 'node:assert/strict'
import { test } from 'node:test'
import { iris, runtime, collector, eventually } from './helpers.mjs'

test('a message is a Buffer that also answers data', async () => {
  const rt = runtime()
  let got
  const pid = rt.spawn(message => { got = message })
  assert.equal(rt.send(pid, Buffer.from([0, 0, 0, 0, 0, 0, 1, 2])), true)
  await eventually(() => got)
  assert.ok(Buffer.isBuffer(got))
  assert.equal(got.data, got)
  assert.equal(got.readBigInt64BE(), 258n)
  assert.equal(got.constructor, Buffer)
  assert.deepEqual([...got.subarray(6)], [1, 2])
  assert.equal(Object.keys(got).includes('data'), false)
})

test('text, typed arrays and array buffers are sent; anything else is a TypeError', async () => {
  const rt = runtime()
  const { pid, got } = collector(rt)
  rt.send(pid, 'grüße')
  rt.send(pid, new Uint8Array([65, 66]))
  rt.send(pid, new Uint16Array([0x4443]))
  rt.send(pid, new Uint8Array([69]).buffer)
  rt.send(pid, 'x'.repeat(5000))
  rt.send(pid, '')
  rt.send(pid, new DataView(new Uint8Array([70, 71]).buffer, 1))
  assert.throws(() => rt.send(pid, 42), TypeError)
  assert.throws(() => rt.send(pid, Object.create(Uint8Array.prototype)), TypeError)
  assert.throws(() => rt.send(pid, { a: 1 }), /JSON\.stringify/)
  assert.throws(() => rt.send('a', 'b'), TypeError)
  await eventually(() => got.length === 7)
  assert.deepEqual(got, ['grüße', 'AB', 'CD', 'E', 'x'.repeat(5000), '', 'G'])
})

test('order is kept, whatever the size', async () => {
  const rt = runtime()
  const got = []
  const pid = rt.spawn(message => { got.push(message) })
  const sizes = Array.from({ length: 2000 }, (_, i) => [8, 100, 4096, 4097, 70000][i % 5] + i)
  sizes.forEach((size, i) => {
    const buffer = Buffer.alloc(size, i)
    buffer.writeUInt32LE(i)
    assert.ok(rt.send(pid, buffer))
  })
  await eventually(() => got.length === sizes.length)
  got.forEach((message, i) => { // kept until here: nothing overwrites them
    assert.equal(message.length, sizes[i])
    assert.equal(message.readUInt32LE(), i)
    assert.equal(message.at(-1), i & 255)
    assert.equal(message.data, message)
  })
})

test('large messages are their receiver\'s own, also when the sender changes its memory and the runtime is closed', async () => {
  const rt = runtime()
  const got = []
  const pid = rt.spawn(message => {
    got.push(message)
    return message
  })
  const buffer = Buffer.alloc(100000, 1)
  for (let i = 0; i < 50; i++) {
    buffer.fill(i)
    rt.send(pid, buffer)
  }
  const answer = await rt.ask(pid, buffer)
  answer.fill(77)
  await rt.close()
  globalThis.gc?.()
  got.forEach((message, i) => assert.ok(message.every(byte => byte === Math.min(i, 49)), String(i)))
})

test('borrowed messages hold during the call', async () => {
  const rt = runtime()
  const sums = []
  const pid = rt.spawn(message => { sums.push(message.length + message[0]) }, { borrow: true })
  for (let i = 0; i < 1000; i++) rt.send(pid, Buffer.alloc(1 + i % 300, i))
  await eventually(() => sums.length === 1000)
  assert.deepEqual(sums, Array.from({ length: 1000 }, (_, i) => 1 + i % 300 + (i & 255)))
})

test('who is dead or unknown gets nothing, and send says so', async () => {
  const rt = runtime()
  const { pid } = collector(rt)
  rt.stop(pid)
  await rt.join(pid)
  for (const nobody of [pid, 0, -1, 4711, 2 ** 60, NaN]) assert.equal(rt.send(nobody, 'x'), false)
  assert.equal(rt.isAlive(pid), false)
  assert.equal(rt.mailboxSize(pid), null)
})

test('a bounded mailbox takes no more than it has room for', async () => {
  const rt = runtime()
  const { pid, got } = collector(rt, { mailbox: 2 })
  assert.deepEqual([rt.send(pid, '1'), rt.send(pid, '2'), rt.send(pid, '3')], [true, true, false])
  await eventually(() => got.length === 2)
  const bounded = rt.spawn_bounded(() => {}, 2)
  assert.deepEqual([rt.send(bounded, '1'), rt.send(bounded, '2'), rt.send(bounded, '3')], [true, true, false])
  assert.throws(() => rt.spawnBounded(() => {}, 0), RangeError)
})

test('ask: answers, none in time, a crash, a full mailbox, nobody', async () => {
  const rt = runtime()
  const pid = rt.spawn(message => Buffer.concat([Buffer.from('re: '), message]))
  assert.equal((await rt.ask(pid, 'hello')).toString(), 're: hello')
  assert.equal((await rt.ask(rt.spawn(() => 'text'), '')).toString(), 'text')
  await assert.rejects(rt.ask(rt.spawn(() => {}), 'x', 0.01), { code: 'IRIS_TIMEOUT', name: 'TimeoutError' })
  rt.on('event', () => {})
  await assert.rejects(rt.ask(rt.spawn(() => { throw new Error('no') }), 'x'), { code: 'IRIS_NO_SUCH_ACTOR' })
  await assert.rejects(rt.ask(rt.spawn(() => 42), 'x'), /is no answer; expected a Buffer/)
  await assert.rejects(rt.ask(4711, 'x'), iris.NoSuchActor)
  const full = rt.spawnBounded(async () => { await new Promise(() => {}) }, 1)
  rt.send(full, '')
  await assert.rejects(rt.ask(full, 'x'), iris.MailboxFull)
})

test('an ask is aborted by its signal', async () => {
  const rt = runtime()
  const pid = rt.spawn(() => {})
  const controller = new AbortController()
  const asked = rt.ask(pid, 'x', { signal: controller.signal })
  controller.abort(new Error('enough'))
  await assert.rejects(asked, /enough/)
  await assert.rejects(rt.ask(pid, 'x', { signal: AbortSignal.abort() }), { name: 'AbortError' })
})

test('names, sendNamed, sendMany', async () => {
  const rt = runtime()
  const { pid, got } = collector(rt)
  rt.register('it', pid)
  rt.registerPath('/svc/one', pid)
  assert.equal(rt.whereis('it'), pid)
  assert.equal(rt.resolve('it'), pid)
  assert.equal(rt.whereisPath('/svc/one'), pid)
  assert.deepEqual(rt.listChildren('/svc'), [['/svc/one', pid]])
  assert.deepEqual(rt.listChildrenDirect('/'), [])
  assert.equal(rt.sendNamed('it', 'a'), true)
  assert.equal(rt.sendNamed('nobody', 'a'), false)
  assert.equal(rt.sendMany(pid, ['b', 'c']), 2)
  const other = collector(rt)
  rt.register('it', other.pid) // the newer one gets it
  assert.equal(rt.whereis('it'), other.pid)
  rt.unregister('it')
  rt.unregisterPath('/svc/one')
  assert.equal(rt.whereis('it'), null)
  assert.equal(rt.whereisPath('/svc/one'), null)
  assert.throws(() => rt.register('not a name', pid), RangeError)
  assert.throws(() => rt.register('dead', 4711), iris.NoSuchActor)
  await eventually(() => got.length === 3)
})

test('timers: once, again, cancelled', async () => {
  const rt = runtime()
  const { pid, got } = collector(rt)
  rt.sendAfter(pid, 1, 'once')
  const again = rt.sendInterval(pid, 1, 'again')
  const never = rt.sendAfter(pid, 3600000, 'never')
  assert.equal(rt.cancelTimer(never), true)
  assert.equal(rt.cancelTimer(never), false)
  await eventually(() => got.filter(text => text === 'again').length >= 3 && got.includes('once'))
  assert.equal(rt.cancelTimer(again), true)
  assert.equal(rt.sendAfter(4711, 1, 'x'), 0)
  for (const wrong of [0, -1]) assert.throws(() => rt.sendInterval(pid, wrong, 'x'), RangeError)
  assert.throws(() => rt.sendAfter(pid, -1, 'x'), RangeError)
  assert.throws(() => rt.sendAfter(pid, NaN, 'x'), TypeError)
})

test('observed actors keep what they get', async () => {
  const rt = runtime()
  const pid = rt.spawnObservedHandler(10)
  const dying = rt.spawn(() => { throw new Error('oh') })
  rt.on('event', () => {})
  rt.link(pid, dying)
  rt.send(pid, 'data')
  await eventually(() => rt.getMessages(pid).length === 1)
  rt.send(dying, '')
  await eventually(() => rt.getMessages(pid).length === 2)
  const [data, signal] = rt.getMessages(pid)
  assert.equal(data.data.toString(), 'data')
  assert.equal(data.system, null)
  assert.ok(data instanceof iris.WrappedMessage && signal.system instanceof iris.JsSystemMessage)
  assert.equal(signal.system.typeName, 'EXIT')
  assert.equal(signal.system.targetPid, dying)
  assert.equal(signal.system.fromPid, dying)
  assert.equal(signal.system.reason, 'Crash')
  assert.match(signal.system.metadata, /Error: oh\n +at .*messages_test/)
  const found = await rt.selectiveRecv(pid, message => message.system?.typeName === 'EXIT')
  assert.equal(found.system.reason, 'Crash')
  assert.equal(rt.getMessages(pid).length, 1)
  assert.equal(await rt.selectiveRecv(pid, () => false, 0.01), null)
  const later = rt.selectiveRecv(pid, message => message.data?.toString() === 'later')
  rt.send(pid, 'other')
  rt.send(pid, 'later')
  assert.equal((await later).data.toString(), 'later')
  assert.deepEqual(rt.getMessages(4711), [])
  assert.equal(await rt.selectiveRecv(4711, () => true), null)
  const named = rt.spawnWithPathObserved(10, '/svc/test/one')
  assert.equal(rt.whereisPath('/svc/test/one'), named)
})

test('full mailboxes: policies', async () => {
  const rt = runtime()
  const { pid, got } = collector(rt, { mailbox: 1 })
  rt.setOverflowPolicy(pid, 'dropold')
  rt.send(pid, 'old')
  rt.send(pid, 'new')
  await eventually(() => got.length === 1)
  assert.deepEqual(got, ['new'])
  const other = collector(rt)
  rt.setOverflowPolicy(pid, 'REDIRECT', other.pid)
  rt.send(pid, 'here')
  rt.send(pid, 'there')
  await eventually(() => other.got.length === 1 && got.length === 2)
  assert.deepEqual(other.got, ['there'])
  assert.throws(() => rt.setOverflowPolicy(pid, 'wait'), /invalid policy/)
  assert.throws(() => rt.setOverflowPolicy(pid, 'spill'), /requires target/)
})

test('an actor that sends to a full mailbox which blocks waits with it', async () => {
  const rt = runtime()
  const slow = collector(rt, { mailbox: 2 })
  rt.setOverflowPolicy(slow.pid, 'block')
  const relay = rt.spawn(message => { assert.ok(rt.send(slow.pid, message)) })
  for (let i = 0; i < 2000; i++) rt.send(relay, String(i))
  await eventually(() => slow.got.length === 2000)
  assert.deepEqual(slow.got, Array.from({ length: 2000 }, (_, i) => String(i)))
})

/** A mailbox with one place, whose actor is in a message until it is told otherwise. */
function held (rt, policy) {
  const got = []
  let next
  const pid = rt.spawnBounded(async message => {
    got.push(String(message))
    await new Promise(resolve => { next = resolve })
  }, 1)
  if (policy) rt.setOverflowPolicy(pid, policy)
  return { pid, got, go: async n => { await eventually(() => got.length >= n); next() } }
}

test('sendWait waits for room in order, whatever the policy, and send does not', async () => {
  const rt = runtime()
  for (const policy of ['block', null]) {
    const box = held(rt, policy)
    assert.equal(await rt.sendWait(box.pid, '1'), true)
    let last = 0
    const sent = ['2', '3', '4'].map((text, i) => rt.sendWait(box.pid, text).then(is => { last = is && i === last ? i + 1 : NaN }))
    const soon = Buffer.from('5')
    const fifth = rt.sendWait(box.pid, soon, { timeout: 60 })
    soon.fill(0) // what waits is a copy
    assert.equal(rt.send(box.pid, 'no'), false)
    for (let i = 1; i <= 5; i++) await box.go(i)
    await Promise.all(sent)
    assert.equal(await fifth, true)
    assert.equal(last, 3)
    assert.deepEqual(box.got, ['1', '2', '3', '4', '5'])
  }
})

test('sendWait: nobody, who ends, no room in time, too large', async () => {
  const rt = runtime()
  const box = held(rt, 'block')
  rt.send(box.pid, '1')
  await assert.rejects(rt.sendWait(box.pid, 'late', { timeout: 0.01 }), { code: 'IRIS_TIMEOUT' })
  await assert.rejects(rt.sendWait(box.pid, 'late', { timeout: 0 }), { code: 'IRIS_TIMEOUT' })
  const waits = rt.sendWait(box.pid, '2')
  rt.kill(box.pid)
  assert.equal(await waits, false)
  assert.equal(await rt.sendWait(4711, 'x'), false)
  const open = held(rt, null)
  await assert.rejects(rt.sendWait(open.pid, Buffer.alloc(70 << 20)), RangeError)
  await assert.rejects(rt.sendWait(open.pid, 42), TypeError)
  assert.throws(() => rt.sendWait(open.pid, 'x', { timeout: -1 }), RangeError)
})

test('what waits for room is taken back by an AbortSignal', async () => {
  const rt = runtime()
  const box = held(rt, 'block')
  assert.equal(await rt.sendWait(box.pid, '1'), true)
  const stop = new AbortController(), reason = new Error('enough')
  const second = rt.sendWait(box.pid, '2', { signal: stop.signal, timeout: 60 })
  const third = rt.sendWait(box.pid, '3', { signal: new AbortController().signal })
  stop.abort(reason)
  await assert.rejects(second, reason)
  await assert.rejects(rt.sendWait(box.pid, '4', { signal: stop.signal }), reason)
  for (let i = 1; i <= 2; i++) await box.go(i)
  assert.equal(await third, true)
  assert.deepEqual(box.got, ['1', '3'])
  stop.abort() // too late, and nothing comes of it
})

/** Fills its own mailbox, and then waits for room there. */
function selfish (rt, got, pause) {
  return async message => {
    const self = rt.self()
    got.push(message.toString())
    if (got.length > 1) return
    await pause?.()
    try {
      while (rt.send(self, 'more'));
      await rt.sendWait(self, 'too much')
    } catch (error) {
      got.push(error.code, error.message)
    }
  }
}

for (const [name, pause] of [['at once', null], ['after an await', () => new Promise(resolve => setTimeout(resolve, 1))]]) {
  test(`an actor that waits for room in its own mailbox is refused, ${name}`, async () => {
    const rt = runtime()
    const got = []
    const handler = selfish(rt, got, pause)
    for (const each of [handler, class { onMessage (message) { return handler(message) } }]) {
      got.length = 0
      rt.send(rt.spawnBounded(each, 2), 'first')
      await eventually(() => got.includes('more')) // it goes on
      assert.deepEqual(got.slice(0, 2), ['first', 'IRIS_MAILBOX_FULL'])
      assert.match(got[2], /would wait for itself/)
    }
  })
}

test('a pull actor that waits for room in its own mailbox is refused', async () => {
  const rt = runtime()
  let why
  const pid = rt.spawn(async mailbox => {
    await mailbox.recv()
    while (rt.send(mailbox.pid, 'more'));
    await rt.sendWait(mailbox.pid, 'too much').catch(error => { why = error.code })
    while (await mailbox.recv());
  }, { kind: 'pull', mailbox: 2 })
  rt.send(pid, 'first')
  await eventually(() => why)
  assert.equal(why, 'IRIS_MAILBOX_FULL')
  assert.equal(await rt.sendWait(pid, 'from outside'), true)
})

test('what an actor has started waits for room in its mailbox, once it is in no message', async () => {
  const rt = runtime()
  let sent
  const pid = rt.spawnBounded(message => {
    if (message.toString() !== 'first') return
    const self = rt.self()
    setImmediate(() => { // the loop is ours until the end of this
      while (rt.send(self, 'more'));
      rt.sendWait(self, 'one more').then(is => { sent = is }, error => { sent = error })
    })
  }, 2)
  rt.send(pid, 'first')
  await eventually(() => sent !== undefined)
  assert.equal(sent, true)
})

test('a program that waits for room sends a million to an actor on its own loop', async () => {
  const rt = runtime()
  let sum = 0
  const pid = rt.spawnBounded(message => { sum += message.readUInt32LE() }, 100)
  const data = Buffer.alloc(4)
  for (let i = 0; i < 100000; i++) {
    data.writeUInt32LE(i)
    if (!rt.send(pid, data)) assert.equal(await rt.sendWait(pid, data), true)
  }
  await eventually(() => sum === 100000 * 99999 / 2)
})

test('what waits for room when the runtime closes is not sent', async () => {
  const rt = runtime()
  const box = held(rt, 'block')
  rt.send(box.pid, '1')
  const waits = rt.sendWait(box.pid, '2')
  await rt.close(1)
  assert.equal(await waits, false)
})

test('10,000 MB in large messages go through with flat memory', async () => {
  const rt = runtime()
  const sanitized = Boolean(process.env.LD_PRELOAD)
  const round = Buffer.alloc(1 << 20, 1)
  let bytes = 0
  let peak = 0
  const pid = rt.spawn(message => {
    bytes += message.length
    peak = Math.max(peak, process.memoryUsage.rss())
  }, { mailbox: 16 })
  const before = process.memoryUsage.rss()
  const all = sanitized ? 200 : 10000
  for (let i = 0; i < all; i++) if (!rt.send(pid, round)) await rt.sendWait(pid, round)
  await eventually(() => bytes === all * 1048576)
  if (!sanitized) assert.ok(peak - before < 600e6, `${(peak - before) / 1e6} MB`)
})

test('what a large message holds is known to the collector', { skip: !globalThis.gc }, async () => {
  const rt = runtime()
  const got = []
  const pid = rt.spawn(message => { got.push(message) })
  const data = Buffer.alloc(1 << 20)
  for (let i = 0; i < 3; i++) { // what earlier ones held goes first
    globalThis.gc()
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  const before = process.memoryUsage().external
  for (let i = 0; i < 20; i++) rt.send(pid, data)
  await eventually(() => got.length === 20)
  const held = process.memoryUsage().external - before
  assert.ok(held >= 20 << 20 && held < 25 << 20, `${held} bytes`)
})
