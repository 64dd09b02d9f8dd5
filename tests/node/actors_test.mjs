import assert from 'node:assert/strict'
import { test } from 'node:test'
import { iris, runtime, collector, eventually } from './helpers.mjs'

test('of 100,000 sent to 100,000 actors that are then stopped, all are handled', async () => {
  const rt = runtime()
  let handled = 0
  const count = () => { handled++ }
  const pids = Array.from({ length: 100000 }, () => rt.spawn(count, 10))
  for (const pid of pids) assert.ok(rt.send(pid, 'ping'))
  for (const pid of pids) rt.stop(pid)
  for (const pid of pids) await rt.join(pid)
  assert.equal(handled, 100000)
})

test('a class has a state for each actor', async () => {
  const rt = runtime()
  class Counter {
    constructor (from = 0, step = 1) { Object.assign(this, { n: from, step }) }
    onMessage () { return String(this.n += this.step) }
  }
  const a = rt.spawn(Counter)
  const b = rt.spawn(Counter, { args: [10, 5] })
  const c = rt.spawn(Counter, { args: 7 })
  assert.equal((await rt.ask(a, '')).toString(), '1')
  assert.equal((await rt.ask(a, '')).toString(), '2')
  assert.equal((await rt.ask(b, '')).toString(), '15')
  assert.equal((await rt.ask(c, '')).toString(), '8')
  assert.throws(() => rt.spawn(class {}), /onMessage/)
  assert.throws(() => rt.spawn(null), TypeError)
  assert.throws(() => rt.spawn(() => {}, 0), RangeError)
  assert.throws(() => rt.spawn(() => {}, 1.5), TypeError)
})

test('an object is told of its end', async () => {
  const rt = runtime()
  const ended = []
  const make = name => class Ends {
    onMessage () {}
    end () { ended.push(name) }
  }
  const pid = rt.spawn(make('a'))
  await rt.swap(pid, make('b')) // the same object goes on
  assert.deepEqual(ended, [])
  rt.stop(pid)
  await rt.join(pid)
  assert.deepEqual(ended, ['b'])
})

test('who throws crashes, with its stack; the others go on', async () => {
  const rt = runtime()
  const events = []
  rt.on('event', event => events.push(event))
  const { pid: other, got } = collector(rt)
  const pid = rt.spawn(function handler (message) { null.foo(message) })
  rt.send(pid, 'x')
  rt.send(other, 'y')
  await rt.join(pid)
  await eventually(() => got.length === 1 && events.length)
  assert.match(events[0].text, /TypeError: Cannot read properties of null[\s\S]*at handler .*actors_test/)
  assert.doesNotMatch(events[0].text, /engine\.js/)
  assert.equal(rt.isAlive(other), true)
})

test('a promise is waited for: one at a time, answers and crashes', async () => {
  const rt = runtime()
  rt.on('event', () => {})
  let inside = 0
  let most = 0
  const pid = rt.spawn(async message => {
    most = Math.max(most, ++inside)
    await new Promise(resolve => setTimeout(resolve, 1))
    inside--
    return `re: ${message}`
  })
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => rt.ask(pid, String(i))))
  assert.deepEqual(answers.map(String), Array.from({ length: 20 }, (_, i) => `re: ${i}`))
  assert.equal(most, 1)
  const crashing = rt.spawn(async () => {
    await null
    throw new Error('later')
  })
  await assert.rejects(rt.ask(crashing, ''), /Error: later/)
  await rt.join(crashing)
  const never = rt.spawn(async () => { await new Promise(() => {}) })
  rt.send(never, '')
  rt.kill(never)
  await rt.join(never)
})

test('children end with their parent', async () => {
  const rt = runtime()
  const parent = rt.spawn(() => {})
  const child = rt.spawnChild(parent, () => {})
  const puller = rt.spawnChildWithMailbox(parent, async mailbox => { await mailbox.recv() })
  const pool = rt.spawnChildPool(parent, () => {}, 3)
  rt.stop(parent)
  await rt.join(parent)
  for (const pid of [child, puller, ...pool]) assert.equal(rt.isAlive(pid), false)
  assert.throws(() => rt.spawnChild(parent, () => {}), iris.NoSuchActor)
})

