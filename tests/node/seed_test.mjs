// The examples that people know from the original, as programs that require('./index.js'): each prints what its
// text says.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const dir = mkdtempSync(join(tmpdir(), 'iris-seed-'))
writeFileSync(join(dir, 'index.js'), `module.exports = require(${JSON.stringify(process.env.IRIS_NODE)})\n`)
after(() => rmSync(dir, { recursive: true }))
let count = 0

async function prints (source, wanted) {
  const file = join(dir, `${++count}.js`)
  writeFileSync(file, `const { NodeRuntime } = require('./index.js');\nconst rt = new NodeRuntime();\n${source}`)
  const [code, out, err] = await new Promise(resolve =>
    execFile(process.execPath, [file], { maxBuffer: 1 << 24 }, (error, out, err) => resolve([error?.code ?? 0, out, err])))
  assert.deepEqual([code, err], [0, ''])
  assert.deepEqual(out.trimEnd().split('\n'), wanted)
}

test('a thousand push actors', () => prints(`
const worker = (msg) => { console.log('done ' + msg.toString()); };
const pids = [];
for (let i = 0; i < 1000; i++) pids.push(rt.spawn(worker, 50));
pids.forEach((pid, i) => rt.send(pid, Buffer.from(String(i))));
`, Array.from({ length: 1000 }, (_, i) => `done ${i}`)))

test('a pull actor awaits, and times out', () => prints(`
const saga = async (mailbox) => {
    const msg = await mailbox.recv();
    console.log('begins ' + msg);
    const confirm = await mailbox.recv(5.0);
    console.log(confirm ? 'confirmed' : 'timed out');
    console.log(await mailbox.recv(0.01));
};
const pid = rt.spawnWithMailbox(saga, 100);
rt.send(pid, Buffer.from('order'));
rt.send(pid, Buffer.from('yes'));
`, ['begins order', 'confirmed', 'null']))

test('the registry, and no other node', () => prints(`
const pid = rt.spawn(() => {});
rt.register('auth_worker', pid);
console.log(rt.resolve('auth_worker') === pid, rt.whereis('nobody'));
async function findAndQuery() {
    try {
        const target = await rt.resolveRemote('127.0.0.1:1', 'auth_worker');
        if (target) rt.sendRemote('127.0.0.1:1', target, Buffer.from('login'));
    } catch (error) { console.log(error.code); }
}
findAndQuery();
`, ['true null', 'IRIS_NODE_DOWN']))

test('paths', () => prints(`
const pid = rt.spawn(() => {}, 10);
rt.registerPath('/system/service/one', pid);
const children = rt.listChildren('/system/service');
console.log(children.length, children[0][0], children[0][1] === pid, rt.listChildrenDirect('/system').length);
rt.watchPath('/system/service');
console.log(rt.childPids()[0] === pid, rt.childrenCount());
`, ['1 /system/service/one true 0', 'true 1']))

test('structured system messages', () => prints(`
rt.on('event', () => {});
const observerPid = rt.spawnObservedHandler(10);
const crashes = rt.spawn(() => { throw new Error('oh'); });
rt.link(observerPid, crashes);
rt.send(observerPid, Buffer.from('hello'));
const kept = () => rt.getMessages(observerPid).length ? rt.send(crashes, Buffer.from('')) : setTimeout(kept, 1); // an EXIT overtakes
kept();
const look = () => {
    const messages = rt.getMessages(observerPid);
    if (messages.length < 2) return setTimeout(look, 1);
    messages.forEach(msg => {
        if (msg.system) {
            if (msg.system.typeName === 'EXIT') {
                console.log(msg.system.targetPid === crashes, msg.system.fromPid === crashes, msg.system.reason);
                console.log(msg.system.metadata.split('\\n')[0]);
            }
        } else {
            console.log('User Data: ' + msg.data.toString());
        }
    });
};
look();
`, ['User Data: hello', 'true true Crash', 'Error: oh']))

test('a hot swap is in order', () => prints(`
const pid = rt.spawn(() => console.log('Logic A'), 10);
rt.send(pid, Buffer.from('test'));
rt.hotSwap(pid, () => console.log('Logic B (Upgraded!)'));
rt.send(pid, Buffer.from('test'));
`, ['Logic A', 'Logic B (Upgraded!)']))

test('a bounded mailbox, introspection and timers', () => prints(`
const got = [];
const pid = rt.spawn_bounded(m => { got.push(m.toString()); }, 2, 100);
console.log(rt.send(pid, Buffer.from('one')), rt.send(pid, Buffer.from('two')), rt.send(pid, Buffer.from('three')));
console.log(rt.mailboxSize(pid), rt.mailboxSize(4711));
const cancelled = rt.sendAfter(pid, 60000, Buffer.from('never'));
console.log(rt.cancelTimer(cancelled));
rt.sendAfter(pid, 5, Buffer.from('tick'));
const beat = rt.sendInterval(pid, 1000, Buffer.from('heartbeat'));
const look = () => {
    if (got.length < 4) return setTimeout(look, 1);
    rt.cancelTimer(beat);
    console.log(got.slice(0, 2).join(), got.includes('tick'), got.includes('heartbeat'));
};
look();
`, ['true true false', '2 null', 'true', 'one,two true true']))

test('children end with their parent', () => prints(`
const parent = rt.spawn(() => {});
const child = rt.spawnChild(parent, () => {});
rt.send(parent, 'quit'); // a message like any other
console.log(rt.isAlive(child));
rt.stop(parent);
rt.join(parent).then(() => console.log(rt.isAlive(child)));
`, ['true', 'false']))
