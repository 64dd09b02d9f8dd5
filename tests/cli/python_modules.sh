#!/bin/bash
# ctest: python.modules_of_the_handlers_own
# Extension modules find libpython, though the host was loaded for itself alone; `import iris` is the runtime.
. "$SRC/tests/cli/live"
[ -e "$BUILD/lib/iris/hosts/python.so" ] || exit 77
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # what ssl and numpy leave behind is not ours
cat >mods.py <<'END'
import _ctypes, asyncio, decimal, json, sqlite3, ssl, zlib
import iris

rt = iris.Runtime()
try:
    import numpy
except ImportError:
    numpy = None

def total(msg):
    if numpy is None: return b"10"
    return str(numpy.frombuffer(msg, numpy.uint8).sum() - 4 * 48)

def forward(msg):
    rt.send_named("sink", msg + b" by %d" % rt.self())

def pull(mailbox):
    for msg in mailbox:
        if isinstance(msg, iris.PySystemMessage): return
        rt.send_named("sink", b"pulled " + msg)

async def wait(msg):
    await asyncio.sleep(0.001)
    return b"awaited " + msg

class Sink:
    def __init__(self): self.last = b"nothing"
    def on_msg(self, msg):
        if msg == b"last": return self.last
        self.last = msg
END
manifest "\"actors\": [$(actor /total "$PWD/mods.py:total"), $(actor /forward "$PWD/mods.py:forward"),
  $(actor /pull "$PWD/mods.py:pull" '"kind": "pull"'), $(actor /wait "$PWD/mods.py:wait"),
  $(actor /sink "$PWD/mods.py:Sink" '"name": "sink"')]"
run_app
try "$IRIS" ask /total 1234;               exits 0; says '10'
try "$IRIS" send /forward hello;           exits 0
said_it() { "$IRIS" ask /sink last | grep -q "hello by $(field /forward pid)"; }
await said_it
try "$IRIS" ask /wait x;                   exits 0; says 'awaited x'
try "$IRIS" send /pull it;                 exits 0
said() { "$IRIS" ask /sink last | grep -q "$1"; }
await said 'pulled it'
sed -i 's/pulled/drawn/' mods.py
try "$IRIS" swap /pull;                    exits 0
try "$IRIS" send /pull it;                 exits 0
await said 'drawn it'
try "$IRIS" stop; app_ends 0; leaves_nothing
finish