test('self() is the actor, and its sends keep their order', async () => {
  const rt = runtime()
  const { pid: sink, got } = collector(rt)
  let me
  const pid = rt.spawn(message => {
    me = rt.self()
    rt.send(sink, message)
    rt.send(sink, `${message}'`)
  })
  for (let i = 0; i < 500; i++) rt.send(pid, String(i))
  await eventually(() => got.length === 1000)
  assert.deepEqual(got.slice(0, 4), ['0', "0'", '1', "1'"])
  assert.equal(me, pid)
  assert.equal(rt.self(), null)
})

test('swaps: messages before are the old one\'s, messages after the new one\'s', async () => {
  const rt = runtime()
  const got = []
  const pid = rt.spawn(message => { got.push(`a${message}`) }, 10)
  for (let i = 0; i < 2000; i++) rt.send(pid, String(i))
  rt.hotSwap(pid, message => { got.push(`b${message}`) })
  for (let i = 0; i < 2000; i++) rt.send(pid, String(i))
  await eventually(() => got.length === 4000)
  assert.deepEqual(got, [...Array(2000).keys()].map(i => `a${i}`).concat([...Array(2000).keys()].map(i => `b${i}`)))
})

test('versions and rollback', async () => {
  const rt = runtime()
  const pid = rt.spawn(() => '1', { name: 'it' })
  assert.equal(rt.behaviorVersion(pid), 1)
  assert.equal(await rt.swap('it', () => '2'), 2)
  assert.equal(await rt.swap(pid, () => '3', { now: true }), 3)
  assert.equal(String(await rt.ask(pid, '')), '3')
  assert.equal(await rt.rollbackBehavior(pid, 2), 4)
  assert.equal(String(await rt.ask(pid, '')), '1')
  await assert.rejects(rt.rollbackBehavior(pid, 100), /rollback failed/)
  await assert.rejects(rt.rollback(pid, 100), iris.SwapRejected)
  assert.throws(() => rt.behaviorVersion(4711), iris.NoSuchActor)
  await assert.rejects(rt.swap(4711, () => {}), iris.NoSuchActor)
  assert.equal(rt.hotSwap(4711, () => {}), undefined)
  assert.throws(() => rt.hotSwap(pid, null), TypeError)
})

test('an object keeps its fields where the class keeps its name; else it goes by bytes', async () => {
  const rt = runtime()
  rt.on('event', () => {})
  const make = version => class Counter {
    n = 0
    onMessage () { return `${version}${++this.n}` }
  }
  const pid = rt.spawn(make('a'))
  assert.equal(String(await rt.ask(pid, '')), 'a1')
  await rt.swap(pid, make('b'))
  assert.equal(String(await rt.ask(pid, '')), 'b2')
  await assert.rejects(rt.swap(pid, class Other { onMessage () {} }), /no save\(\)/)
  assert.equal(String(await rt.ask(pid, '')), 'b3')

  class Old {
    n = 5
    onMessage () { return String(++this.n) }
    save () { return String(this.n) }
  }
  class New {
    static upgrade (from, saved) { return Object.assign(new New(), { n: Number(saved) * 10 }) }
    onMessage () { return String(++this.n) }
    save () { return String(this.n) }
  }
  const by = rt.spawn(Old)
  assert.equal(String(await rt.ask(by, '')), '6')
  await rt.swap(by, New)
  assert.equal(String(await rt.ask(by, '')), '61')
})

test('a migration knows both classes, where they have not heard of each other', async () => {
  const rt = runtime()
  rt.on('event', () => {})
  class Old {
    static stateVersion = 1
    n = 5
    onMessage () { return String(++this.n) }
    save () { return String(this.n) }
  }
  class New {
    static stateVersion = 2
    static upgrade (from, saved) {
      if (from !== 2) throw new Error(`format ${from}`)
      return Object.assign(new New(), JSON.parse(saved))
    }

    onMessage () { return `so many: ${++this.count}` }
    save () { return JSON.stringify(this) }
  }
  const pid = rt.spawn(Old)
  const told = []
  const migrate = (saved, from) => {
    told.push(`${saved} ${from}`)
    return JSON.stringify({ count: Number(saved) })
  }
  await assert.rejects(rt.swap(pid, New), /format 1/)
  await assert.rejects(rt.swap(pid, New, { migrate: () => { throw new RangeError('not me') } }), /RangeError: not me/)
  await assert.rejects(rt.swap(pid, New, { migrate: () => ({}) }), /expected the bytes of the new state .*, not object/)
  await assert.rejects(rt.swap(pid, New, { migrate: async saved => saved }), /not a promise/)
  await assert.rejects(rt.swap(pid, New, { migrate: 'a.mjs#migrate' }), TypeError)
  assert.equal(String(await rt.ask(pid, '')), '6')
  assert.equal(await rt.swap(pid, New, { migrate }), 2)
  assert.equal(String(await rt.ask(pid, '')), 'so many: 7')
  assert.equal(await rt.swap(pid, New, { migrate }), 3) // of one format
  assert.deepEqual(told, ['6 1'])
  await assert.rejects(rt.rollback(pid, 2), /its state was migrated since/)
  assert.equal(String(await rt.ask(pid, '')), 'so many: 8')
  const other = rt.spawn(Old)
  rt.hotSwap(other, New, { migrate })
  while (rt.behaviorVersion(other) === 1) await new Promise(setImmediate)
  assert.equal(String(await rt.ask(other, '')), 'so many: 6')
  await assert.rejects(rt.swap(rt.spawn(Old), New), /format 1/) // it goes with its swap, not with the class
})

