// Compiled, not run: every call as it is meant, and wrong ones, which the compiler must refuse.
import iris, {
  IrisError, JsMailbox, JsSystemMessage, MailboxFull, NodeRuntime, NoSuchActor, Runtime, SwapRejected, TimeoutError,
  WrappedMessage, ready, version
} from 'iris-runtime'
import type {
  Actor, ActorClass, Events, Handler, Info, IrisEvent, MeshNode, MeshSettings, Message, Payload, Policy, PullHandler, PushHandler,
  Received, Result, SpawnOptions, Supervisor
} from 'iris-runtime'

class Counter implements Actor {
  static readonly stateVersion = 2
  n: number
  constructor ({ start = 0 } = {}) { this.n = start }
  onMessage (message: Message): string { return `${this.n += message.length}` }
  save (): string { return String(this.n) }
  downgrade (to: number): Payload { return String(to) }
  end (): void {}
  static upgrade (from: number, saved: Buffer): Counter { return new Counter({ start: from + saved.length }) }
}
class Deaf { onMesage (): void {} }

const rt: Runtime = new Runtime()
const same: NodeRuntime = new NodeRuntime({ workers: 1, turnLimit: 5 })
const push: PushHandler = message => message.data
const pull: PullHandler = async mailbox => { await mailbox.recv() }
const handlers: Handler[] = [push, Counter, async () => {}, () => null]
const asClass: ActorClass = Counter
const payloads: Payload[] = ['x', new ArrayBuffer(1), new Uint16Array(1), Buffer.alloc(1)]
const result: Result = undefined
const options: SpawnOptions = { budget: 1, path: '/a', name: 'a', parent: 1, mailbox: 2, borrow: true, args: [1], lazy: true, idleTimeout: 1 }
const policies: Policy[] = ['dropnew', 'dropold', 'block', 'redirect', 'spill']

async function all (): Promise<void> {
  let pid: number = rt.spawn(push)
  pid = rt.spawn(Counter, 50)
  pid = rt.spawn(push, options)
  pid = rt.spawn(pull, { kind: 'pull' })
  pid = rt.spawnWithMailbox(pull, 10)
  pid = rt.spawnBounded(push, 10, 5)
  pid = rt.spawn_bounded(push, 10)
  pid = rt.spawnChild(pid, asClass)
  pid = rt.spawnChildWithMailbox(pid, pull)
  const pids: number[] = rt.spawnChildPool(pid, push, 3)
  pid = rt.spawnVirtual(Counter, 100, 500)
  pid = rt.spawnObservedHandler()
  pid = rt.spawnWithPathObserved(10, '/a/b')
  const kept: WrappedMessage[] = rt.getMessages(pid)
  const found: WrappedMessage | null = await rt.selectiveRecv(pid, message => message.system?.typeName === 'EXIT', 1)
  const system: JsSystemMessage | null = kept[0].system
  const reason: string | undefined = system?.reason

  let is: boolean = payloads.map(payload => rt.send(pid, payload)).every(Boolean)
  is = await rt.sendWait(pid, 'x', { timeout: 1 })
  is = rt.sendNamed('a', 'x')
  const accepted: number = rt.sendMany(pids[0], payloads)
  is = rt.cancelTimer(rt.sendAfter(pid, 1, 'x') + rt.sendInterval(pid, 1, 'x'))
  policies.forEach(policy => rt.setOverflowPolicy(pid, policy, pid))
  const answer: Message = await rt.ask(pid, 'x', { timeout: 1, signal: new AbortController().signal })
  const text: string = (await rt.call(pid, 'x', 2)).toString()

  is = rt.isAlive(pid)
  const size: number | null = rt.mailboxSize(pid)
  const info: Info | null = rt.info(pid)
  const own: Record<string, string> = rt.env()
  const region: string | undefined = rt.env('REGION')
  rt.ready()
  ready()
  const state: 'running' | 'starting' | 'stuck' | 'stopping' | 'backoff' | 'asleep' | undefined = info?.state
  const self: number | null = rt.self()
  rt.stop(pid)
  rt.kill(pid)
  await rt.join(pid, 1)

  rt.hotSwap(pid, push)
  rt.hotSwap(pid, Counter, { migrate: (saved: Buffer, from: number) => `${from} ${saved}` })
  let rev: number = await rt.swap('/a', Counter, { now: true, timeout: 1, migrate: saved => saved })
  rev = rt.behaviorVersion(pid) + rt.version('a')
  rev = await rt.rollbackBehavior(pid, 1) + await rt.rollback('/a', 1, { timeout: 1 })

  rt.register('a', pid)
  rt.registerPath('/a', pid)
  const who: number | null = rt.whereis('a') ?? rt.resolve('a') ?? rt.whereisPath('/a')
  const list: Array<[string, number]> = [...rt.listChildren(), ...rt.listChildrenDirect('/a')]
  rt.unregister('a')
  rt.unregisterPath('/a')
  rt.link(pid, pid)
  rt.unlink(pid, pid)
  rt.watch(pid, 'restart_one')
  rt.watchPath('/a')
  rt.superviseWithFactory(pid, () => rt.spawn(push), 'restart_all')
  rt.pathSuperviseWithFactory('/a', pid, () => 1, 'one')
  rt.createPathSupervisor('/a', 'one', 3, 5)
  rt.pathSupervisorWatch('/a', pid)
  const watched: number[] = [...rt.pathSupervisorChildren('/a'), ...rt.childPids(), rt.childrenCount()]
  rt.removePathSupervisor('/a')
  const where: string = rt.listen('a:1', { unref: true })
  const settings: MeshSettings = { node: 'a', peers: [where], timeouts: { connect: '1s' } }
  new NodeRuntime({ mesh: settings })
  is = rt.unlisten(where)
  rt.connect(where, { compat: 'table' })
  is = rt.disconnect(where)
  const states: string[] = rt.nodes().map((node: MeshNode) => node.state)
  const called: string = rt.node + rt.address + states
  const elsewhere: number | null = await rt.find('a@b', { timeout: 1 })
  const proxy: number = rt.proxy('b', 'a', { path: '/a', onLoss: 'stay' })
  is = await rt.probe(proxy)
  rt.superviseWithFactory(proxy, () => rt.resolveRemote('a:1', 'b'))
  const watch: number = rt.monitorRemote('a:1', null, event => console.log(event.text, called, elsewhere))
  is = rt.unmonitorRemote(watch)
  const far: number | null = await rt.resolveRemote('a:1', 'b')
  rt.sendRemote('a:1', 1, 'x')
  rt.monitorRemote('a:1', 1)
  is = await rt.isNodeUp('a:1')

  rt.on('event', (event: IrisEvent) => console.log(event.level, event.text)).off('event', () => {})
  for await (const event of rt.events({ signal: new AbortController().signal })) console.log(event.kind)
  const events: Events = rt.events({ pattern: '/svc/**' })
  if (events.dropped && !events.closed) events.close()
  rt.hotSwap(pid, pull)
  await rt.swap(pid, pull)
  const supervisor: Supervisor = rt.supervisor('/svc', 'rest_for_one', 5, 60)
  supervisor.watch(pid)
  supervisor.supervise('/svc/a', () => supervisor.children[0])
  supervisor.remove()
  new Runtime({ swapWait: 1 })[Symbol.dispose]()
  await new Runtime()[Symbol.asyncDispose]()
  is = await rt.isNodeUp('a:1', 2)
  is = rt.ref().unref().closed
  await same.close(1)
  console.log(version(), own, region, handlers, result, found, reason, accepted, answer, text, size, state, self, rev, who, list, watched, far, iris)
}

