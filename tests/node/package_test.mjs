import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { iris } from './helpers.mjs'

const types = readFileSync(`${process.env.IRIS_NODE}/index.d.ts`, 'utf8')

/** What a class declares in index.d.ts. */
function declared (name) {
  const body = types.match(new RegExp(`export class ${name} [^{]*\\{\\n([\\s\\S]*?)\\n\\}`))[1]
  return new Set([...body.matchAll(/^ {2}(?:readonly )?([a-zA-Z_]+)(?:\?)?(?: \(|:)/gm)].map(found => found[1])
    .filter(word => word !== 'constructor' && word !== 'private'))
}

/** What its objects have. */
function real (object, Class) {
  const own = Object.keys(object).filter(key => !key.startsWith('_'))
  const names = []
  for (let p = Class.prototype; p !== Object.prototype; p = Object.getPrototypeOf(p)) names.push(...Object.getOwnPropertyNames(p))
  const inherited = names.filter(key => key !== 'constructor' && !key.startsWith('_'))
  return new Set([...own, ...inherited])
}

test('the types name each call of a runtime and of a mailbox, and no other', async () => {
  const rt = new iris.NodeRuntime()
  assert.deepEqual([...declared('NodeRuntime')].sort(), [...real(rt, iris.NodeRuntime)].sort())
  let mailbox
  await rt.join(rt.spawnWithMailbox(given => { mailbox = given }))
  assert.deepEqual([...declared('JsMailbox')].sort(), [...real(mailbox, iris.JsMailbox)].sort())
  await rt.close()
})

test('each call is in the test of types', { skip: !process.env.SRC }, () => {
  const used = readFileSync(`${process.env.SRC}/tests/node/types/types_test.ts`, 'utf8')
  for (const Class of ['NodeRuntime', 'JsMailbox']) {
    for (const name of declared(Class)) assert.match(used, new RegExp(`\\.${name}\\b`), name)
  }
})

test('what is exported is what the types say, for import and require', async () => {
  const names = [...types.matchAll(/^export (?:class|function) ([A-Za-z]+)/gm)].map(found => found[1]).concat('Runtime')
  assert.deepEqual(Object.keys(iris).sort(), names.sort())
  const module = await import(`${process.env.IRIS_NODE}/index.mjs`)
  for (const name of names) assert.equal(module[name], iris[name], name)
  assert.equal(iris.Runtime, iris.NodeRuntime)
})