test('a flood of swaps', async () => {
  const rt = runtime()
  const count = [0, 0]
  const handlers = [() => { count[0]++ }, () => { count[1]++ }]
  const pid = rt.spawn(handlers[0])
  for (let i = 0; i < 20000; i++) {
    rt.send(pid, '')
    rt.hotSwap(pid, handlers[(i + 1) % 2])
  }
  await eventually(() => count[0] + count[1] === 20000)
  assert.deepEqual(count, [10000, 10000])
  await eventually(() => rt.behaviorVersion(pid) === 20001)
})

test('handlers that nobody runs any more are freed', async () => {
  const rt = runtime()
  let freed = 0
  const registry = new FinalizationRegistry(() => { freed++ })
  const pid = rt.spawn(() => {})
  for (let i = 0; i < 500; i++) {
    const handler = () => i
    registry.register(handler)
    rt.hotSwap(pid, handler)
  }
  await eventually(() => rt.behaviorVersion(pid) === 501)
  await eventually(() => {
    globalThis.gc()
    return freed > 480
  })
})

test('supervision: in place, by factories, by paths', async () => {
  const rt = runtime()
  rt.on('event', () => {})
  const got = []
  const handler = message => {
    if (String(message) === 'crash') throw new Error('crash')
    got.push(String(message))
  }
  const pid = rt.spawn(handler)
  rt.watch(pid, 'RestartOne')
  assert.deepEqual(rt.childPids(), [pid])
  assert.equal(rt.childrenCount(), 1)
  rt.send(pid, 'crash')
  rt.send(pid, 'after')
  await eventually(() => got.length === 1)
  assert.equal(rt.isAlive(pid), true)

  let made = 0
  const first = rt.spawn(handler)
  let last = first
  rt.superviseWithFactory(first, () => {
    made++
    return (last = rt.spawn(handler))
  }, 'one')
  rt.stop(first)
  await eventually(() => made === 1 && rt.isAlive(last))
  assert.notEqual(last, first)

  const child = rt.spawn(handler)
  rt.registerPath('/svc/a', child)
  rt.createPathSupervisor('/svc')
  rt.pathSupervisorWatch('/svc', child)
  assert.deepEqual(rt.pathSupervisorChildren('/svc'), [child])
  rt.watchPath('/svc')
  rt.removePathSupervisor('/svc')
  assert.deepEqual(rt.pathSupervisorChildren('/svc'), [])
  assert.throws(() => rt.watch(pid, 'sometimes'), /invalid strategy/)
  assert.throws(() => rt.watch(4711), iris.NoSuchActor)
  assert.throws(() => rt.superviseWithFactory(pid, null, 'one'), TypeError)
})

test('a name, a path or an address with a NUL in it is refused, not cut', async () => {
  const rt = runtime()
  const handler = () => {}
  const pid = rt.spawn(handler)
  const nul = { name: 'TypeError', message: /must have no NUL in it; found one at 4/ }
  assert.throws(() => rt.register('shop\0', pid), nul)
  assert.throws(() => rt.resolve('shop\0cart'), nul)
  assert.throws(() => rt.spawn(handler, { path: '/svc\0/a' }), nul)
  assert.throws(() => rt.createPathSupervisor('/svc\0/a'), nul)
  await assert.rejects(async () => rt.resolveRemote('host\0:9000', 'cart'), nul)
  assert.equal(rt.resolve('shop'), null)
})

