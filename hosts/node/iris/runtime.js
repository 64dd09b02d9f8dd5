'use strict'
const { AsyncLocalStorage } = require('node:async_hooks')
const { EventEmitter } = require('node:events')
const native = require('./native.js')
const { makeEngine, Script, isClass, hasHandler, CALL, CLASS, PULL, MIGRATION, BORROW, NOTED, SAVES, MIGRATES } = require('./engine.js')
const { milliseconds } = require('./mailbox.js')
const { Events } = require('./events.js')
const { checkOptions } = require('./options.js')
const { Supervisor } = require('./supervisor.js')
const { Mesh } = require('./mesh.js')
const { messageOf, wrap } = require('./message.js')
const { IrisError, NoSuchActor, MailboxFull, SwapRejected, TimeoutError } = require('./errors.js')

native.throws(IrisError)

// Results of the core, as in plugin.h.
const OK = 0
const DEAD = 2
const FULL = 3
const LARGE = 4
const EMPTY = 5
const CLOSED = 6
const REFUSED = -10 // a call that gives a number says REFUSED - result instead

const POLICIES = { dropnew: 0, dropold: 1, block: 2, redirect: 3, spill: 4 }
const STRATEGIES = {
  restartone: 1, restart_one: 1, one: 1, one_for_one: 1,
  restartall: 2, restart_all: 2, all: 2, one_for_all: 2,
  rest: 3, rest_for_one: 3
}
const KINDS = { push: false, pull: true }
const OPTIONS = ['workers', 'turnLimit', 'swapWait', 'mesh']
const SPAWN_OPTIONS = ['budget', 'path', 'name', 'parent', 'mailbox', 'kind', 'borrow', 'args', 'lazy', 'idleTimeout']
const EVENTS = ['started', 'crashed', 'restarted', 'ended', 'swapped', 'swap-refused', 'stuck', 'exhausted', 'log',
  'decided', 'high-water', 'rollback'] // as in iris.h
const LEVELS = [null, 'debug', 'info', 'warn', 'error']

function valueOf (table, word) {
  const key = String(word).toLowerCase()
  return Object.hasOwn(table, key) ? table[key] : undefined
}

function strategyOf (word) {
  const strategy = valueOf(STRATEGIES, word)
  if (!strategy) throw new RangeError(`invalid strategy: "${word}"; expected restart_one or restart_all`)
  return strategy
}

function checkBudget (budget) {
  if (!Number.isInteger(budget)) throw new TypeError(`budget must be a number of messages, not ${String(budget)}`)
  if (budget < 1) throw new RangeError(`budget must be 1 or more, not ${budget}`)
  return budget
}

/** Of an AbortSignal, also of another realm. */
function checkSignal (signal) {
  if (signal === undefined || signal === null) return
  if (typeof signal.throwIfAborted !== 'function') throw new TypeError('signal must be an AbortSignal')
  signal.throwIfAborted()
}

function checkTime (ms, what, least) {
  if (typeof ms !== 'number' || Number.isNaN(ms)) throw new TypeError(`${what} must be a number of milliseconds`)
  if (ms < 0 || (ms === 0 && least)) {
    throw new RangeError(`${what} must be ${least ? 'more than 0' : '0 or more'} milliseconds, not ${ms}`)
  }
  return ms
}

/** A runtime of actors. */
class NodeRuntime extends Mesh {
  #engine
  #known = Array.from({ length: 6 }, () => new WeakMap()) // handlers that have a number already
  #waiting = new Map() // token -> what comes of it
  #tokens = 1
  #factories = new Map()
  #kinds = new Map() // pid -> kind and flags, of actors that are not plain
  #fewKinds = 1000 // beyond, those are looked for that ended before they began
  #events = new EventEmitter().setMaxListeners(0)
  #kept = 0
  #closing = null

