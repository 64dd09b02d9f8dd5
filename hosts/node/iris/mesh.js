'use strict'
const { IrisError, NodeDown, MailboxFull } = require('./errors.js')
const { milliseconds } = require('./mailbox.js')

const RESOLVE = 0
const WHEREIS = 1
const PING = 2
const PROBE = 3

// Results of the core, as in plugin.h.
const OK = 0
const DEAD = 2
const FULL = 3
const LARGE = 4
const EMPTY = 5

const far = pid => pid >= 2 ** 43 // a pid of another node

/** { timeout }, or the seconds alone, as in ask(). */
const within = options => milliseconds(typeof options === 'object' ? options?.timeout : options)

const list = one => one === undefined ? [] : Array.isArray(one) ? one : [one]

/** Other nodes: the calls of a runtime that go over the network. A pid that they give is one like any other. */
class Mesh {
  #watches = new Map() // number -> token
  #listens = new Set() // addresses that keep the process

  /** The settings of new NodeRuntime({ mesh }): a manifest's "mesh". */
  _meshBegin ({ listen, peers, ...settings }) {
    if (Object.keys(settings).length) this._calls.meshConfigure(JSON.stringify(settings))
    for (const one of list(listen)) typeof one === 'string' ? this.listen(one) : this.listen(one.address, one)
    for (const one of list(peers)) typeof one === 'string' ? this.connect(one) : this.connect(one.address, one)
  }

  _meshEnd () {
    for (const number of this.#watches.keys()) this.unmonitorRemote(number)
    this.#listens.clear()
  }

  #ask (what, at, name, options) {
    const ms = within(options)
    return new Promise((resolve, reject) => {
      const token = this._token((result, answer) => resolve({ result, ...answer }))
      try {
        this._calls.meshAsk(what, at, String(name), ms, token)
      } catch (error) {
        this._forget(token)
        reject(error)
      }
    })
  }

