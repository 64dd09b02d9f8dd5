'use strict'
// What an environment under `iris run` begins with. Signals, exits and faults of the process are not its own.
const Module = require('node:module')
const path = require('node:path')
const native = require('./native.js')
const { Exit } = require('./errors.js')
const { NodeRuntime } = require('./runtime.js')
const load = require('./load.js')
const settings = require('./settings.js')

const WARN = 3
const ERROR = 4

// ---- require('iris') is this very package ----

const resolve = Module._resolveFilename
Module._resolveFilename = function (request, ...rest) {
  return request === 'iris' || request === 'iris-runtime' ? path.join(__dirname, 'index.js') : resolve.call(this, request, ...rest)
}

// ---- what would end the process, or change what it does with signals ----

process.exit = process.reallyExit = code => { throw new Exit(Number(code ?? process.exitCode ?? 0)) }
process.abort = () => { throw new Exit('abort') }

const emitWarning = process.emitWarning
process.emitWarning = (warning, ...rest) => {
  const type = typeof rest[0] === 'object' ? rest[0]?.type : rest[0]
  if (type !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest)
}

for (const name of ['on', 'addListener', 'once', 'prependListener', 'prependOnceListener']) {
  const add = process[name]
  process[name] = function (event, listener) {
    if (typeof event !== 'string' || !event.startsWith('SIG')) return add.call(this, event, listener)
    calls.log(WARN, `process.${name}('${event}') does nothing here: signals are the iris program's`)
    return this
  }
}

const { refused, instances } = settings.start(native.config)
const runtime = new NodeRuntime()
const calls = runtime._calls

/** A throw or a rejection that nobody catches is the end of the actor in whose name it happened. */
function onFault (error) {
  if (!runtime._blame(error)) calls.log(ERROR, `uncaught, by no actor: ${require('./errors.js').describe(error)}`)
}

process.on('uncaughtException', onFault)
process.on('unhandledRejection', onFault)

native.load = load
native.ready(refused, instances)
