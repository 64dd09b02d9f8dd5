// Two actors: one changes what it gets and sends it on, the other prints it.
import { Runtime } from 'iris-runtime'

const rt = new Runtime()
const printer = rt.spawn(msg => console.log('printer got', msg.toString()))
const shout = rt.spawn(msg => { rt.send(printer, msg.toString().toUpperCase()) })
for (const word of ['one', 'two', 'three']) rt.send(shout, word)
