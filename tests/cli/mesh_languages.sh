#!/bin/bash
# ctest: p1.mesh_of_three_languages
# A Python program, a Node program, and an app of `iris run`: a question goes round them.
. "$SRC/tests/cli/nodes"
python=$(sed -n 's/^IRIS_PYTHON_PROGRAM:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
js=$(sed -n 's/^IRIS_NODE_PROGRAM:[A-Z]*=//p' "$BUILD/CMakeCache.txt")
[ -e "$BUILD/lib/iris/hosts/python.so" ] && [ -e "$BUILD/lib/iris/node/iris.node" ] && [ -x "$js" ] || exit 77
[ -z "$(sed -n 's/^IRIS_SANITIZE:[A-Z]*=//p' "$BUILD/CMakeCache.txt")" ] || exit 77 # wants sanitized programs

cat >ring.py <<'END'
import iris

rt = iris.Runtime()

async def on_msg(msg):
    if msg == b"node":
        return f"{rt.node} {[n['node'] for n in rt.nodes() if n['state'] == 'up']}"
    addr, _, text = msg.partition(b" ")
    pid = await rt.resolve_remote_py(addr.decode(), "echo")
    return b"run(" + await rt.ask(pid, text) + b")"
END
node run '"listen": "127.0.0.1:0"' "$(actor /ring "$PWD/ring.py:on_msg" '"name": "ring"')"
start run
where=$(address run)

cat >ring.js <<'END'
const iris = require(process.env.BUILD + '/lib/iris/node')
const rt = new iris.NodeRuntime({ mesh: { node: 'js' } })
rt.spawn(async msg => {
  const pid = await rt.resolveRemote(process.argv[2], 'ring')
  return `js(${await rt.ask(pid, msg)})`
}, { name: 'ring' })
console.log(rt.listen('127.0.0.1:0'))
END
"$js" ring.js "$where" >js.out 2>js.err &
js_pid=$!
await grep -q : js.out

cat >ring_main.py <<'END'
import iris, sys
with iris.Runtime(mesh={"node": "py"}) as rt:
    rt.register("echo", rt.spawn(lambda msg: b"py(" + msg + b")"))
    addr = rt.listen("127.0.0.1:0")
    pid = rt.resolve_remote(sys.argv[1], "ring")
    answers = {rt.ask_wait(pid, f"{addr} hello".encode(), 30) for _ in range(100)}
    print(*answers)
END
export PYTHONPATH=$BUILD/lib/iris/python
try "$python" ring_main.py "$(cat js.out)"
exits 0; says "b'js(run(py(hello)))'"
answers run /ring node "run ['js']" # py has gone
kill -TERM $js_pid
wait $js_pid 2>/dev/null
end run
finish
