// What throws ends its actor, and nothing else; who is linked is told why.
import { Runtime } from 'iris-runtime'

const rt = new Runtime()
rt.on('event', () => {}) // else the crash is told on stderr too
const pid = rt.spawn(msg => String(new Array(Number(msg)).length ** 2))
const observer = rt.spawnObservedHandler()
rt.link(observer, pid)
console.log(String(await rt.ask(pid, '5')))
await rt.ask(pid, '-5').catch(() => {})
const { system } = await rt.selectiveRecv(observer, msg => msg.system, 5)
console.log(system.typeName, system.reason, system.metadata.split('\n')[0])
console.log('alive:', rt.isAlive(pid))
