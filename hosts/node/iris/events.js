'use strict'

const LIMIT = 65536

/** Of a path: * is a part of a name, ** is any. */
function matcher (pattern) {
  if (pattern === undefined || pattern === null || pattern === '**' || pattern === '/**') return () => true
  const words = { '**': '.*', '*': '[^/]*' }
  const parts = String(pattern).split(/(\*\*|\*)/).map(part => words[part] ?? part.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
  const expression = new RegExp(`^${parts.join('')}$`, 's')
  return path => expression.test(path)
}

/** What happens in a runtime, from here on until it is closed, for `for await`. It holds the last 65,536 that nobody has
 * taken, and counts the others in `dropped`. */
class Events {
  #from
  #listener
  #signal
  #end
  #kept = []
  #head = 0
  #waiting = []
  #error = null
  dropped = 0
  closed = false

  constructor (from, { pattern, signal } = {}) {
    const matches = matcher(pattern)
    signal?.throwIfAborted()
    this.#from = from
    this.#signal = signal
    this.#listener = event => { if (matches(event.path)) this.#add(event) }
    this.#end = () => this.#close(signal?.aborted ? signal.reason : null)
    from.on('event', this.#listener)
    from.on('end', this.#end)
    signal?.addEventListener('abort', this.#end)
  }

  #add (event) {
    const waiter = this.#waiting.shift()
    if (waiter) return waiter.resolve({ value: event, done: false })
    if (this.#kept.length - this.#head === LIMIT) {
      this.#take()
      this.dropped++
    }
    this.#kept.push(event)
  }

  #take () {
    const event = this.#kept[this.#head]
    this.#kept[this.#head++] = undefined
    if (this.#head * 2 > this.#kept.length) {
      this.#kept.splice(0, this.#head)
      this.#head = 0
    }
    return event
  }

  #close (error) {
    if (this.closed) return
    this.closed = true
    this.#error = error
    this.#from.off('event', this.#listener)
    this.#from.off('end', this.#end)
    this.#signal?.removeEventListener('abort', this.#end)
    for (const waiter of this.#waiting.splice(0)) this.#over().then(waiter.resolve, waiter.reject)
  }

  #over () {
    const error = this.#error
    this.#error = null // it is told once
    return error === null ? Promise.resolve({ value: undefined, done: true }) : Promise.reject(error)
  }

  next () {
    if (this.#error) return this.#over()
    if (this.#head < this.#kept.length) return Promise.resolve({ value: this.#take(), done: false })
    return this.closed ? this.#over() : new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** No event comes any more. */
  close () { this.#close(null) }

  return (value) {
    this.close()
    return Promise.resolve({ value, done: true })
  }

  [Symbol.asyncIterator] () { return this }
}

module.exports = { Events }
