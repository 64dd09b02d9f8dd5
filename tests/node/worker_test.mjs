import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { runtime, eventually } from './helpers.mjs'

/** A worker that runs this, with iris at hand; its messages, and how it ended. */
function work (source) {
  const program = `const iris = require(${JSON.stringify(process.env.IRIS_NODE)})
    const { parentPort } = require('node:worker_threads')\n${source}`
  const worker = new Worker(program, { eval: true })
  const told = []
  worker.on('message', message => told.push(message))
  return { worker, told, end: new Promise(resolve => worker.on('exit', resolve)) }
}

test('a worker has a runtime of its own, which ends with it', async () => {
  const rt = runtime()
  const mine = rt.spawn(message => message)
  const workers = Array.from({ length: 3 }, (_, i) => work(`
    const rt = new iris.NodeRuntime()
    const pid = rt.spawn(m => 'worker ${i}: ' + m)
    rt.ask(pid, 'x').then(answer => parentPort.postMessage(String(answer)))`))
  for (const [i, { end, told }] of workers.entries()) {
    assert.equal(await end, 0)
    assert.deepEqual(told, [`worker ${i}: x`])
  }
  assert.equal(String(await rt.ask(mine, 'still here')), 'still here')
})

test('a worker that is terminated takes its actors along, whatever they do', async () => {
  for (const busy of ['m => { for (;;); }', 'm => { rt.send(pid, m) }', 'async m => { await new Promise(() => {}) }']) {
    const { worker, told, end } = work(`
      const rt = new iris.NodeRuntime()
      const pid = rt.spawn(${busy})
      parentPort.postMessage('ready')
      rt.send(pid, 'x')
      setInterval(() => {}, 1000)`)
    await eventually(() => told.length)
    await worker.terminate()
    assert.equal(await end, 1)
  }
})
