'use strict'
// A handler file becomes a module of its own each time it is loaded, of just the bytes that the core has read.
// What it imports is node's own business, and cached as anywhere. Such a module is nobody's but its version's:
// it is collected with it, unlike what import() of a new query would leave behind.
const Module = require('node:module')
const fs = require('node:fs')
const path = require('node:path')
const vm = require('node:vm')
const { pathToFileURL } = require('node:url')
const native = require('./native.js')
const { CALL, CLASS, PULL, hasHandler, isClass } = require('./engine.js')
const { describe } = require('./errors.js')

/** Whether a file is an ES module: as node tells. */
function isModule (file) {
  if (file.endsWith('.mjs')) return true
  if (file.endsWith('.cjs')) return false
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')).type === 'module'
    } catch (error) {
      if (error.code !== 'ENOENT' || dir === path.dirname(dir)) return false
    }
  }
}

function loadCommon (file, code) {
  const module = new Module(file, null)
  module.filename = file
  module.paths = Module._nodeModulePaths(path.dirname(file))
  module._compile(code, file)
  module.loaded = true
  return module.exports
}

// ---- ES modules ----

const wrapped = new WeakMap() // a namespace -> the module that stands for it
let resolver = null

async function locate (specifier, from) {
  if (Module.isBuiltin(specifier)) return specifier
  if (/^(\.{0,2}\/|[a-z]+:)/.test(specifier)) return new URL(specifier, from).href
  resolver ??= await import('./resolve.mjs')
  try {
    return await resolver.resolve(specifier, from)
  } catch (error) {
    const found = findInSearch(specifier)
    if (found) return pathToFileURL(found).href
    throw error
  }
}

/** import knows nothing of "search" (settings.js), and require does. */
function findInSearch (specifier) {
  try {
    return require.resolve(specifier)
  } catch {
    return null
  }
}

async function bring (specifier, from) {
  if (specifier === 'iris' || specifier === 'iris-runtime') return await import('./index.mjs')
  return await import(await locate(specifier, from))
}

async function standIn (namespace) {
  const before = wrapped.get(namespace)
  if (before) return before
  const names = Object.keys(namespace)
  const module = new vm.SyntheticModule(names, function () {
    for (const name of names) this.setExport(name, namespace[name])
  })
  wrapped.set(namespace, module)
  return module
}

/** A syntax error that says where it is: node knows, and does not tell. */
function placed (error, file, code) {
  const where = error instanceof SyntaxError ? native.where(code) : null
  return where ? new Refusal(`SyntaxError: ${error.message}\n    at ${file}:${where[0]}\n      ${where[1].trim()}`) : error
}

async function loadModule (file, code) {
  try {
    return await runModule(file, pathToFileURL(file).href, code)
  } catch (error) {
    throw placed(error, file, code)
  }
}

async function runModule (file, url, code) {
  const module = new vm.SourceTextModule(code, {
    identifier: url,
    initializeImportMeta: meta => Object.assign(meta, {
      url, filename: file, dirname: path.dirname(file), resolve: specifier => new URL(specifier, url).href
    }),
    importModuleDynamically: specifier => bring(specifier, url)
  })
  await module.link(async specifier => await standIn(await bring(specifier, url)))
  await module.evaluate()
  return module.namespace
}

// ---- the handler in it ----

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

/** A sentence, without a stack. */
class Refusal {
  constructor (text) { this.text = text }
}

function versionOf (exports) {
  return typeof exports.version === 'string' ? exports.version : ''
}

async function loadHandler (runtime, file, symbol, code) {
  const exports = isModule(file) ? await loadModule(file, code) : loadCommon(file, code)
  const name = symbol ?? (typeof exports.onMessage === 'function' || !exports.default ? 'onMessage' : 'default')
  const handler = handlerOf(file, exports, name)
  return runtime._defineLoaded(handler, kindOf(handler), name, exports, versionOf(exports))
}

module.exports = (runtime, file, symbol, code, config, told) => {
  loadHandler(runtime, file, symbol, code).then(told, error => {
    told(-1, error instanceof Refusal ? error.text : describe(error).replaceAll('file://', ''))
  })
}
