'use strict'

/** Runtime.supervisor(path): the calls of a path supervisor, as an object. */
class Supervisor {
  #runtime
  #pidOf

  constructor (runtime, pidOf, path, strategy, intensity, period) {
    runtime.createPathSupervisor(path, strategy, intensity, period)
    this.#runtime = runtime
    this.#pidOf = pidOf
    this.path = path
    this.strategy = strategy
  }

  /** The actor begins again, with the same pid, when it crashes. target: a pid, a path or a name. */
  watch (target) { this.#runtime.pathSupervisorWatch(this.path, this.#pidOf(target)) }

  /** Whenever the actor ends, factory() makes another one, and gives its pid, or a promise of it. */
  supervise (target, factory) {
    this.#runtime.pathSuperviseWithFactory(this.path, this.#pidOf(target), factory, this.strategy)
  }

  /** The pids that it watches. */
  get children () { return this.#runtime.pathSupervisorChildren(this.path) }

  /** Its actors live on, supervised no more. */
  remove () { this.#runtime.removePathSupervisor(this.path) }
}

module.exports = { Supervisor }
