// Messages a second from a JavaScript actor through a router to four instances of another, under `iris run`; all are
// counted where they were handled. A program of its own has no manifest, so no routers.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

const flood = `
import iris from 'iris'

const rt = new iris.Runtime()
const PING = Buffer.alloc(64)
let sent = 0

async function flood (n, round = 50000) {
  const router = rt.whereisPath('/crew')
  const workers = [1, 2, 3, 4].map(i => rt.whereisPath('/crew/' + i))
  const handled = () => workers.reduce((sum, pid) => sum + rt.info(pid).handled, 0)
  for (const end = sent + n; sent < end;) {
    for (let i = 0; i < round; i++) if (!rt.send(router, PING)) throw new Error('a message was not accepted')
    sent += round
    while (handled() < sent) await new Promise(resolve => setImmediate(resolve))
  }
  if (handled() !== sent) throw new Error(\`\${handled()} of \${sent} messages were handled\`)
}

async function measure () {
  await flood(200000)
  const begin = performance.now()
  await flood(1000000)
  console.log(\`figure: \${1e9 / (performance.now() - begin)}\`)
  process.kill(process.pid, 'SIGTERM')
}

export class Flood {
  constructor () { setTimeout(measure) }
  onMessage () {}
}
`

/** environments: how many there are; the instances are in them in turn. */
export function throughRouter (build, environments) {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'iris-bench-'))
  const manifest = {
    name: 'bench-router',
    hosts: { node: { instances: environments } },
    actors: [
      { path: '/crew', handler: './work.mjs', instances: 4, route: 'round_robin', budget: 256 },
      { path: '/flood', handler: './flood.mjs#Flood', depends_on: ['/crew'] }
    ]
  }
  try {
    writeFileSync(path.join(dir, 'work.mjs'), 'export const onMessage = () => {}\n')
    writeFileSync(path.join(dir, 'flood.mjs'), flood)
    writeFileSync(path.join(dir, 'app.json'), JSON.stringify(manifest))
    const env = { ...process.env, XDG_RUNTIME_DIR: dir, XDG_STATE_HOME: dir }
    const out = execFileSync(`${build}/bin/iris`, ['run'], { cwd: dir, env, encoding: 'utf8', timeout: 60000 })
    return Number(/^.*figure: (\S+)$/m.exec(out)[1])
  } finally {
    rmSync(dir, { recursive: true })
  }
}
