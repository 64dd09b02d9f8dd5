/// <reference types="node" />

declare global {
  interface SymbolConstructor { // as TypeScript 5.2 has them
    readonly dispose: unique symbol
    readonly asyncDispose: unique symbol
  }
}

/** A message that was sent: a Buffer, whose `data` is itself. */
export type Message = Buffer & { readonly data: Buffer }
/** What can be sent. Text is sent as UTF-8. */
export type Payload = string | ArrayBuffer | NodeJS.ArrayBufferView
/** What a handler may give: an answer to an ask, or nothing. */
export type Result = Payload | null | undefined | void

/** What the runtime itself tells an actor. */
export class JsSystemMessage {
  /** EXIT, DOWN, HOT_SWAP, STUCK, PING or PONG. */
  readonly typeName: string
  /** Whom it is about. */
  readonly fromPid: number | null
  /** Of EXIT and DOWN: the actor that has ended. */
  readonly targetPid: number | null
  /** Of EXIT and DOWN: why: Normal, Killed, Crash, ..; else ''. */
  readonly reason: string
  /** More about the reason, such as a stack. */
  readonly metadata: string | null
}

/** A message with its kind: the other one is null. */
export class WrappedMessage {
  readonly data: Message | null
  readonly system: JsSystemMessage | null
}

/** What a mailbox gives: a message, or what the runtime tells. */
export type Received = (Message & { readonly system?: undefined }) | (WrappedMessage & { readonly system: JsSystemMessage })

/** What a pull actor takes its messages from. */
export class JsMailbox implements AsyncIterable<Received> {
  private constructor ()
  readonly pid: number
  readonly closed: boolean
  /** null: nothing came within `timeout` seconds, or nothing will come any more. */
  recv (timeout?: number): Promise<Received | null>
  /** The first message for which matcher(message) is true; the others stay, in order. */
  selectiveRecv (matcher: (message: Received) => unknown, timeout?: number): Promise<Received | null>
  [Symbol.asyncIterator] (): AsyncGenerator<Received>
}

export type PushHandler = (message: Message) => Result | PromiseLike<Result>
export type PullHandler = (mailbox: JsMailbox) => unknown

/** An actor with a state. */
export interface Actor {
  onMessage (message: Message): Result | PromiseLike<Result>
  /** Its state as bytes, for a version that keeps it otherwise. */
  save? (): Payload
  /** It has ended, or another version has its state now: let go of what it has opened. */
  end? (): void
  /** save() for an older version. */
  downgrade? (to: number): Payload
}
/** A class, of which each actor has an object. */
export interface ActorClass {
  new (...args: any[]): Actor
  readonly stateVersion?: number
  upgrade? (from: number, saved: Buffer): Actor
}
export type Handler = PushHandler | ActorClass
/** Turns what the old handler's save() gave, of format `from`, into what the new one's upgrade() takes. */
export type Migrate = (saved: Buffer, from: number) => Payload

export interface SpawnOptions {
  /** Messages before others get their turn; 100. */
  budget?: number
  path?: string
  name?: string
  parent?: number
  /** How many messages may wait; any number, if it is not said. */
  mailbox?: number
  /** Messages are views that hold during the call only. */
  borrow?: boolean
  /** For the constructor: an array is its arguments, anything else the one. */
  args?: unknown
  /** A class is instantiated with the first message. */
  lazy?: boolean
  /** Seconds without a message after which a lazy one rests. */
  idleTimeout?: number
}

export interface Info {
  pid: number
  mailbox: number
  handled: number
  capacity: number
  restarts: number
  rev: number
  of: number
  stateVersion: number
  state: 'running' | 'stuck' | 'stopping' | 'backoff' | 'asleep' | 'starting'
  path: string
  host: string
  handler: string
  behaviour: string
  version: string
}

export interface IrisEvent {
  /** 'crashed', 'exhausted', 'stuck', 'swap-refused', 'rollback', 'high-water', 'node-up', 'node-down', 'log', .. */
  kind: string
  level: 'debug' | 'info' | 'warn' | 'error'
  pid: number
  path: string
  text: string
}

/** What happens, from the call of events() on until the runtime is closed. The last 65,536 that nobody has taken are held. */
export interface Events extends AsyncIterableIterator<IrisEvent> {
  /** So many more were not. */
  readonly dropped: number
  readonly closed: boolean
  close (): void
}

/** What Runtime.supervisor(path) gives. A target is a pid, a path or a name. */
export interface Supervisor {
  readonly path: string
  readonly strategy: string
  watch (target: number | string): void
  supervise (target: number | string, factory: Factory): void
  readonly children: number[]
  remove (): void
}