async function box (mailbox: JsMailbox): Promise<void> {
  const first: Received | null = await mailbox.recv(1)
  if (first?.system) console.log(first.system.typeName)
  else console.log(first?.readBigInt64BE())
  await mailbox.selectiveRecv(message => !message.system)
  for await (const message of mailbox) console.log(message.data)
  console.log(mailbox.pid, mailbox.closed)
}

const errors: IrisError[] = [new NoSuchActor('a'), new MailboxFull('a'), new SwapRejected('a'), new TimeoutError('a'), new IrisError('a', 'B')]
console.log(errors[0].code, all, box)

// ---- what is wrong ----

// @ts-expect-error a handler is a function or a class
rt.spawn(42)
// @ts-expect-error no onMessage
rt.spawn(Deaf)
// @ts-expect-error it answers with a number
rt.spawn(() => 42)
// @ts-expect-error a pull handler is no push handler
rt.spawn((mailbox: JsMailbox) => mailbox.recv())
// @ts-expect-error there is no such kind
rt.spawn(push, { kind: 'both' })
// @ts-expect-error nor such an option
rt.spawn(push, { size: 1 })
// @ts-expect-error a capacity is needed
rt.spawnBounded(push)
// @ts-expect-error a pid is a number
rt.send('a', 'x')
// @ts-expect-error an object is no message
rt.send(1, { a: 1 })
// @ts-expect-error it is a promise
const sent: boolean = rt.sendWait(1, 'x')
// @ts-expect-error seconds, not an option of ask
rt.sendWait(1, 'x', 5)
// @ts-expect-error no such policy
rt.setOverflowPolicy(1, 'wait')
// @ts-expect-error the answer is a Buffer
rt.ask(1, 'x').then((answer: string) => answer)
// @ts-expect-error a factory gives a pid
rt.superviseWithFactory(1, () => 'a', 'one')
// @ts-expect-error only events
rt.on('message', () => {})
// @ts-expect-error it is made by a runtime
new JsMailbox()
// @ts-expect-error read only
rt.closed = true
// @ts-expect-error no such call
rt.explode()
console.log(sent)