test('virtual actors begin with their first message, and rest', async () => {
  const rt = runtime()
  let made = 0
  class Lazy {
    constructor () { made++ }
    onMessage () { return String(made) }
  }
  const pid = rt.spawnVirtual(Lazy, 10, 5)
  assert.equal(made, 0)
  assert.equal(String(await rt.ask(pid, '')), '1')
  await eventually(async () => {
    await new Promise(resolve => setTimeout(resolve, 20))
    return String(await rt.ask(pid, '')) > '1'
  })
})

test('info is what iris ps shows', () => {
  const rt = runtime()
  const pid = rt.spawn(function named () {}, { path: '/a/b', mailbox: 7 })
  const info = rt.info(pid)
  assert.equal(info.pid, pid)
  assert.equal(info.path, '/a/b')
  assert.equal(info.capacity, 7)
  assert.equal(info.behaviour, 'named')
  assert.equal(rt.info(4711), null)
})

test('who cannot have its name is not left behind', async () => {
  const rt = runtime()
  const ended = []
  class Named {
    onMessage () {}
    end () { ended.push(this) }
  }
  assert.throws(() => rt.spawn(Named, { name: '' }), RangeError)
  assert.throws(() => rt.spawn(Named, { name: 5 }), TypeError)
  await eventually(() => ended.length === 2)
})

test('an option that nobody knows is refused, with the one that is meant', () => {
  const rt = runtime()
  assert.throws(() => rt.spawn(() => {}, { busget: 10 }), { name: 'TypeError', message: 'spawn(): there is no option "busget"; did you mean "budget"?' })
  assert.throws(() => rt.spawn(() => {}, { color: 10 }), /expected budget, path, /)
  assert.throws(() => runtime({ turnlimit: 5 }), /new Runtime\(\).*did you mean "turnLimit"/)
  assert.throws(() => runtime(5), TypeError)
  assert.throws(() => rt.watch(rt.spawn(() => {}), 'constructor'), RangeError)
  assert.throws(() => rt.spawn(() => {}, { kind: 'toString' }), RangeError)
})

test('a supervisor as an object', async () => {
  const rt = runtime()
  rt.on('event', () => {})
  const shop = rt.supervisor('/shop')
  let crashes = 0
  const pid = rt.spawn(() => { if (crashes++ === 0) throw new Error('once') }, { path: '/shop/cart' })
  shop.watch('/shop/cart')
  assert.deepEqual(shop.children, [pid])
  rt.send(pid, 'x')
  await eventually(() => rt.info(pid)?.restarts === 1)
  let made
  const other = rt.spawn(() => {})
  shop.supervise(other, () => { made = rt.spawn(() => {}); return made })
  rt.stop(other)
  await eventually(() => made && shop.children.includes(made))
  shop.remove()
  assert.deepEqual(rt.pathSupervisorChildren('/shop'), [])
  assert.throws(() => shop.watch('nobody'), { code: 'IRIS_NO_SUCH_ACTOR' })
})

test('what Iris refuses is an IrisError with a code; what is no answer is told as that', async () => {
  const rt = runtime()
  rt.on('event', () => {})
  assert.throws(() => rt.listen('127.0.0.1'), error => error instanceof iris.IrisError && error.code === 'IRIS_MESH' &&
    /found "127.0.0.1"; expected HOST:PORT/.test(error.message))
  await assert.rejects(rt.ask(rt.spawn(() => ({ a: 1 })), 'x'), /what the handler gave is no answer; expected a Buffer/)
  await assert.rejects(rt.ask(rt.spawn(async () => 5), 'x'), /what the handler gave is no answer/)
  await assert.rejects(rt.ask(rt.spawn(() => {}), 'x', { signal: 5 }), /signal must be an AbortSignal/)
  assert.throws(() => runtime({ mesh: 'a' }), /mesh must be an object/)
  assert.throws(() => runtime({ mesh: { heartbeat: 5 } }), /heartbeat: expected an object/)
  assert.throws(() => rt.spawn(() => {}, { path: 5 }), /path must be a string/)
  assert.throws(() => rt.spawnChildPool(rt.spawn(() => {}), () => {}, 'x'), TypeError)
  await rt.close()
  assert.throws(() => rt.spawn(() => {}), error => error instanceof iris.IrisError && error.code === 'IRIS_CLOSED')
})

test('a swap of an actor that ends with it is told', async () => {
  const rt = runtime()
  const pid = rt.spawn(() => {})
  const swap = rt.swap(pid, () => {})
  rt.kill(pid)
  await assert.rejects(swap, { code: 'IRIS_NO_SUCH_ACTOR' })
})
