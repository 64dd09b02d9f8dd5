import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lives } from './lifetimes.mjs'

// `make lifetimes-node` lives a hundred more.
const COUNT = process.env.LD_PRELOAD ? 10 : 24

test('processes live in every order of create, swap, crash and end, and end as they should', async () => {
  assert.deepEqual(await lives(1, COUNT), [])
})
