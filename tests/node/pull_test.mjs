import assert from 'node:assert/strict'
import { test } from 'node:test'
import { iris, runtime, eventually } from './helpers.mjs'

test('recv: in order, null when nothing came in time, null at the end', async () => {
  const rt = runtime()
  const got = []
  const pid = rt.spawnWithMailbox(async mailbox => {
    assert.ok(mailbox instanceof iris.JsMailbox)
    assert.equal(mailbox.pid, pid)
    for (let message; (message = await mailbox.recv()) !== null;) {
      got.push(message.data.toString())
      if (got.length === 3) got.push(await mailbox.recv(0.01))
    }
    got.push('closed')
  }, 100)
  for (const text of ['a', 'b', 'c']) rt.send(pid, text)
  await eventually(() => got.length === 4)
  assert.equal(got[3], null)
  rt.send(pid, 'd')
  rt.stop(pid)
  await rt.join(pid)
  await eventually(() => got.length === 6)
  assert.deepEqual(got, ['a', 'b', 'c', null, 'd', 'closed'])
})

test('who returns ends normally; who rejects crashes', async () => {
  const rt = runtime()
  rt.on('event', () => {})
  const look = rt.spawnObservedHandler()
  const reasons = () => rt.getMessages(look).map(message => message.system.reason)
  const normal = rt.spawnWithMailbox(async mailbox => { await mailbox.recv() })
  const crash = rt.spawnWithMailbox(async mailbox => {
    await mailbox.recv()
    throw new Error('pull')
  })
  const sync = rt.spawnWithMailbox(() => { throw new Error('at once') })
  for (const pid of [normal, crash]) rt.link(look, pid)
  rt.send(normal, '')
  await rt.join(normal)
  rt.send(crash, '')
  await rt.join(crash)
  await rt.join(sync)
  await eventually(() => reasons().length === 2)
  assert.deepEqual(reasons(), ['Normal', 'Crash'])
  assert.match(rt.getMessages(look)[1].system.metadata, /Error: pull\n +at .*pull_test/)
})

test('selectiveRecv leaves the others, in order', async () => {
  const rt = runtime()
  const got = []
  const pid = rt.spawnWithMailbox(async mailbox => {
    got.push(String(await mailbox.selectiveRecv(message => String(message) === 'c')))
    got.push(await mailbox.selectiveRecv(() => false, 0.01))
    got.push(await mailbox.selectiveRecv(() => { throw new Error('no') }, 0))
    for (let i = 0; i < 3; i++) got.push(String(await mailbox.recv()))
  })
  for (const text of ['a', 'b', 'c', 'd']) rt.send(pid, text)
  await rt.join(pid)
  assert.deepEqual(got, ['c', null, null, 'a', 'b', 'd'])
})

test('EXITs come as { system }; for await goes over the mailbox', async () => {
  const rt = runtime()
  rt.on('event', () => {})
  const got = []
  const pid = rt.spawnWithMailbox(async mailbox => {
    for await (const message of mailbox) got.push(message.system ?? String(message))
  })
  const other = rt.spawn(() => {})
  rt.link(pid, other)
  rt.send(pid, 'x')
  await eventually(() => got.length === 1)
  rt.stop(other)
  await eventually(() => got.length === 2)
  assert.equal(got[1].typeName, 'EXIT')
  assert.equal(got[1].targetPid, other)
  assert.equal(got[1].reason, 'Killed')
  assert.equal(rt.isAlive(pid), true)
})

test('killed while it waits, or works: recv gives null', async () => {
  const rt = runtime()
  const ends = []
  const waiting = rt.spawnWithMailbox(async mailbox => { ends.push(await mailbox.recv()) })
  const working = rt.spawnWithMailbox(async mailbox => {
    await mailbox.recv()
    await new Promise(resolve => setTimeout(resolve, 20))
    ends.push(await mailbox.recv())
  })
  rt.send(working, '1')
  rt.send(working, '2')
  rt.kill(waiting)
  await rt.join(waiting)
  rt.kill(working)
  await rt.join(working)
  await eventually(() => ends.length === 2)
  assert.equal(ends[0], null)
})

test('what a pull actor has not taken is not lost when it returns: it becomes dead letters', async () => {
  const rt = runtime()
  const pid = rt.spawnWithMailbox(async mailbox => { await mailbox.recv() })
  rt.sendMany(pid, ['1', '2', '3'])
  await rt.join(pid)
  assert.equal(rt.isAlive(pid), false)
})