/** Makes another actor, and gives its pid. */
export type Factory = () => number | null | PromiseLike<number | null>
export type Policy = 'dropnew' | 'dropold' | 'block' | 'redirect' | 'spill'

/** Programs of the original speak these. */
export type Compat = 'iris-0.3' | 'table'
export interface Timeout {
  /** Seconds; 5, or what the settings say. */
  timeout?: number
}
/** Settings of the network: the keys of a manifest's "mesh", such as node, listen, peers, cookie, tls, timeouts. */
export interface MeshSettings {
  node?: string
  listen?: string | Array<string | { address: string, compat: Compat }>
  peers?: string | Array<string | { address: string, compat: Compat }>
  [key: string]: unknown
}
export interface MeshNode {
  node: string
  address: string
  state: 'dialling' | 'greeting' | 'up' | 'backoff' | 'gone'
  index: number
  creation: number
  /** Seconds, as rtt and silent. */
  since: number
  rtt: number | null
  silent: number
  queued: number
  sent: number
  received: number
  acknowledged: number
  refused: number
  lost: number
  framesRefused: number
  compat: boolean
  dialled: boolean
  why: string
  stuck: string
}

/** A runtime of actors. */
export class NodeRuntime {
  /** workers: threads for native actors. turnLimit: seconds after which a handler that has not returned is
   * interrupted. swapWait: seconds that a pull handler has to return after HOT_SWAP; then the swap is refused. */
  constructor (options?: { workers?: number, turnLimit?: number, swapWait?: number, mesh?: MeshSettings })

  spawn (handler: Handler, budget?: number): number
  spawn (handler: Handler, options: SpawnOptions & { kind?: 'push' }): number
  spawn (handler: PullHandler, options: SpawnOptions & { kind: 'pull' }): number
  spawnWithMailbox (handler: PullHandler, budget?: number): number
  spawnBounded (handler: Handler, capacity: number, budget?: number): number
  spawn_bounded (handler: Handler, capacity: number, budget?: number): number
  spawnChild (parent: number, handler: Handler, budget?: number): number
  spawnChildWithMailbox (parent: number, handler: PullHandler, budget?: number): number
  spawnChildPool (parent: number, handler: Handler, workers: number, budget?: number): number[]
  spawnVirtual (handler: Handler, budget?: number, idleTimeoutMs?: number): number
  spawnObservedHandler (budget?: number): number
  spawnWithPathObserved (budget: number, path: string): number

  getMessages (pid: number): WrappedMessage[]
  selectiveRecv (pid: number, matcher: (message: WrappedMessage) => unknown, timeout?: number): Promise<WrappedMessage | null>

  /** true: the message is in the actor's mailbox, and will be handled or counted as a dead letter. Never waits: false where
   * there is no room, also with the policy "block". (In a handler, before its first `await`, that is true, and its
   * actor takes no next message until this one is in.) */
  send (pid: number, data: Payload): boolean
  /** As send(), but waits in line where there is no room, whatever the policy. true: it is in; false: no such
   * actor (any more). timeout: seconds, then it is not sent, and this rejects with TimeoutError. To the actor itself, in
   * its handler: MailboxFull. */
  sendWait (pid: number, data: Payload, options?: { timeout?: number, signal?: AbortSignal }): Promise<boolean>
  sendNamed (name: string, data: Payload): boolean
  sendMany (pid: number, messages: Iterable<Payload>): number
  sendAfter (pid: number, delayMs: number, data: Payload): number
  sendInterval (pid: number, intervalMs: number, data: Payload): number
  cancelTimer (id: number): boolean
  setOverflowPolicy (pid: number, policy: Policy, target?: number): void
  /** options: seconds (5), or { timeout, signal }. */
  ask (pid: number, data: Payload, options?: number | { timeout?: number, signal?: AbortSignal }): Promise<Message>
  call (pid: number, data: Payload, options?: number | { timeout?: number, signal?: AbortSignal }): Promise<Message>

  isAlive (pid: number): boolean
  mailboxSize (pid: number): number | null
  info (pid: number): Info | null
  self (): number | null
  /** A variable of the actor whose handler this is (the manifest's actors[].env), or else of the process. Without a
   * name: the actor's own. */
  env (): Record<string, string>
  env (name: string): string | undefined
  /** The actor whose code this is has started: of one whose manifest says "ready": "notify". */
  ready (): void
  stop (pid: number): void
  kill (pid: number): void
  join (pid: number, timeout?: number): Promise<void>

