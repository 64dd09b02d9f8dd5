// Questions: what a handler returns is the answer.
import { Runtime } from 'iris-runtime'

const rt = new Runtime()
const square = rt.spawn(msg => String(Number(msg) ** 2))
console.log('an answer:', String(await rt.ask(square, '10')))
console.log('several at once:', (await Promise.all(['1', '2', '3'].map(n => rt.ask(square, n)))).join(' '))

const further = rt.spawn(async msg => String(Number(await rt.ask(square, msg)) + 5)) // it waits, others do not
console.log('through another actor:', String(await rt.ask(further, '8')))

const silent = rt.spawn(() => {})
await rt.ask(silent, '?', 0.01).catch(error => console.log('in time:', error.code))
