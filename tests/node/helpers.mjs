import { createRequire } from 'node:module'
import { spawn } from 'node:child_process'
import { afterEach } from 'node:test'

const require = createRequire(import.meta.url)
export const iris = require(process.env.IRIS_NODE ?? '../../build/release/lib/iris/node')

const opened = []

/** A runtime that is closed when this test is over. */
export function runtime (options) {
  const rt = new iris.NodeRuntime(options)
  opened.push(rt)
  return rt
}

afterEach(async () => {
  while (opened.length) await opened.pop().close()
})

/** Until test() is true; the test's own timeout is what ends it else. */
export async function eventually (test) {
  while (!(await test())) await new Promise(resolve => setTimeout(resolve, 1))
}

/** An actor that keeps what it gets, as texts. */
export function collector (rt, options = {}) {
  const got = []
  return { got, pid: rt.spawn(message => { got.push(message.toString()) }, options) }
}

/** What a program of its own prints, and how it ends. */
export function runNode (source, ...flags) {
  const program = `const iris = require(${JSON.stringify(process.env.IRIS_NODE ?? 'iris-runtime')})\n${source}`
  const child = spawn(process.execPath, [...flags, '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.on('data', text => { out += text })
  child.stderr.on('data', text => { err += text })
  return new Promise(resolve => child.on('close', (code, signal) => resolve({ code: code ?? signal, out, err })))
}
