"""P9: a program with live actors ends as it would without, however it ends."""
import os
import unittest

from helpers import run_python

ACTORS = """
import asyncio, atexit, iris, sys, threading, time
def actors(rt):
    def busy(m):
        for i in range(100): pass
    async def waits(m): await asyncio.sleep(3600)
    async def async_pull(mb):
        async for m in mb: pass
    def pull(mb):
        while mb.recv() is not None: pass
    pids = [rt.spawn(busy) for _ in range(20)] + [rt.spawn(busy, release_gil=True)]
    pids += [rt.spawn_with_mailbox(pull) for _ in range(3)] + [rt.spawn_with_mailbox(async_pull)]
    pids += [rt.spawn_observed_handler(10), rt.spawn_virtual(busy, 10, 1000)]
    rt.send_interval(pids[0], 5, b"x")
    rt.send_after(pids[0], 3600_000, b"x")
    rt.supervise_with_factory(pids[1], lambda: rt.spawn(busy), "one")
    rt.watch(pids[2], "one")
    rt.link(pids[3], pids[4])
    for pid in pids:
        for i in range(10): rt.send(pid, b"x" * (1 if i % 2 else 5000))
    return waits
"""

ENDS = {
    "with": "with iris.Runtime() as rt: actors(rt)",
    "nothing": "rt = iris.Runtime(); actors(rt)",
    "del": "rt = iris.Runtime(); actors(rt); del rt",
    "close": "rt = iris.Runtime(); actors(rt); rt.close(); rt.close()",
    "a local": "def f(): actors(iris.Runtime())\nf()",
    "two": "a, b = iris.Runtime(), iris.Runtime(); actors(a); actors(b)",
    "a coroutine waits": "rt = iris.Runtime(); rt.send(rt.spawn(actors(rt)), b'')",
    "in a thread": "t = threading.Thread(target=lambda: actors(iris.Runtime())); t.start(); t.join()",
    "in a daemon": "rt = iris.Runtime()\ndef f():\n    actors(rt)\n    go.set()\n    try:\n"
                   "        while True: rt.spawn(print); time.sleep(.001)\n    except iris.Error: pass\n"
                   "go = threading.Event(); threading.Thread(target=f, daemon=True).start(); go.wait()",
    "asyncio": "async def main():\n    async with iris.Runtime() as rt:\n        actors(rt)\n"
               "        assert await rt.ask(rt.spawn(lambda m: m), b'1') == b'1'\nasyncio.run(main())",
    "own atexit": "rt = iris.Runtime(); actors(rt); atexit.register(lambda: rt.send(rt.spawn(lambda m: m), b''))",
    "in a cycle": "class C: pass\nc = C(); c.self = c; c.rt = iris.Runtime(); actors(c.rt); del c",
}
FAILS = {"raise ValueError('top')": 1, "sys.exit(3)": 3, "import os; sys.stdout.flush(); os._exit(4)": 4,
         "raise KeyboardInterrupt": -2}


class Exits(unittest.TestCase):
    def ends(self, source, wanted, quiet=True):
        for _ in range(int(os.environ.get("EXITS", "2"))):
            status, out, err = run_python(ACTORS + source)
            with self.subTest(source=source):
                self.assertEqual(status, wanted, err)
                if quiet:
                    self.assertEqual((out, err), ("", ""))

    def test_with_status_0(self):
        for source in ENDS.values():
            self.ends(source, 0)

    def test_with_the_status_of_its_failure(self):
        for source, status in FAILS.items():
            self.ends("rt = iris.Runtime(); actors(rt)\n" + source, status, quiet=False)

    def test_what_was_sent_is_handled(self):
        source = """
import iris
rt = iris.Runtime()
last = rt.spawn(lambda m: print(m.decode()))
def relay(m): rt.send(last, m)
first = rt.spawn(relay)
for i in range(100): rt.send(first, b"%d" % i)
"""
        for _ in range(3):
            self.assertEqual(run_python(source), (0, "".join(f"{i}\n" for i in range(100)), ""))

    def test_a_factory_that_still_fails_ends_with_it(self):
        source = """
import iris
rt = iris.Runtime()
pid = rt.spawn(lambda m: None)
rt.supervise_with_factory(pid, lambda: 1 / 0)
rt.stop(pid)
rt.join(pid)
"""
        status, out, err = run_python(source)
        self.assertEqual((status, out), (0, ""))
        self.assertNotIn("Segmentation", err)

    def test_a_crash_in_the_last_moment_is_told(self):
        source = """
import iris
rt = iris.Runtime()
def handler(m): raise ValueError("late")
rt.send(rt.spawn(handler), b"x")
"""
        status, out, err = run_python(source)
        self.assertEqual((status, out), (0, ""))
        self.assertIn("ValueError: late", err)


if __name__ == "__main__":
    unittest.main()
