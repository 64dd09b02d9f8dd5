// Pull actors take their messages themselves, and wait for them without holding up anybody.
import { Runtime } from 'iris-runtime'

const rt = new Runtime()
const waiter = rt.spawnWithMailbox(async mailbox => {
  console.log('order:', String(await mailbox.recv()))
  const served = await mailbox.selectiveRecv(msg => String(msg) === 'served', 5)
  console.log('in time:', served !== null)
  console.log('what came before:', String(await mailbox.recv()))
})
for (const word of ['tea', 'hurry', 'served']) rt.send(waiter, word)
await rt.join(waiter)

let got = 0
const pids = Array.from({ length: 1000 }, () => rt.spawnWithMailbox(async mailbox => {
  await mailbox.recv()
  got++
}))
for (const pid of pids) rt.send(pid, 'go')
await Promise.all(pids.map(pid => rt.join(pid)))
console.log('a thousand pull actors got', got)
