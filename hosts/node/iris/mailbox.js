'use strict'
const { WrappedMessage, JsSystemMessage } = require('./message.js')

/** Milliseconds of a timeout in seconds; below 0: for ever. */
function milliseconds (seconds, what = 'timeout') {
  if (seconds === undefined || seconds === null) return -1
  if (typeof seconds !== 'number' || Number.isNaN(seconds)) throw new TypeError(`${what} must be a number of seconds`)
  if (seconds < 0) throw new RangeError(`${what} must be 0 seconds or more, not ${seconds}`)
  return seconds * 1000
}

const NONE = -1 // no token: the core has nothing to be told of it

/** What a pull actor takes its messages from. To the core it is an actor that puts them off: each stays in its
 * books until recv() has moved on to the next. */
class JsMailbox {
  #calls
  #state
  #messages = []
  #tokens = []
  #head = 0
  #taken = NONE
  #waiter = null
  #closed = false
  #told = false // it was given HOT_SWAP: if its handler returns, that is for a swap
  #isRefused = false // which does not come: with the next recv() it goes on as if not told
  #decide = null // it has returned, and the swap is not decided yet

  constructor (calls, pid) {
    this.#calls = calls
    /** Whose mailbox this is. */
    this.pid = pid
  }

  get closed () { return this.#closed }

  /** The next message: a Buffer, or what the runtime tells as { system }. null: nothing came within `timeout`
   * seconds, or nothing will come any more. */
  recv (timeout) {
    this.#goOn()
    if (this.#head < this.#messages.length) return Promise.resolve(this.#take())
    return this.#wait(null, timeout)
  }

  /** The first message for which matcher(message) is true; the others stay, in order. */
  selectiveRecv (matcher, timeout) {
    if (typeof matcher !== 'function') throw new TypeError('a matcher is a function')
    this.#goOn()
    const found = this.#search(matcher)
    return found === undefined ? this.#wait(matcher, timeout) : Promise.resolve(found)
  }

  async * [Symbol.asyncIterator] () {
    for (let message; (message = await this.recv()) !== null;) yield message
  }

  #wait (matcher, timeout) {
    const ms = milliseconds(timeout)
    if (this.#closed || ms === 0) return Promise.resolve(null)
    if (this.#waiter) throw new Error('recv() while another recv() of this mailbox waits')
    return new Promise(resolve => {
      const waiter = this.#waiter = { resolve, matcher, timer: null }
      if (ms > 0) {
        waiter.timer = setTimeout(() => {
          this.#waiter = null
          resolve(null)
        }, Math.min(ms, 0x7fffffff))
      }
    })
  }

  #goOn () {
    this.#settle()
    if (this.#isRefused) this.#told = this.#isRefused = false
  }

  #settle () {
    if (this.#taken === NONE) return
    const token = this.#taken
    this.#taken = NONE
    this.#calls.done(token, 0)
  }

  #take () {
    const at = this.#head++
    const message = this.#messages[at]
    this.#told ||= this.#tokens[at] === NONE && tellsSwap(message)
    this.#taken = this.#tokens[at]
    if (this.#head === this.#messages.length) {
      this.#messages.length = this.#tokens.length = this.#head = 0
    } else {
      this.#messages[at] = undefined
    }
    return message
  }

  // What it passes over is not in the core's books any more, or nothing else could come.
  #search (matcher) {
    for (let at = this.#head; at < this.#messages.length; at++) {
      const message = this.#messages[at]
      if (!matches(matcher, message)) {
        if (this.#tokens[at] !== NONE) this.#calls.done(this.#tokens[at], 0)
        this.#tokens[at] = NONE
        continue
      }
      this.#taken = this.#tokens[at]
      this.#told ||= tellsSwap(message)
      this.#messages.splice(at, 1)
      this.#tokens.splice(at, 1)
      return message
    }
  }

  // ---- for engine.js ----

  _put (message, token) {
    this.#messages.push(message)
    this.#tokens.push(token)
  }

  _signal (signal) {
    this._put(new WrappedMessage(null, new JsSystemMessage(signal)), NONE)
  }

  /** A swap waits for its handler to return. */
  _offer () {
    this._signal({ typeName: 'HOT_SWAP', fromPid: null, targetPid: null, reason: '', metadata: null })
  }

  /** It was refused, or taken back: what runs goes on, and what has returned for it begins again. */
  _stay () {
    this.#isRefused = this.#told
    this.#keep((message, token) => !tellsSwap(message))
    this.#settleSwap(null)
  }

  /** Its handler has returned. null: for good. For a swap: a promise of the script that comes now, or of null, if that is
   * refused. What it has not taken is in the core's hands again; what it has passed over is not, and stays. */
  _handOver (order) {
    if (!this.#told || this.#closed) return null
    this.#told = false
    this.#settle()
    this.#keep((message, token) => {
      if (token !== NONE) this.#calls.done(token, 1)
      return token === NONE && !tellsSwap(message)
    })
    if (this.#isRefused) {
      this.#isRefused = false
      return Promise.resolve(null)
    }
    return new Promise(resolve => {
      this.#decide = resolve
      order()
    })
  }

  /** It was carried out. */
  _swap (script) { this.#settleSwap(script) }

  #settleSwap (script) {
    const decide = this.#decide
    this.#decide = null
    decide?.(script)
  }

  #keep (isKept) {
    const left = []
    for (let at = this.#head; at < this.#messages.length; at++) {
      if (isKept(this.#messages[at], this.#tokens[at])) left.push(at)
    }
    this.#messages = left.map(at => this.#messages[at])
    this.#tokens = left.map(at => this.#tokens[at])
    this.#head = 0
  }

  /** Whoever waits is told, if there is something for them. */
  _wake () {
    const waiter = this.#waiter
    if (!waiter || this.#head === this.#messages.length) return
    const message = waiter.matcher ? this.#search(waiter.matcher) : this.#take()
    if (message === undefined) return
    this.#finish(message)
  }

  #finish (message) {
    const waiter = this.#waiter
    this.#waiter = null
    if (!waiter) return
    if (waiter.timer) clearTimeout(waiter.timer)
    waiter.resolve(message)
  }

  /** Its handler has returned: what it has not taken goes back. */
  _giveBack () {
    for (let at = this.#head; at < this.#messages.length; at++) {
      if (this.#tokens[at] !== NONE) this.#calls.done(this.#tokens[at], 1)
    }
    this.#messages.length = this.#tokens.length = this.#head = 0
    this.#settle()
  }

  /** It crashed: on the message that it has taken, if it has one. */
  _crash () {
    const token = this.#taken
    this.#taken = NONE
    this._giveBack()
    if (token !== NONE) this.#calls.done(token, -1)
    return token !== NONE
  }

  /** Its actor has ended. */
  _close () {
    this.#closed = true
    for (let at = this.#head; at < this.#messages.length; at++) {
      if (this.#tokens[at] !== NONE) this.#calls.done(this.#tokens[at], 0)
    }
    this.#messages.length = this.#tokens.length = this.#head = 0
    this.#settle()
    this.#finish(null)
  }
}

const tellsSwap = message => message.system?.typeName === 'HOT_SWAP'

function matches (matcher, message) {
  try {
    return Boolean(matcher(message))
  } catch { // as the original has it: an exception is no
    return false
  }
}

module.exports = { JsMailbox, milliseconds, NONE }