  async #find (what, at, name, options) {
    if (typeof name !== 'string') throw new TypeError('a name must be a string')
    const { result, pid, why } = await this.#ask(what, at, name, options)
    if (result === OK) return pid || null
    const reason = why || (result === EMPTY ? 'no answer in time' : 'no link to that node')
    throw new NodeDown(`${name}${at ? ` at ${at}` : ''}: ${reason}`)
  }

  // ---- links ----

  /** Other nodes reach this one at "HOST:PORT" from now on; port 0 is any that is free. Where it is. Throws where that
   * cannot be: the port is taken, or what is sent could be read by others. Like a server it keeps the process until the
   * runtime is closed; unref: it does not. compat: "iris-0.3" or "table", for programs of the original. */
  listen (addr, { compat, unref = false } = {}) {
    const where = this._calls.meshListen(addr, compat === undefined ? null : JSON.stringify({ compat }))
    if (!unref) {
      this.#listens.add(where)
      this.ref()
    }
    return where
  }

  /** Nobody new comes in there; links stay. false: it did not listen there. */
  unlisten (addr) {
    if (this.#listens.delete(addr)) this.unref()
    return this._calls.meshUnlisten(addr)
  }

  /** Keeps a link to this address from now on: it is dialled again whenever it is lost. */
  connect (addr, { compat } = {}) {
    this._calls.meshConnect(addr, compat === undefined ? null : JSON.stringify({ compat }))
  }

  /** No longer. false: it was not wanted. */
  disconnect (addr) { return this._calls.meshDisconnect(addr) }

  /** Every node that is known or wanted. */
  nodes () { return this._calls.meshNodes() }

  /** The name of this node. */
  get node () { return this._calls.meshSelf()[0] }

  /** By which it is reached; null: it does not listen. */
  get address () { return this._calls.meshSelf()[1] || null }

  // ---- names ----

  /** The pid of who has this name or path at the node there ("HOST:PORT", or the name of one that is up); null: nobody
   * has it. Rejects with NodeDown: it cannot be reached, or does not answer within timeout seconds (5). */
  resolveRemote (addr, name, options) { return this.#find(RESOLVE, addr, name, options) }

  /** The pid of who has this name: "NAME@NODE" at that node; "NAME" on this one, else at whichever that is up; null:
   * nobody. */
  find (name, options) { return this.#find(WHEREIS, '', name, options) }

  // ---- mail ----

  /** As send(), by the address: pid is what resolveRemote() gave, or the number that the actor has on its own node.
   * true: it is on its way, in order, and arrives or is counted as a dead letter. Never a silent no: throws NodeDown (no
   * link; it is dialled from now on), MailboxFull (more waits for that node than its queue holds), RangeError. */
  sendRemote (addr, pid, data) {
    const result = this._calls.meshSend(addr, pid, data)
    if (result === OK) return true
    if (result === FULL) throw new MailboxFull(`sendRemote: more waits for ${addr} than its queue holds`)
    if (result === LARGE) throw new RangeError('sendRemote: data is above the limit of a message')
    if (result !== DEAD) throw new IrisError(this._calls.reason())
    if (this._calls.meshIsUp(addr)) {
      throw new NodeDown(`sendRemote: ${addr}: actor ${pid} is of an earlier run of that node, or of another; resolve it again`)
    }
    this.connect(addr)
    throw new NodeDown(`sendRemote: ${addr}: no link to that node; await isNodeUp() before the first send`)
  }

  /** An actor of this node that stands for `name` at that address or node: what it is sent goes there, the answer to who
   * asked. It is resolved again whenever its node comes back. Meanwhile what it is sent is dead letters; who is linked
   * with it gets one EXIT when the node goes (onLoss "down"), or nothing ("stay"). */
  proxy (addr, name, { path, onLoss = 'down' } = {}) {
    if (onLoss !== 'down' && onLoss !== 'stay') throw new RangeError(`onLoss must be "down" or "stay", not ${onLoss}`)
    return this._calls.meshProxy(path ?? null, addr, name, onLoss === 'stay')
  }

  // ---- nodes that come and go ----

  /** Whether the node there answers, within timeout seconds (5). */
  async isNodeUp (addr, options) { return (await this.#ask(PING, addr, '', options)).result === OK }

  /** Whether this actor has not ended, also of another node, which is asked (isAlive() does not wait: there it is alive as
   * long as its node is up). */
  async probe (pid, options) {
    if (!far(pid)) return this.isAlive(pid)
    const { result, pid: alive } = await this.#ask(PROBE, '', pid, options)
    return result === OK && alive !== 0
  }

  /** From now on each change of the node there is told: it came up, or it went; if it is up now, that too. An address is
   * dialled, and linked from now on. With a callback: callback(event). In a pull actor (its mailbox instead of a pid): as a system message, PONG (up) or DOWN (gone). Else
   * as 'event', of kind "node-up" or "node-down". A number for unmonitorRemote(). pid is not looked at: for one actor use
   * link(). */
  monitorRemote (addr, pid, callback) {
    if (pid !== null && typeof pid === 'object') return void this._calls.meshMonitor(pid.pid, addr)
    if (callback !== undefined && callback !== null && typeof callback !== 'function') throw new TypeError('a callback is a function')
    let token = 0
    const told = (up, { node, address, why }) => {
      this._keep(token, told)
      const event = {
        kind: up ? 'node-up' : 'node-down',
        level: up ? 'info' : 'warn',
        pid: 0,
        path: '',
        text: `node ${node || '?'} at ${address || addr} ${up ? 'is up' : `went: ${why}`}`
      }
      callback ? callback(event) : this._emit(event)
    }
    token = this._token(told)
    const number = this._calls.meshWatch(addr, token)
    this.#watches.set(number, token)
    return number
  }

  /** No change is told any more. false: it was over already. */
  unmonitorRemote (number) {
    const token = this.#watches.get(number)
    if (token === undefined) return false
    this.#watches.delete(number)
    const was = this._calls.meshUnwatch(number)
    this._forget(token)
    return was
  }
}

module.exports = { Mesh }