  /** workers: threads for native actors (0: one for each core). turnLimit: seconds after which a handler that
   * has not returned is interrupted (by default never). swapWait: seconds that a pull handler has to return after
   * HOT_SWAP (5); then the swap is refused. mesh: settings of the network, with the keys of a manifest's
   * "mesh": { node: 'a', listen: '127.0.0.1:9000', .. }. */
  constructor (options = {}) {
    if (native.runtime) return native.runtime // the one that runs
    checkOptions('new Runtime()', options, OPTIONS)
    const { workers = 0, turnLimit = 0, swapWait = 5, mesh } = options
    super()
    this.#engine = makeEngine({
      kinds: this.#kinds,
      settle: (token, result, what) => this.#settle(token, result, what),
      make: (token, over) => over ? void this.#factories.delete(token) : this.#make(this.#factories.get(token)),
      event: (...what) => this.#event(...what),
      load: (...what) => native.load(this, ...what),
      endLoads: () => native.load?.endLoads(),
      forget: number => native.load?.forget(number),
      quit: () => process.emit('exit', 0),
      scope: new AsyncLocalStorage() // in whose name code of noted scripts runs; for nothing until there is one
    })
    this._calls = native.open({ workers, turnLimit: turnLimit * 1000, swapWait: swapWait * 1000 }, this.#engine.hooks)
    this.#engine.start(this._calls)
    // The calls that programs make most go to the compiled half at once.
    const { send, sendBytes } = this._calls
    this.send = (pid, data) => (data instanceof Uint8Array ? sendBytes(pid, data) : send(pid, data)) === undefined
    this.cancelTimer = this._calls.cancelTimer
    this.isAlive = this._calls.isAlive
    this.mailboxSize = this._calls.mailboxSize
    if (native.isHost) native.runtime = this
    else if (mesh !== undefined) this.#beginMesh(mesh)
  }

  #beginMesh (settings) {
    try {
      if (settings === null || typeof settings !== 'object') throw new TypeError('mesh must be an object of settings')
      this._meshBegin(settings)
    } catch (error) {
      this.close(0)
      throw error
    }
  }

  // ---- what waits ----

  #token (then) {
    const token = this.#tokens++
    this.#waiting.set(token, then)
    return token
  }

  #settle (token, result, what) {
    const then = this.#waiting.get(token)
    this.#waiting.delete(token)
    then?.(result, what)
  }

  // What mesh.js needs of it.
  _token (then) { return this.#token(then) }
  _keep (token, then) { this.#waiting.set(token, then) }
  _forget (token) { this.#waiting.delete(token) }
  _emit (event) { this.#events.emit('event', event) }

  #reason () { return this._calls.reason() }

  #check (result, what) {
    if (result === DEAD) throw new NoSuchActor(what)
    if (result < 0) throw new IrisError(this.#reason())
  }

  /** Ends the actor in whose name this is called; false: it is nobody's. */
  _blame (error) { return this.#engine.blame(error) }

  // ---- spawning ----

  /** The number of this handler; made if need be, and then with a reference that is to be released. */
  #numberOf (handler, kind, flags) {
    const known = this.#knownAs(kind, flags)
    const number = known.get(handler)
    const script = number === undefined ? undefined : this.#engine.scripts[number]
    if (script?.handler === handler && !script.migrate) return { number, fresh: false } // of a free number another's
    return { number: this.#define(handler, kind, flags, known), fresh: true }
  }

  #knownAs (kind, flags) { return this.#known[(kind === PULL ? 2 : flags & BORROW) + (flags & NOTED ? 3 : 0)] }

  #define (handler, kind, flags, known, migrate = null) {
    const saves = kind === CALL && (typeof handler.save === 'function' || typeof handler.upgrade === 'function')
    const all = flags | (saves ? SAVES : 0) | (native.isHost ? NOTED : 0) | (migrate ? MIGRATES : 0)
    const number = this._calls.define(kind, all, handler.name || 'anonymous', handler.stateVersion ?? 0, '')
    if (number < 0) throw new IrisError(this.#reason())
    const script = this.#engine.scripts[number] = new Script(handler, kind, all, saves ? handler : null)
    script.migrate = migrate
    known?.set(handler, number)
    return number
  }

  /** What load.js has found in a file. */
  _defineLoaded (handler, kind, name, module, version) {
    const flags = NOTED | (module.borrow === true && kind !== PULL ? BORROW : 0) | (kind === CALL && (module.save || module.upgrade) ? SAVES : 0)
    const state = kind === CLASS ? handler.stateVersion : module.stateVersion
    const number = this._calls.define(kind, flags, name, state ?? 0, version)
    if (number < 0) throw new IrisError(this.#reason())
    this.#engine.scripts[number] = new Script(handler, kind, flags, module)
    return number
  }

  _defineMigration (migrate, name) {
    const number = this._calls.define(MIGRATION, MIGRATES, name, 0, '')
    if (number < 0) throw new IrisError(this.#reason())
    const script = this.#engine.scripts[number] = new Script(migrate, MIGRATION, MIGRATES, null)
    script.migrate = migrate
    return number
  }

  /** Calls use(number) with the number of a handler. It may be on its way to be freed: then with a new one. */
  #with (handler, kind, flags, gone, use) {
    for (;;) {
      const { number, fresh } = this.#numberOf(handler, kind, flags)
      let result
      try {
        result = use(number)
      } finally {
        if (fresh) this._calls.release(number)
      }
      if (result !== gone) return result
      this.#knownAs(kind, flags).delete(handler)
    }
  }

  #kindOf (handler, pulls) {
    if (pulls) {
      if (typeof handler !== 'function') throw new TypeError('a pull handler is a function that gets a mailbox')
      return PULL
    }
    if (hasHandler(handler)) return CLASS
    if (isClass(handler)) throw new TypeError(`class ${handler.name} has no onMessage(message)`)
    if (typeof handler !== 'function') throw new TypeError(`a handler is a function or a class, not ${typeof handler}`)
    return CALL
  }

  #spawned (result, parent) {
    if (result > 0) return result
    if (REFUSED - result === DEAD) throw new NoSuchActor(`there is no actor ${parent} to be a parent`)
    throw new IrisError(this.#reason())
  }

  #spawn (handler, pulls, { budget = 100, mailbox = 0, parent = 0, path, name, borrow = false, lazy = false, idleTimeout = 0, args }) {
    const kind = this.#kindOf(handler, pulls)
    const flags = (borrow ? BORROW : 0) | (mailbox ? NOTED : 0) // one that can be full may wait for itself
    const text = args === undefined ? undefined : JSON.stringify(args)
    if (path !== undefined && typeof path !== 'string') throw new TypeError('path must be a string')
    checkBudget(budget)
    const pid = this.#spawned(this.#with(handler, kind, flags, 0, number =>
      this._calls.spawn(number, budget, mailbox, parent, path, lazy, idleTimeout * 1000, text)), parent)
    if (kind === PULL || flags) this.#note(pid, kind << 8 | flags)
    if (name !== undefined) this.#name(pid, name)
    return pid
  }

  /** Who cannot be called that is not left behind, without a name that anybody knows. */
  #name (pid, name) {
    try {
      this.register(name, pid)
    } catch (error) {
      this.kill(pid)
      throw error
    }
  }

  /** How many actors are known to be not plain. */
  _noted () { return this.#kinds.size }

  #note (pid, kind) {
    this.#kinds.set(pid, kind)
    if (this.#kinds.size <= this.#fewKinds) return
    for (const each of this.#kinds.keys()) if (!this.isAlive(each)) this.#kinds.delete(each)
    this.#fewKinds = Math.max(1000, this.#kinds.size * 2)
  }

  /** Starts an actor and gives its pid. handler: called with each message; what it returns answers an ask. A class
   * is instantiated for the actor, and its onMessage() is called. A promise is waited for. budget: messages
   * before others get their turn. Or options instead of it: { budget, path, name, parent, mailbox, kind, borrow,
   * args, lazy, idleTimeout }. */
  spawn (handler, budget = 100, options) {
    if (options === undefined && typeof budget === 'object' && budget !== null) options = budget
    if (options !== undefined) {
      checkOptions('spawn()', options, SPAWN_OPTIONS)
      const { kind = 'push', ...rest } = options
      if (!Object.hasOwn(KINDS, kind)) throw new RangeError(`kind must be push or pull, not ${kind}`)
      if (rest.mailbox !== undefined) this.#checkCapacity(rest.mailbox, 'mailbox')
      return this.#spawn(handler, KINDS[kind], rest)
    }
    const kind = this.#kindOf(handler, false)
    checkBudget(budget)
    return this.#spawned(this.#with(handler, kind, 0, 0, number => this._calls.spawnPlain(number, budget)))
  }

  #checkCapacity (capacity, what) {
    if (!Number.isInteger(capacity)) throw new TypeError(`${what} must be a number of messages`)
    if (capacity < 1) throw new RangeError(`${what} must be 1 or more, not ${capacity}`)
  }

  /** A pull actor: handler(mailbox) runs once, and takes its messages itself. */
  spawnWithMailbox (handler, budget = 100) { return this.#spawn(handler, true, { budget }) }

  /** As spawn(), with room for `capacity` messages; what comes beyond is not accepted. */
  spawnBounded (handler, capacity, budget = 100) {
    this.#checkCapacity(capacity, 'capacity')
    return this.#spawn(handler, false, { budget, mailbox: capacity })
  }

  spawn_bounded (handler, capacity, budget) { return this.spawnBounded(handler, capacity, budget) }

  /** As spawn(); it ends with its parent. */
  spawnChild (parent, handler, budget = 100) { return this.#spawn(handler, false, { budget, parent }) }

  /** As spawnWithMailbox(); it ends with its parent. */
  spawnChildWithMailbox (parent, handler, budget = 100) { return this.#spawn(handler, true, { budget, parent }) }

  /** So many children of one kind; their pids. */
  spawnChildPool (parent, handler, workers, budget = 100) {
    if (!Number.isInteger(workers)) throw new TypeError('workers must be a number of actors')
    if (workers < 0) throw new RangeError(`workers must be 0 or more, not ${workers}`)
    return Array.from({ length: workers }, () => this.spawnChild(parent, handler, budget))
  }

  /** As spawn(), but a class is instantiated with the first message only; after idleTimeoutMs without one it goes,
   * and a new one is made with the next message. */
  spawnVirtual (handler, budget = 100, idleTimeoutMs = 0) {
    return this.#spawn(handler, false, { budget, lazy: true, idleTimeout: checkTime(idleTimeoutMs, 'idleTimeoutMs') / 1000 })
  }

  /** An actor that only keeps what it gets: the last 65,536 messages. */
  spawnObservedHandler (budget = 100) { return this.#spawnObserved(budget, null) }

  spawnWithPathObserved (budget, path) { return this.#spawnObserved(budget, path) }

  #spawnObserved (budget, path) { return this.#spawned(this._calls.observed(checkBudget(budget), path)) }

  // ---- observed actors ----

  /** What an observed actor has kept, oldest first, as { data, system }. It keeps it. */
  getMessages (pid) { return this._calls.messages(pid).map(wrap) }

  /** The first message of an observed actor for which matcher(message) is true, which is removed; null: not within
   * timeout seconds, or it keeps no messages. */
  async selectiveRecv (pid, matcher, timeout) {
    if (typeof matcher !== 'function') throw new TypeError('a matcher is a function')
    const ms = milliseconds(timeout)
    const end = ms < 0 ? Infinity : performance.now() + ms
    for (let from = 0; ;) {
      const found = this._calls.takeObserved(pid, from, object => Boolean(matcher(wrap(object))))
      if (found === null) return null
      if (typeof found !== 'number') return wrap(found)
      from = found
      const left = end - performance.now()
      if (left <= 0) return null
      const result = await new Promise(resolve => {
        const token = this.#token(resolve)
        if (this._calls.arrived(pid, from, left === Infinity ? -1 : left, token) < 0) this.#settle(token, DEAD)
      })
      if (result !== OK && result !== EMPTY) return null
    }
  }

  // ---- messages ----
  // send(pid, data), cancelTimer(id), isAlive(pid) and mailboxSize(pid) are set by the constructor.

  /** As send(), but where the mailbox is full the message waits at its door, in line with all others that do,
   * whatever the policy. true: it is in; false: there is no such actor (any more). Rejects with TimeoutError after so
   * many seconds, or with the reason of an AbortSignal: then it is not sent. An actor that is in a message
   * does not wait for itself: MailboxFull. */
  sendWait (pid, data, { timeout, signal } = {}) {
    const ms = milliseconds(timeout)
    return new Promise((resolve, reject) => {
      checkSignal(signal)
      if (this.#engine.isIn(pid)) {
        if (this.send(pid, data)) return resolve(true)
        throw new MailboxFull(`actor ${pid} would wait for itself: its own mailbox is full, and nobody else takes from it`)
      }
      let abort = null
      const token = this.#token(result => {
        if (abort) signal.removeEventListener('abort', abort)
        if (result === OK || result === DEAD) resolve(result === OK)
        else if (result === EMPTY) reject(new TimeoutError(`the mailbox of actor ${pid} had no room in time`))
        else reject(signal?.aborted ? signal.reason : this.#unanswered(pid, result))
      })
      const id = this._calls.sendWait(pid, data, ms, token)
      if (id < 0) return this.#settle(token, REFUSED - id)
      if (signal) signal.addEventListener('abort', abort = () => this._calls.cancelSend(pid, id), { once: true })
    })
  }

  /** send() to whoever has this name or path now. */
  sendNamed (name, data) { return this._calls.sendNamed(name, data) }

  /** Sends each of them in order, as send(); how many were accepted. */
  sendMany (pid, messages) { return this._calls.sendMany(pid, Array.isArray(messages) ? messages : [...messages]) }

  /** Sends later, once. The timer's id; 0: there is no such actor. */
  sendAfter (pid, delayMs, data) { return this.#timer(this._calls.sendAfter(pid, checkTime(delayMs, 'delayMs'), data)) }

  /** Sends at once and then again and again, until cancelled or the actor ends. The timer's id. */
  sendInterval (pid, intervalMs, data) {
    return this.#timer(this._calls.sendInterval(pid, checkTime(intervalMs, 'intervalMs', true), data))
  }

  #timer (id) {
    if (REFUSED - id === LARGE) throw new RangeError('data is above the limit of a message')
    if (id < 0) throw new IrisError(this.#reason())
    return id
  }

  /** What a bounded mailbox does when it is full, from now on: "dropnew", "dropold", "block", "redirect" (target gets
   * it instead) or "spill" (target gets a copy, and the sender waits). */
  setOverflowPolicy (pid, policy, target) {
    const number = valueOf(POLICIES, policy)
    if (number === undefined) throw new RangeError(`invalid policy: "${policy}"; expected ${Object.keys(POLICIES).join(', ')}`)
    if (number >= 3 && (target === undefined || target === null)) throw new TypeError(`${policy} requires target`)
    this._calls.policy(pid, number, number >= 3 ? target : 0)
  }

  /** Sends, and gives the answer: what the handler returned. Rejects with TimeoutError, NoSuchActor (also when it
   * crashed on this message) or MailboxFull. options: seconds, or { timeout, signal }. */
  ask (pid, data, options = 5) {
    const { timeout = 5, signal } = typeof options === 'object' && options !== null ? options : { timeout: options }
    const ms = milliseconds(timeout)
    return new Promise((resolve, reject) => {
      checkSignal(signal)
      let abort = null
      const token = this.#token((result, what) => {
        if (abort) signal.removeEventListener('abort', abort)
        if (result === OK) resolve(messageOf(what))
        else reject(signal?.aborted ? signal.reason : this.#unanswered(pid, result, what))
      })
      const id = this._calls.ask(pid, data, ms, token)
      if (id <= 0) return this.#settle(token, REFUSED - id)
      if (signal) signal.addEventListener('abort', abort = () => this._calls.cancelAsk(id), { once: true })
    })
  }

  call (pid, data, options) { return this.ask(pid, data, options) }

  #unanswered (pid, result, why) {
    if (result === EMPTY) return new TimeoutError(`actor ${pid} has not answered in time`)
    if (result === FULL) return new MailboxFull(`the mailbox of actor ${pid} is full`)
    if (result === LARGE) return new RangeError('data is above the limit of a message')
    if (result === CLOSED) return new IrisError('this runtime is closed', 'IRIS_CLOSED')
    return new NoSuchActor(`actor ${pid} did not answer: ${why || 'there is no such actor (any more)'}`)
  }

  // ---- looking, ending ----

  /** What `iris ps` shows of it; null: no such actor. */
  info (pid) { return this._calls.info(pid) }

  /** The pid of the actor whose handler this is; null: of none. */
  self () { return this._calls.self() }

  /** A variable of the actor whose handler this is (the manifest's actors[].env), or else of the process; otherwise
   * undefined. Without a name: an object of the actor's own. */
  env (name) {
    const own = this._calls.env()
    if (!own) throw new IrisError('env(): nobody knows whose handler this is; call it in a handler or its constructor, before the first await')
    if (name === undefined) return own
    return Object.hasOwn(own, name) ? own[name] : process.env[name]
  }

  /** The actor whose code this is, also after an await, has started: of one whose manifest says "ready": "notify".
   * Where nobody waits for it, nothing happens. */
  ready () {
    const pid = this.#engine.whose()
    if (pid) this._calls.ready(pid)
    else if (pid === null && native.isHost) {
      throw new IrisError('ready(): nobody says it here; call it in a handler, in its constructor, or in what these began')
    }
  }

  /** The actor handles what it has accepted, then ends; so do its children. Nobody there: nothing happens. */
  stop (pid) { this._calls.stop(pid) }

  /** The actor ends after the message that it is in; its mail becomes dead letters. */
  kill (pid) {
    if (this._calls.kill(pid) < 0) throw new IrisError(this.#reason())
  }

  /** Resolves when the actor has ended. TimeoutError after timeout seconds. */
  join (pid, timeout) {
    const ms = milliseconds(timeout)
    return new Promise((resolve, reject) => {
      const token = this.#token(result => result === EMPTY
        ? reject(new TimeoutError(`actor ${pid} has not ended in time`))
        : resolve())
      const result = this._calls.ended(pid, ms, token)
      if (result < 0) this.#settle(token, REFUSED - result)
    })
  }

  // ---- versions ----

  #kindFor (pid, handler) {
    const noted = this.#kinds.get(pid) ?? 0
    return { kind: this.#kindOf(handler, noted >> 8 === PULL), flags: noted & 255 }
  }

  #order (pid, handler, now, token, migrate) {
    const { kind, flags } = this.#kindFor(pid, handler)
    if (migrate != null) return this.#orderMigrating(pid, handler, kind, flags, now, token, migrate)
    return this.#with(handler, kind, flags, 1, number => this._calls.swap(pid, number, now, token))
  }

  // A version that nobody else gets.
  #orderMigrating (pid, handler, kind, flags, now, token, migrate) {
    if (typeof migrate !== 'function') throw new TypeError(`migrate: expected a function (saved, from), not ${typeof migrate}`)
    const number = this.#define(handler, kind, flags, null, migrate)
    try {
      return this._calls.swap(pid, number, now, token)
    } finally {
      this._calls.release(number)
    }
  }

  /** Messages sent before are handled by the old handler, messages sent after by the new one. Returns at once; swap()
   * waits, and rejects where it is refused. migrate(saved, from) turns what the old one's save() gave into what the new
   * one's upgrade() takes. */
  hotSwap (pid, handler, { migrate } = {}) { this.#order(pid, handler, false, null, migrate) }

  /** Replaces the handler of a pid, path or name, and resolves to its version once it has. Rejects with SwapRejected
   * where that is refused, and the old one goes on. */
  swap (target, handler, { now = false, timeout = 30, migrate } = {}) {
    const pid = this.#pidOf(target)
    return this.#decide(pid, timeout, token => this.#order(pid, handler, now, token, migrate))
  }

  #decide (pid, timeout, order) {
    const ms = milliseconds(timeout)
    return new Promise((resolve, reject) => {
      let timer = null
      const token = this.#token((result, why) => {
        clearTimeout(timer)
        const version = result === OK && !this.closed ? this._calls.behaviorVersion(pid) : null
        if (version !== null) resolve(version)
        else if (result === OK || result === DEAD) reject(new NoSuchActor('there is no such actor (any more)'))
        else reject(new SwapRejected(why || 'refused'))
      })
      try {
        const result = order(token)
        if (result) return this.#settle(token, result)
      } catch (error) {
        this.#waiting.delete(token)
        throw error
      }
      if (ms >= 0) {
        timer = setTimeout(() => reject(new TimeoutError('the swap still waits for messages before it')), ms)
        timer.unref()
      }
    })
  }

  /** How many handlers it has had: 1, and one more with each swap or rollback. */
  behaviorVersion (pid) {
    const version = this._calls.behaviorVersion(pid)
    if (version === null) throw new NoSuchActor(`there is no actor ${pid}`)
    return version
  }

  version (target) { return this.behaviorVersion(this.#pidOf(target)) }

  /** Back to the handler of `steps` swaps before; resolves to its behaviorVersion then. */
  async rollbackBehavior (pid, steps = 1) {
    try {
      return await this.rollback(pid, steps)
    } catch (error) {
      if (error instanceof IrisError) error.message = `rollback failed: ${error.message}`
      throw error
    }
  }

  async rollback (target, steps = 1, { timeout = 30 } = {}) {
    const pid = this.#pidOf(target)
    return await this.#decide(pid, timeout, token => this._calls.rollback(pid, steps, token))
  }

  #pidOf (target) {
    if (typeof target === 'number') return target
    const pid = this.whereis(target)
    if (pid === null) throw new NoSuchActor(`nobody is called ${target}`)
    return pid
  }

  // ---- names and paths ----

  /** From now on the actor is found by this name; who had it has it no more. */
  register (name, pid) {
    const result = this._calls.register(name, pid)
    if (result === DEAD) throw new NoSuchActor(`there is no actor ${pid} to be called ${name}`)
    if (result < 0) throw new RangeError(this.#reason())
  }

  registerPath (path, pid) { this.register(path, pid) }
  unregister (name) { this._calls.unregister(name) }
  unregisterPath (path) { this._calls.unregister(path) }

  /** The pid of who has this name or path, or null. "NAME@NODE" takes a round trip: see find(). */
  whereis (name) {
    const pid = this._calls.whereis(name)
    if (pid === null && name.includes('@')) throw new IrisError(`${name}: a name of another node takes a while: await find(name)`)
    return pid
  }

  resolve (name) { return this.whereis(name) }
  whereisPath (path) { return this._calls.whereis(path) }

  /** [path, pid] of all registered below it, at any depth. */
  listChildren (prefix = '/') { return this.#list(this._calls.listChildren(prefix)) }

  /** [path, pid] of those one level below it. */
  listChildrenDirect (prefix = '/') { return this.#list(this._calls.listChildrenDirect(prefix)) }

  #list (list) {
    if (list === null) throw new RangeError(this.#reason())
    return list
  }

  // ---- links and supervisors ----

  /** When one of both ends, the other gets an EXIT, if it is a pull or observed actor. A link never ends an actor of
   * JavaScript. */
  link (a, b) { this._calls.link(a, b) }
  unlink (a, b) { this._calls.unlink(a, b) }

  /** The actor begins again, with the same pid, when it crashes; 3 times in 5 seconds at most. */
  watch (pid, strategy = 'restart_one') {
    strategyOf(strategy)
    this.#check(this._calls.watch('/', pid), `there is no actor ${pid} to be supervised`)
  }

  /** The same for each actor that is registered one level below it. */
  watchPath (prefix) { this.#check(this._calls.watchPath(prefix)) }

  /** Whenever the actor ends, factory() makes another one, and gives its pid, or a promise of it. */
  superviseWithFactory (pid, factory, strategy = 'restart_one') { this.pathSuperviseWithFactory('/', pid, factory, strategy) }

  pathSuperviseWithFactory (path, pid, factory, strategy = 'restart_one') {
    const number = strategyOf(strategy)
    if (typeof factory !== 'function') throw new TypeError('a factory is a function that makes an actor, and gives its pid')
    const token = this.#tokens++
    this.#factories.set(token, { factory, isOver: false, promise: null, pid: 0, error: null })
    const result = this._calls.supervise(path, pid, number, token)
    if (result) this.#factories.delete(token)
    this.#check(result, `there is no actor ${pid} to be supervised`)
  }

  /** What it made; 0: not yet, it is asked again in a moment. */
  #make (made) {
    if (made.promise === null) {
      const pid = made.factory()
      if (typeof pid?.then !== 'function') return pid
      made.promise = pid.then(pid => { made.pid = pid }, error => { made.error = error ?? new Error('it failed') })
        .then(() => { made.isOver = true })
    }
    if (!made.isOver) return 0
    const { pid, error } = made
    Object.assign(made, { isOver: false, promise: null, pid: 0, error: null })
    if (error) throw error
    return pid ?? null
  }

  /** A supervisor of its own for what is below this path. */
  createPathSupervisor (path, strategy = 'restart_one', intensity = 0, period = 0) {
    this.#check(this._calls.createSupervisor(path, strategyOf(strategy), intensity, period * 1000))
  }

  removePathSupervisor (path) { this.#check(this._calls.removeSupervisor(path)) }
  pathSupervisorWatch (path, pid) { this.#check(this._calls.watch(path, pid), `there is no actor ${pid} to be supervised`) }
  pathSupervisorChildren (path) { return this.#list(this._calls.supervised(path)) }

  /** A supervisor for what is below this path, as an object: at most `intensity` restarts in `period` seconds. */
  supervisor (path, strategy = 'restart_one', intensity = 0, period = 0) {
    return new Supervisor(this, target => this.#pidOf(target), path, strategy, intensity, period)
  }

  /** The pids that the supervisor of all, "/", watches. */
  childPids () { return this.#list(this._calls.supervised('/')) }
  childrenCount () { return this.childPids().length }

  // ---- events ----

  #event (kind, level, pid, path, text) {
    const event = { kind: EVENTS[kind] ?? 'event', level: LEVELS[level] ?? 'info', pid, path, text }
    if (this.#events.listenerCount('event')) this.#events.emit('event', event)
    else if (level > 2 || pid) process.stderr.write(`iris: ${event.level}: ${path || (pid ? `actor ${pid}` : 'runtime')}: ${text}\n`)
  }

  /** Crashes, refused swaps and other warnings: 'event', ({ kind, level, pid, path, text }). Without a listener they go
   * to stderr, but for what the runtime itself does. */
  on (name, listener) {
    if (name !== 'event') throw new RangeError(`there is nothing called "${String(name)}" to listen to; expected "event"`)
    this.#events.on(name, listener)
    return this
  }

  off (name, listener) {
    this.#events.off(name, listener)
    return this
  }

  /** The same for `for await`, from this call on, until the runtime is closed. pattern: of paths, as "/svc/**". */
  events (options) {
    const events = new Events(this.#events, options)
    if (this.closed) events.close()
    return events
  }

  // ---- the process and the end ----

  /** The process does not exit while the runtime is open, also when it is idle. */
  ref () {
    if (this.#kept++ === 0) this._calls.keep(true)
    return this
  }

  unref () {
    if (this.#kept > 0 && --this.#kept === 0) this._calls.keep(false)
    return this
  }

  get closed () { return this._calls.isClosed() }

  /** Ends all actors and threads of this runtime; resolves when that is done. What has not come back within timeout
   * seconds is left behind. */
  close (timeout = 5) {
    if (native.isHost) return Promise.resolve()
    const ms = milliseconds(timeout)
    if (this.#closing === null && !this.closed) this._meshEnd()
    this.#closing ??= new Promise(resolve => this._calls.close(this.#token(() => {
      for (const token of this.#waiting.keys()) this.#settle(token, DEAD) // what waits for somebody who was left behind
      this.#events.emit('end')
      resolve()
    }), ms))
    return this.#closing
  }
}

if (Symbol.dispose) NodeRuntime.prototype[Symbol.dispose] = function () { this.close() }
if (Symbol.asyncDispose) NodeRuntime.prototype[Symbol.asyncDispose] = function () { return this.close() }

module.exports = { NodeRuntime }
