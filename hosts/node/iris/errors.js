'use strict'

/** What Iris refuses. `code` says what it was. */
class IrisError extends Error {
  constructor (message, code = 'IRIS_ERROR') {
    super(message)
    this.code = code
  }

  get name () { return this.constructor.name }
}

class NoSuchActor extends IrisError {
  constructor (message) { super(message, 'IRIS_NO_SUCH_ACTOR') }
}

class MailboxFull extends IrisError {
  constructor (message) { super(message, 'IRIS_MAILBOX_FULL') }
}

class SwapRejected extends IrisError {
  constructor (message) { super(message, 'IRIS_SWAP_REJECTED') }
}

/** The node cannot be reached, or there is no link to it now. */
class NodeDown extends IrisError {
  constructor (message) { super(message, 'IRIS_NODE_DOWN') }
}

class TimeoutError extends IrisError {
  constructor (message) { super(message, 'IRIS_TIMEOUT') }
}

/** What process.exit() throws inside a handler under `iris run`: it is that actor's end, not the program's. */
class Exit {
  constructor (code) { this.code = code }
}

/** A sentence, without a stack. */
class Refusal {
  constructor (text) { this.text = text }
}

/** What went wrong, then where; the frames of Iris itself are left out. */
function describe (error) {
  if (error instanceof Exit) return `process.exit(${error.code})`
  if (!(error instanceof Error)) return `threw ${inspect(error)}`
  const what = `${error.name}: ${error.message}`
  const stack = typeof error.stack === 'string' ? error.stack : what
  const lines = stack.split('\n').filter(line => !line.includes(__dirname) && !/^ +at .*node:(internal\/|async_hooks)/.test(line))
  const text = lines.join('\n').trimEnd()
  return text.startsWith(what.split('\n')[0]) ? text : `${what}\n${text}`
}

function inspect (value) {
  try {
    return require('node:util').inspect(value, { depth: 1, breakLength: Infinity })
  } catch {
    return typeof value
  }
}

module.exports = { IrisError, NoSuchActor, MailboxFull, NodeDown, SwapRejected, TimeoutError, Exit, Refusal, describe }
