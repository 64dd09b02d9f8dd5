'use strict'
// What the compiled half calls. It knows handlers and states by numbers; the objects are here.
const { Message, messageOf } = require('./message.js')
const { JsMailbox, NONE } = require('./mailbox.js')
const { Exit, describe } = require('./errors.js')

const CALL = 0
const CLASS = 1
const PULL = 2
const MIGRATION = 3 // no handler
const BORROW = 1
const NOTED = 2
const SAVES = 4
const MIGRATES = 8

// As in host.h.
const BATCH = 256
const DESC = 3
const PLACE = 256
const AT = BATCH * DESC // how far run() has come, for who interrupts it
const DUE = AT + 1 // a message waits at a full mailbox: begin no other

/** A handler with all that its versions and actors need. */
class Script {
  constructor (handler, kind, flags, module) {
    this.handler = handler
    this.kind = kind
    this.flags = flags
    this.module = module // exports of its file, or null
    this.migrate = null // of a swap to it
  }
}

function isClass (handler) {
  return typeof handler === 'function' && Object.getOwnPropertyDescriptor(handler, 'prototype')?.writable === false
}

function hasHandler (handler) {
  return typeof handler === 'function' && typeof handler.prototype?.onMessage === 'function'
}

/** The hooks of one runtime. `settle` and `event` are its owner's. */
function makeEngine (owner) {
  let calls = null
  let slab = null
  const scripts = []
  const states = [null] // from 1
  const freeStates = []
  const owners = [] // state -> { pid, state }: in whose name the code of a noted script runs, also after an await
  const open = new Map() // pid -> token of the message that its async handler is in
  const large = []
  const memory = new ArrayBuffer((AT + 2) * 4 + BATCH * PLACE)
  const desc = new Int32Array(memory, 0, AT + 2)
  const placesAt = (AT + 2) * 4
  const places = new Uint8Array(memory, placesAt)
  const borrowed = []

  function borrow (i, length) {
    const view = borrowed[i]
    if (view !== undefined && view.length === length) return view
    return (borrowed[i] = new Message(memory, placesAt + i * PLACE, length))
  }

  function aside (i) {
    const object = large[i]
    large[i] = undefined
    return object instanceof Uint8Array ? messageOf(object) : object
  }

  function messageAt (i, flags) {
    const length = desc[i * DESC + 1]
    if (length < 0) return aside(i)
    return flags & BORROW ? borrow(i, length) : new Message(slab, desc[i * DESC], length)
  }

  // ---- what a handler gave ----

  function putOff (i, promise) {
    const token = calls.later(i)
    const pid = calls.self()
    open.set(pid, token)
    promise.then(value => finish(pid, token, 0, value), error => {
      if (open.get(pid) !== token) return
      if (error instanceof Exit && error.code === 0) return finish(pid, token, 0)
      calls.fail(describe(error))
      finish(pid, token, -1)
    })
  }

  function finish (pid, token, result, value) {
    if (open.get(pid) !== token) return // it has ended meanwhile
    open.delete(pid)
    calls.done(token, result, value === null ? undefined : value)
  }

  /** true: it is not finished yet. */
  function settle (i, result) {
    if (result === null) return false
    if (typeof result.then === 'function') {
      putOff(i, result)
      return true
    }
    if (desc[i * DESC + 2]) calls.reply(i, result)
    return false
  }

  function failed (i, error) {
    if (error instanceof Exit && error.code === 0) {
      calls.exit(null)
      return i + 1
    }
    calls.fail(describe(error))
    return ~i
  }

  // ---- batches ----

  function runFunction (script, n) {
    const { handler, flags } = script
    let i = 0
    try {
      for (; i < n; i++) {
        desc[AT] = i
        const result = handler(messageAt(i, flags))
        if (result !== undefined && settle(i, result)) return i + 1
        if (desc[DUE] !== 0 || ((i & 31) === 31 && calls.due())) return i + 1
      }
    } catch (error) {
      return failed(i, error)
    }
    return n
  }

  function runObject (object, flags, n) {
    let i = 0
    try {
      for (; i < n; i++) {
        desc[AT] = i
        const result = object.onMessage(messageAt(i, flags))
        if (result !== undefined && settle(i, result)) return i + 1
        if (desc[DUE] !== 0 || ((i & 31) === 31 && calls.due())) return i + 1
      }
    } catch (error) {
      return failed(i, error)
    }
    return n
  }

  function runMailbox (mailbox, n) {
    for (let i = 0; i < n; i++) {
      const message = messageAt(i, 0)
      if (message instanceof Uint8Array) mailbox._put(message, calls.later(i))
      else if (message.typeName !== 'HOT_SWAP') mailbox._signal(message)
      else if (desc[i * DESC + 2]) mailbox._stay()
      else mailbox._offer()
    }
    mailbox._wake()
    return n
  }

  function run (number, state, n) {
    const script = scripts[number]
    return script.flags & NOTED ? owner.scope.run(owners[state], runScript, script, state, n) : runScript(script, state, n)
  }

  function runScript (script, state, n) {
    if (script.kind === CALL) return runFunction(script, n)
    return script.kind === CLASS ? runObject(states[state], script.flags, n) : runMailbox(states[state], n)
  }

  // ---- states ----

  function addState (object, script, pid) {
    const at = freeStates.length ? freeStates.pop() : states.length
    states[at] = object
    if (script.flags & NOTED) owners[at] = { pid, state: at }
    return at
  }

  function freeState (at) {
    states[at] = undefined
    freeStates.push(at)
    if (owners[at] === undefined) return
    owners[at].state = 0 // what it has left running is nobody's
    owners[at] = undefined
  }

  /** Calls it in the name of this state's actor. */
  function inName (script, state, call, ...args) {
    return script.flags & NOTED ? owner.scope.run(owners[state], call, ...args) : call(...args)
  }

  function make (Handler, args) {
    if (args === undefined) return new Handler()
    const value = JSON.parse(args)
    return Array.isArray(value) ? new Handler(...value) : new Handler(value)
  }

  function ended (state, mailbox, error) {
    if (mailbox.closed) return
    if (error === undefined) {
      mailbox._giveBack()
      calls.leave(state, null)
      return
    }
    const text = describe(error)
    calls.fail(text)
    if (!mailbox._crash()) calls.leave(state, `crash: ${text}`)
  }

  /** The handler's one long call. When it has returned for a swap, the new one's follows; or its own, if that is refused. */
  function serve (script, mailbox, state) {
    let result
    try {
      result = inName(script, state, script.handler, mailbox)
    } catch (error) {
      result = Promise.reject(error)
    }
    Promise.resolve(result).then(() => {
      const decided = mailbox._handOver(() => calls.handOver(state))
      if (decided) decided.then(next => { if (!mailbox.closed) serve(next ?? script, mailbox, state) })
      else ended(state, mailbox)
    }, error => ended(state, mailbox, error ?? new Error('rejected')))
  }

  function begin (script, pid) {
    const mailbox = new JsMailbox(calls, pid)
    const state = addState(mailbox, script, pid)
    serve(script, mailbox, state)
    return state
  }

  function guarded (call) {
    return (...args) => {
      try {
        return call(...args)
      } catch (error) {
        throw describe(error) // the compiled half passes on texts
      }
    }
  }

  // What a listener of the program throws is for it to see, and not for the compiled half.
  function outward (call) {
    return (...args) => {
      try {
        call(...args)
      } catch (error) {
        setImmediate(() => { throw error })
      }
    }
  }

  const init = guarded((number, args, pid) => {
    const script = scripts[number]
    if (script.kind === PULL) return begin(script, pid)
    return script.kind === CLASS ? beginObject(script, args, pid) : addState(pid, script, pid)
  })

  // What its constructor starts (timers, servers) goes on in the actor's name.
  function beginObject (script, args, pid) {
    const state = addState(undefined, script, pid)
    try {
      states[state] = inName(script, state, make, script.handler, args)
    } catch (error) {
      freeState(state)
      throw error
    }
    return state
  }

  function endObject (object) {
    try {
      object?.end?.()
    } catch (error) {
      calls.log(3, `end(): ${describe(error)}`)
    }
  }

  function fini (number, state, pid) {
    const script = scripts[number]
    owner.kinds.delete(pid)
    if (!state) return
    const object = states[state]
    freeState(state)
    if (script?.kind === PULL) object._close()
    else if (script?.kind === CLASS) endObject(object)
  }

  const save = guarded((number, state, to) => {
    const script = scripts[number]
    const holder = script.kind === CLASS ? states[state] : script.module
    const name = to < 0 ? 'save' : 'downgrade'
    if (typeof holder?.[name] === 'function') return to < 0 ? holder.save() : holder.downgrade(to)
    if (script.kind !== CLASS && to < 0) return undefined
    throw new Error(`${script.kind === CLASS ? `class ${script.handler.name}` : 'the module'} has no ${name}()` +
      (to < 0 ? ', so its state cannot cross; add it, or say "stateless": "restart" in its "swap"' : ''))
  })

  const upgrade = guarded((number, from, saved, pid) => {
    const script = scripts[number]
    if (script.kind === CLASS) return addState(upgradeClass(script.handler, from, saved), script, pid)
    if (typeof script.module?.upgrade === 'function') script.module.upgrade(from, messageOf(saved))
    else if (saved.length) {
      throw new Error(`the new code has no upgrade(from, saved), and ${saved.length} bytes of state would be lost`)
    }
    return script.flags & NOTED ? addState(pid, script, pid) : 0
  })

  // An old state's bytes become those of the new one. A swap waits for no promise.
  const migrate = guarded((number, saved, from) => {
    const made = scripts[number].migrate(messageOf(saved), from)
    if (typeof made === 'string' || ArrayBuffer.isView(made) || made instanceof ArrayBuffer) return made
    throw new TypeError('expected the bytes of the new state (a Buffer, any other typed array or a string) ' +
      `from migrate(saved, from), not ${typeof made?.then === 'function' ? 'a promise' : made === null ? 'null' : typeof made}`)
  })

  function upgradeClass (Handler, from, saved) {
    const bytes = messageOf(saved)
    if (typeof Handler.upgrade === 'function') return Handler.upgrade(from, bytes)
    if (typeof Handler.prototype.upgrade !== 'function') {
      throw new Error(`class ${Handler.name} has no static upgrade(from, saved)`)
    }
    const object = new Handler()
    return object.upgrade(from, bytes) ?? object
  }

  // 0: the state is the new version's; 1: it goes by bytes.
  const adopt = guarded((number, before, state) => {
    const now = scripts[number]
    const old = scripts[before]
    if (now.kind === PULL) {
      states[state]._swap(now)
      return 0
    }
    if (now.kind === CALL && old.kind === CALL) {
      return (now.flags | old.flags) & SAVES || (now.flags ^ old.flags) & NOTED ? 1 : 0
    }
    if (now.kind !== CLASS || old.kind !== CLASS) return 1
    if (typeof old.handler.prototype.save === 'function') return 1
    if (now.handler.name !== old.handler.name) return 1
    Object.setPrototypeOf(states[state], now.handler.prototype)
    return 0
  })

  function cancel (number, state, pid) {
    if (scripts[number].kind === PULL) {
      states[state]?._close()
      return
    }
    const token = open.get(pid)
    open.delete(pid)
    if (token !== undefined) calls.done(token, 0)
  }

  function forget (number) {
    scripts[number] = undefined
    owner.forget(number)
  }

  return {
    scripts,
    hooks: {
      desc,
      places,
      large,
      run,
      slab: memory => { slab = memory },
      init,
      fini,
      save,
      upgrade,
      migrate,
      adopt,
      cancel,
      stay: state => states[state]?._stay(),
      forget,
      settle: outward(owner.settle),
      make: guarded(owner.make),
      event: outward(owner.event),
      load: (...args) => owner.load(...args),
      endLoads: owner.endLoads,
      quit: () => owner.quit()
    },
    /** Ends the actor in whose name this is called; false: it is nobody's. */
    blame (error) {
      const { state = 0 } = owner.scope.getStore() ?? {}
      if (!state || states[state] === undefined) return false
      calls.leave(state, error instanceof Exit && error.code === 0 ? null : `crash: ${describe(error)}`)
      return true
    },
    /** The pid of the actor in whose name this is called; 0: of one that is over; null: of none. */
    whose () {
      const own = calls.self()
      if (own !== null) return own
      const given = owner.scope.getStore()
      return given === undefined ? null : given.state && given.pid
    },
    /** Whether this is called by code of this actor, and it is not done with a message: it takes no other meanwhile. */
    isIn (pid) {
      if (calls.self() === pid) return true
      const { pid: own, state } = owner.scope.getStore() ?? {}
      return own === pid && (open.has(pid) || states[state] instanceof JsMailbox)
    },
    start: given => { calls = given }
  }
}

module.exports = { makeEngine, Script, isClass, hasHandler, CALL, CLASS, PULL, MIGRATION, BORROW, NOTED, SAVES, MIGRATES, NONE }
