'use strict'
// A handler file becomes a module of its own each time it is loaded, of just the bytes that the core has read. Such a
// module is nobody's but its version's: it is collected with it. What it imports: see live.js.
const live = require('./live.js')
const { CALL, CLASS, PULL, hasHandler, isClass } = require('./engine.js')
const { Refusal, describe } = require('./errors.js')

function find (exports, symbol) {
  return symbol.split('.').reduce((at, name) => at?.[name], exports)
}

/** A pull handler is told by the name of its argument. */
function isPull (handler) {
  return handler.length === 1 && !isClass(handler) &&
    /^(?:async\s+)?(?:function\b[^(]*)?\(?\s*mailbox\b/.test(Function.prototype.toString.call(handler))
}

function kindOf (handler) {
  return hasHandler(handler) ? CLASS : isPull(handler) ? PULL : CALL
}

function handlerOf (file, exports, symbol) {
  const handler = find(exports, symbol)
  if (typeof handler === 'function' && (hasHandler(handler) || !isClass(handler))) return handler
  if (isClass(handler)) throw new Refusal(`${file}: class ${symbol} has no onMessage(message)`)
  const has = Object.keys(exports).filter(name => typeof exports[name] === 'function')
  throw new Refusal(`${file}: it has no "${symbol}" that can be called; it has: ${has.join(', ') || 'nothing that can be called'}`)
}

function versionOf (exports) {
  return typeof exports.version === 'string' ? exports.version : ''
}

/** A function of a swap's "migrate"; it is no handler. */
function migrationOf (file, exports, symbol) {
  const migrate = find(exports, symbol)
  if (typeof migrate === 'function') return migrate
  throw new Refusal(`${file}: it has no function "${symbol}" that migrates a state; expected ${symbol}(saved, from)`)
}

function define (runtime, file, exports, symbol, isMigration) {
  if (isMigration) return runtime._defineMigration(migrationOf(file, exports, symbol ?? 'migrate'), symbol ?? 'migrate')
  const name = symbol ?? (typeof exports.onMessage === 'function' || !exports.default ? 'onMessage' : 'default')
  const handler = handlerOf(file, exports, name)
  return runtime._defineLoaded(handler, kindOf(handler), name, exports, versionOf(exports))
}

async function loadHandler (runtime, file, symbol, code, ms, isMigration) {
  live.renew()
  const { exports, uses } = live.isModule(file) ? await live.loadModule(file, code, ms) : live.loadCommon(file, code, ms)
  const number = define(runtime, file, exports, symbol, isMigration)
  live.remember(runtime._calls, number, file, uses)
  return number
}

module.exports = (runtime, file, symbol, code, config, ms, isMigration, told) => {
  loadHandler(runtime, file, symbol, code, ms, isMigration).then(told, error => {
    told(-1, error instanceof Refusal ? error.text : describe(error).replaceAll('file://', ''))
  })
}
module.exports.forget = live.forget
module.exports.endLoads = live.endLoads