  hotSwap (pid: number, handler: Handler | PullHandler, options?: { migrate?: Migrate }): void
  swap (target: number | string, handler: Handler | PullHandler, options?: { now?: boolean, timeout?: number, migrate?: Migrate }): Promise<number>
  behaviorVersion (pid: number): number
  version (target: number | string): number
  rollbackBehavior (pid: number, steps?: number): Promise<number>
  rollback (target: number | string, steps?: number, options?: { timeout?: number }): Promise<number>

  register (name: string, pid: number): void
  registerPath (path: string, pid: number): void
  unregister (name: string): void
  unregisterPath (path: string): void
  whereis (name: string): number | null
  resolve (name: string): number | null
  whereisPath (path: string): number | null
  listChildren (prefix?: string): Array<[path: string, pid: number]>
  listChildrenDirect (prefix?: string): Array<[path: string, pid: number]>

  link (a: number, b: number): void
  unlink (a: number, b: number): void
  watch (pid: number, strategy?: string): void
  watchPath (prefix: string): void
  superviseWithFactory (pid: number, factory: Factory, strategy?: string): void
  pathSuperviseWithFactory (path: string, pid: number, factory: Factory, strategy?: string): void
  createPathSupervisor (path: string, strategy?: string, intensity?: number, period?: number): void
  removePathSupervisor (path: string): void
  /** The same as an object. intensity, period: at most so many restarts in so many seconds; 3 in 5. */
  supervisor (path: string, strategy?: string, intensity?: number, period?: number): Supervisor
  /** pid may be of another node that allows it (mesh.allow.supervise). */
  pathSupervisorWatch (path: string, pid: number): void
  pathSupervisorChildren (path: string): number[]
  childPids (): number[]
  childrenCount (): number

  /** Other nodes reach this one at "HOST:PORT" from now on; port 0 is any that is free. Where it is. Like a server it keeps
   * the process until the runtime is closed; unref: it does not. */
  listen (addr: string, options?: { compat?: Compat, unref?: boolean }): string
  unlisten (addr: string): boolean
  /** Keeps a link to this address: it is dialled again whenever it is lost. */
  connect (addr: string, options?: { compat?: Compat }): void
  disconnect (addr: string): boolean
  nodes (): MeshNode[]
  /** The name of this node. */
  readonly node: string
  /** By which it is reached; null: it does not listen. */
  readonly address: string | null
  /** null: nobody has this name there. Rejects with NodeDown. */
  resolveRemote (addr: string, name: string, options?: number | Timeout): Promise<number | null>
  /** "NAME@NODE", or a name at whichever node that is up. */
  find (name: string, options?: number | Timeout): Promise<number | null>
  /** true: it is on its way. Throws NodeDown, MailboxFull, RangeError. */
  sendRemote (addr: string, pid: number, data: Payload): true
  /** An actor of this node that stands for `name` there, and finds it again. */
  proxy (addr: string, name: string, options?: { path?: string, onLoss?: 'down' | 'stay' }): number
  isNodeUp (addr: string, options?: number | Timeout): Promise<boolean>
  /** Whether the actor has not ended, also of another node. */
  probe (pid: number, options?: number | Timeout): Promise<boolean>
  /** Changes of the node there: as system messages of this actor, .. */
  monitorRemote (addr: string, mailbox: JsMailbox): void
  /** .. as 'event's of kind "node-up" and "node-down", or to callback. */
  monitorRemote (addr: string, pid?: number | null, callback?: (event: IrisEvent) => void): number
  unmonitorRemote (number: number): boolean

  on (name: 'event', listener: (event: IrisEvent) => void): this
  off (name: 'event', listener: (event: IrisEvent) => void): this
  /** pattern: of paths, as "/svc/**". */
  events (options?: { pattern?: string, signal?: AbortSignal }): Events

  /** The process does not exit while the runtime is open, also when it is idle. */
  ref (): this
  unref (): this
  readonly closed: boolean
  close (timeout?: number): Promise<void>
  [Symbol.dispose] (): void
  [Symbol.asyncDispose] (): Promise<void>
}
export { NodeRuntime as Runtime }

/** What Iris refuses; `code` says what it was. */
export class IrisError extends Error {
  constructor (message: string, code?: string)
  readonly code: string
}
export class NoSuchActor extends IrisError { constructor (message: string) }
export class MailboxFull extends IrisError { constructor (message: string) }
export class NodeDown extends IrisError { constructor (message: string) }
export class SwapRejected extends IrisError { constructor (message: string) }
export class TimeoutError extends IrisError { constructor (message: string) }

/** This actor has started: of one whose manifest says "ready": "notify". In its handler, its constructor, or what
 * these began. Where nobody waits for it, nothing happens. */
export function ready (): void

export function version (): string
