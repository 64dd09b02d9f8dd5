'use strict'
// Modules of handlers, and what these import, where that is the app's own (not below node_modules): each is loaded
// once, and anew by the next load of a handler when its file, or that of one that it imports, holds other bytes. What
// runs keeps those it has. CommonJS is node's; ES modules are made here, since node forgets none that it has imported.
const Module = require('node:module')
const fs = require('node:fs')
const path = require('node:path')
const vm = require('node:vm')
const { fileURLToPath, pathToFileURL } = require('node:url')
const native = require('./native.js')
const { Refusal } = require('./errors.js')

const modules = new Map() // file of an ES module -> { module, text, uses: files }
const texts = new Map() // file -> its text, as require() has read it
const entries = new WeakMap() // module -> what modules has of it
const roots = new Map() // number of a handler -> { calls, uses(): files, told: files }

const isOwn = file => !file.includes('/node_modules/') && !file.startsWith(__dirname + path.sep)

// ---- what uses what ----

for (const ending of ['.js', '.json']) {
  const load = Module._extensions[ending]
  Module._extensions[ending] = function (module, file) {
    if (isOwn(file)) note(file)
    return load.call(this, module, file)
  }
}

function note (file) {
  try {
    texts.set(file, fs.readFileSync(file, 'utf8'))
  } catch {} // require() says why
  tellSoon()
}

const childrenOf = module => module ? module.children.map(child => child.filename).filter(file => texts.has(file)) : []

const usesOf = file => modules.get(file)?.uses ?? childrenOf(Module._cache[file])

/** These files, and all that they use. */
function closure (files) {
  const all = new Set(files)
  for (const file of all) for (const one of usesOf(file)) all.add(one) // it grows while it is gone over
  return all
}

function tell (number, { calls, uses, told }) {
  for (const file of closure(uses())) {
    if (!told.has(file)) calls.uses(number, file)
    told.add(file)
  }
}

let tells = false

/** What is required or imported later, by a handler that runs. */
function tellSoon () {
  if (tells) return
  tells = true
  setImmediate(() => {
    tells = false
    for (const [number, root] of roots) tell(number, root)
  })
}

/** From here on the version of this number is known to be made of these files. */
function remember (calls, number, file, uses) {
  const root = { calls, uses: () => [file, ...uses()], told: new Set() }
  roots.set(number, root)
  tell(number, root)
}

const forget = number => roots.delete(number)

// ---- what has changed ----

function hasChanged (file) {
  const text = modules.get(file)?.text ?? texts.get(file)
  try {
    return fs.readFileSync(file, 'utf8') !== text
  } catch {
    return true
  }
}

/** Forgets what has changed, and who uses that. */
function renew () {
  const known = [...modules.keys(), ...texts.keys()]
  const stale = new Set(known.filter(hasChanged))
  for (let before = -1; before !== stale.size;) {
    before = stale.size
    for (const file of known) if ([...usesOf(file)].some(one => stale.has(one))) stale.add(file)
  }
  for (const file of stale) {
    modules.delete(file)
    texts.delete(file)
    delete Module._cache[file]
  }
  if (!stale.size) return
  for (const module of Object.values(Module._cache)) {
    module.children = module.children.filter(child => !stale.has(child.filename))
  }
}

// ---- what does not end ----

const RUN = Symbol.for('iris.run')
const runner = new vm.Script("globalThis[Symbol.for('iris.run')]()")

const late = (file, ms) => new Refusal(
  `${file}: it has not been run to its end within ${ms / 1000} s (hosts.node.load_limit): a loop, or an await at its top, does not end`)

const ended = file => new Refusal(`${file}: its load was ended: the app is stopping`)

/** Calls it; endLoads() of the compiled half terminates it. */
function guarded (work, file, ms) {
  try {
    return native.runtime._calls.guard(work)
  } catch (error) {
    if (error?.code === 'IRIS_ENDED') throw ended(file)
    throw error?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? late(file, ms) : error
  }
}

function runTimed (work, ms) {
  globalThis[RUN] = work
  try {
    return runner.runInThisContext({ timeout: ms })
  } finally {
    delete globalThis[RUN]
  }
}

/** Calls it; what is not back after so many ms is terminated. 0: nothing is. */
const timed = (work, file, ms) => guarded(ms ? () => runTimed(work, ms) : work, file, ms)

const waiting = new Set() // ends one wait each

function endLoads () {
  for (const end of waiting) end()
}

