// New code for an actor that runs: what was sent before is the old code's, what is sent after the new one's.
import { Runtime } from 'iris-runtime'

const OldPrice = class Price {
  sold = 0
  onMessage () { return `${++this.sold} sold, 10 each` }
}
const NewPrice = class Price { // the same name: the object stays
  onMessage () { return `${++this.sold} sold, now 8 each` }
}

const rt = new Runtime()
const pid = rt.spawn(OldPrice)
console.log(String(await rt.ask(pid, '')))
console.log('version', await rt.swap(pid, NewPrice))
console.log(String(await rt.ask(pid, '')))
console.log('version', await rt.rollback(pid))
console.log(String(await rt.ask(pid, '')))
