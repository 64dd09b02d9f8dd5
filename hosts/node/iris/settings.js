'use strict'
// What `iris run` starts this environment with: `hosts.node` of the manifest, as JSON.
const Module = require('node:module')
const native = require('./native.js')

/** "KEY: why", which the launcher shows at that key of the manifest. */
class Refused extends Error {}

function checkOptions (options) {
  const wrong = Object.keys(options).find(name => !name.startsWith('//') && !name.startsWith('x-'))
  if (wrong) throw new Refused(`options.${wrong}: unknown option; this host has none`)
}

/** Directories with packages in them, behind the node_modules of the handlers; node reads them from the environment. */
function search (directories) {
  const before = process.env.NODE_PATH
  process.env.NODE_PATH = [...directories, before].filter(Boolean).join(':')
  Module._initPaths()
  if (before === undefined) delete process.env.NODE_PATH
  else process.env.NODE_PATH = before
}

/** { refused: null, or why not; instances: of this environment, with a thread each }. */
function start (config) {
  const settings = config ? JSON.parse(config) : {}
  try {
    if (settings.venv) throw new Refused('venv: that is Python\'s; packages of Node are found in node_modules, or in "search"')
    checkOptions(settings.options ?? {})
    if (settings.cwd && !native.chdir(settings.cwd)) throw new Refused(`cwd: ${settings.cwd} is no directory that can be entered`)
  } catch (error) {
    if (error instanceof Refused) return { refused: error.message, instances: 1 }
    throw error
  }
  Object.assign(process.env, settings.env)
  if (settings.search) search(settings.search)
  return { refused: null, instances: settings.instances ?? 1 }
}

module.exports = { start }