async function awaited (promise, file, ms) {
  let end, timer
  const over = new Promise((resolve, reject) => {
    waiting.add(end = () => reject(ended(file)))
    if (ms) timer = setTimeout(() => reject(late(file, ms)), ms)
  })
  try {
    return await Promise.race([promise, over])
  } finally {
    clearTimeout(timer)
    waiting.delete(end)
  }
}

// ---- CommonJS ----

function loadCommon (file, code, ms) {
  const module = new Module(file, null)
  module.filename = file
  module.paths = Module._nodeModulePaths(path.dirname(file))
  timed(() => module._compile(code, file), file, ms)
  module.loaded = true
  return { exports: module.exports, uses: () => childrenOf(module) }
}

/** As an ES module sees it. */
function wrapCommon (file) {
  const exports = timed(() => Module.createRequire(file)(file), file, limit)
  const names = exports && /^(object|function)$/.test(typeof exports) && !file.endsWith('.json') ? Object.keys(exports) : []
  return new vm.SyntheticModule([...new Set(['default', ...names])], function () {
    for (const name of names) this.setExport(name, exports[name])
    this.setExport('default', exports)
  })
}

// ---- ES modules ----

/** Whether a file is an ES module: as node tells. */
function isModule (file) {
  if (file.endsWith('.mjs')) return true
  if (/\.(cjs|json)$/.test(file)) return false
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')).type === 'module'
    } catch (error) {
      if (error.code !== 'ENOENT' || dir === path.dirname(dir)) return false
    }
  }
}

const wrapped = new WeakMap() // a namespace -> the module that stands for it
let resolver = null
let limit = 0 // ms: of the load that was last

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

/** The file that is ours to load; null: node loads it, or says why it cannot. */
function ownFile (url) {
  if (!url.startsWith('file:') || /[?#]/.test(url)) return null
  const file = fileURLToPath(url)
  return isOwn(file) && /\.(mjs|cjs|js|json)$/.test(file) && fs.statSync(file, { throwIfNoEntry: false })?.isFile() ? file : null
}

/** What a module means by a specifier. */
async function bring (specifier, { file, uses }) {
  if (specifier === 'iris' || specifier === 'iris-runtime') return await standIn(await import('./index.mjs'))
  const url = await locate(specifier, pathToFileURL(file).href)
  const own = ownFile(url)
  if (!own) return await standIn(await import(url))
  uses.add(own)
  if (!isModule(own)) return wrapCommon(own)
  if (!modules.has(own)) modules.set(own, make(own, fs.readFileSync(own, 'utf8')))
  return modules.get(own).module
}

const link = (specifier, from) => bring(specifier, entries.get(from))

async function bringLate (specifier, entry) {
  const module = await bring(specifier, entry)
  tellSoon()
  try {
    if (module.status === 'unlinked') await module.link(link)
    if (module.status === 'linked') await module.evaluate()
  } catch (error) {
    for (const file of closure([entries.get(module)?.file])) if (modules.get(file)?.module.status !== 'evaluated') modules.delete(file)
    throw error
  }
  return module
}

/** A syntax error that says where it is: node knows, and does not tell. */
function placed (error, file, code) {
  const where = error instanceof SyntaxError ? native.where(code) : null
  return where ? new Refusal(`SyntaxError: ${error.message}\n    at ${file}:${where[0]}\n      ${where[1].trim()}`) : error
}

function make (file, text) {
  const url = pathToFileURL(file).href
  const entry = { file, text, uses: new Set(), module: null }
  try {
    entry.module = new vm.SourceTextModule(text, {
      identifier: url,
      initializeImportMeta: meta => Object.assign(meta, {
        url, filename: file, dirname: path.dirname(file), resolve: specifier => new URL(specifier, url).href
      }),
      importModuleDynamically: specifier => bringLate(specifier, entry)
    })
  } catch (error) {
    throw placed(error, file, text)
  }
  entries.set(entry.module, entry)
  return entry
}

async function evaluate (module, file, ms) {
  try {
    await awaited(guarded(() => module.evaluate(ms ? { timeout: ms } : {}), file, ms), file, ms)
  } catch (error) {
    throw error?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT' ? late(file, ms) : error
  }
}

async function loadModule (file, code, ms) {
  const before = new Set(modules.keys())
  limit = ms
  try {
    const { module, uses } = make(file, code)
    await awaited(module.link(link), file, ms)
    await evaluate(module, file, ms)
    return { exports: module.namespace, uses: () => uses }
  } catch (error) { // what it brought is in no state to be used by others
    for (const own of modules.keys()) if (!before.has(own)) modules.delete(own)
    throw error
  }
}

module.exports = { isModule, loadCommon, loadModule, renew, remember, forget, endLoads }