test('swapped, it gets HOT_SWAP; the new handler begins with the same mailbox when it returns', async () => {
  const rt = runtime()
  const got = []
  const make = name => async mailbox => {
    for (let message; (message = await mailbox.recv()) !== null;) {
      if (message.system?.typeName === 'HOT_SWAP') return
      got.push(name + message)
    }
    got.push(`${name}closed`)
  }
  const pid = rt.spawnWithMailbox(make('a'))
  for (let i = 0; i < 300; i++) rt.send(pid, String(i))
  rt.hotSwap(pid, make('b'))
  for (let i = 300; i < 600; i++) rt.send(pid, String(i))
  await eventually(() => got.length === 600)
  assert.deepEqual(got, Array.from({ length: 600 }, (_, i) => `${i < 300 ? 'a' : 'b'}${i}`))
  assert.equal(rt.behaviorVersion(pid), 2)
  await rt.swap(pid, make('c'))
  rt.send(pid, '!')
  await eventually(() => got.length === 601)
  assert.equal(got[600], 'c!')
  rt.stop(pid)
  await rt.join(pid)
  await eventually(() => got.length === 602)
  const push = rt.spawn(() => {})
  assert.throws(() => rt.spawnWithMailbox(null), TypeError)
  assert.equal(rt.isAlive(push), true)
})

test('who does not return for a swap goes on, and the swap is refused', async () => {
  const rt = runtime({ swapWait: 0.1 })
  rt.on('event', () => {})
  const got = []
  const pid = rt.spawnWithMailbox(async mailbox => {
    for await (const message of mailbox) got.push(message.system?.typeName ?? String(message))
  })
  rt.send(pid, 'a')
  await assert.rejects(rt.swap(pid, async () => { got.push('new') }), /HOT_SWAP and has not returned.* within 0.1 s/)
  rt.send(pid, 'b')
  await eventually(() => got.length === 3)
  assert.deepEqual(got, ['a', 'HOT_SWAP', 'b'])
  assert.equal(rt.behaviorVersion(pid), 1)
  assert.equal(rt.mailboxSize(pid), 0)
})

test('who returns too late for a swap begins again, in the same mailbox', async () => {
  const rt = runtime({ swapWait: 0.1 })
  rt.on('event', () => {})
  const got = []
  let go
  const late = new Promise(resolve => { go = resolve })
  const pid = rt.spawnWithMailbox(async mailbox => {
    got.push('begun')
    for (let message; (message = await mailbox.recv()) !== null;) {
      if (!message.system) got.push(String(message))
      else {
        await late
        return
      }
    }
  })
  await assert.rejects(rt.swap(pid, async () => { got.push('new') }), { code: 'IRIS_SWAP_REJECTED' })
  rt.send(pid, 'a')
  go()
  await eventually(() => got.length === 3)
  assert.deepEqual(got, ['begun', 'begun', 'a'])
  await rt.swap(pid, async mailbox => { got.push(`new ${await mailbox.recv()}`) }) // and is swapped then
  rt.send(pid, 'b')
  await rt.join(pid)
  assert.equal(got.at(-1), 'new b')
})

test('what it has not taken when it returns for a swap is the new handler\'s, in order', async () => {
  const rt = runtime()
  const got = []
  const pid = rt.spawnWithMailbox(async mailbox => {
    await mailbox.selectiveRecv(message => message.system?.typeName === 'HOT_SWAP') // passes over the others
  })
  rt.sendMany(pid, ['1', '2', '3'])
  const swapped = rt.swap(pid, async mailbox => { for await (const message of mailbox) got.push(String(message)) })
  rt.sendMany(pid, ['4', '5'])
  assert.equal(await swapped, 2)
  await eventually(() => got.length === 5)
  assert.deepEqual(got, ['1', '2', '3', '4', '5'])
})

test('100,000 of them wait', async () => {
  const rt = runtime()
  let woken = 0
  const handler = async mailbox => {
    await mailbox.recv()
    woken++
  }
  const pids = Array.from({ length: 100000 }, () => rt.spawnWithMailbox(handler))
  for (const pid of pids) rt.send(pid, 'x')
  for (const pid of pids) await rt.join(pid)
  assert.equal(woken, 100000)
})

test('pull actors that are killed before they begin leave nothing behind', async () => {
  const rt = runtime()
  const began = []
  for (let i = 0; i < 5000; i++) {
    const pid = rt.spawnWithMailbox(async () => { began.push(i) })
    rt.kill(pid)
    if (i % 500 === 0) await rt.join(pid)
  }
  const last = rt.spawnWithMailbox(async mailbox => { for await (const _ of mailbox); })
  assert.ok(rt._noted() <= 2001, String(rt._noted()))
  rt.hotSwap(last, async mailbox => { await mailbox.recv() }) // it is known for what it is
})
