"""Other nodes: two runtimes of this process, or another process, which is killed and comes back."""
import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import unittest

import iris
from helpers import PATIENCE, RuntimeTest, eventually

NODE = """
import iris, sys
rt = iris.Runtime(mesh={"node": "other"})
rt.register("echo", rt.spawn(lambda msg: b"re: " + msg))
got = []
def count(msg):
    if msg == b"count":
        return b"%d %d" % (len(got), got == sorted(got))
    got.append(int(msg))
rt.register("count", rt.spawn(count))
print(rt.listen(sys.argv[1]), flush=True)
sys.stdin.read()
"""


class Other:
    """A node of its own."""

    def __init__(self, test, addr="127.0.0.1:0"):
        self.process = subprocess.Popen([sys.executable, "-c", NODE, addr], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        test.addCleanup(self.process.stdout.close)
        test.addCleanup(self.kill)
        self.addr = self.process.stdout.readline().strip()
        test.assertTrue(self.addr, "the other node says where it listens")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()


class Unused:
    """An address where nobody listens, and which nobody else gets meanwhile."""

    def __enter__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        return "127.0.0.1:%d" % self.socket.getsockname()[1]

    def __exit__(self, *what):
        self.socket.close()


class Silent:
    """Somebody accepts there, and never says a word."""

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        return "127.0.0.1:%d" % self.socket.getsockname()[1]

    def __exit__(self, *what):
        self.socket.close()


class Here(RuntimeTest):
    """Two runtimes of one process."""

    options = {"mesh": {"node": "here", "timeouts": {"redial": "20ms", "redial_max": "100ms"}}}

    def setUp(self):
        super().setUp()
        self.far = iris.Runtime(mesh={"node": "far", "listen": "127.0.0.1:0"})
        self.addCleanup(self.far.close)
        self.addr = self.far.address

    def remote(self, handler, name="it", **options):
        self.far.register(name, self.far.spawn(handler, **options))
        return self.rt.resolve_remote(self.addr, name)

    def test_listen_says_where_and_a_taken_port_is_told(self):
        where = self.rt.listen("127.0.0.1:0")
        self.assertRegex(where, r"^127\.0\.0\.1:[1-9]\d*$")
        self.assertEqual((self.rt.address, self.rt.node), (where, "here"))
        with self.assertRaisesRegex(iris.Error, "in use"):
            self.far.listen(where)
        self.assertTrue(self.rt.unlisten(where))
        self.assertFalse(self.rt.unlisten(where))
        self.far.listen(where)

    def test_what_others_could_read_is_refused(self):
        for call in (self.rt.listen, self.rt.connect):
            with self.assertRaisesRegex(iris.Error, "not a loopback address.*tls"):
                call("0.0.0.0:0" if call == self.rt.listen else "192.0.2.1:9000")
        with self.assertRaisesRegex(iris.Error, "HOST:PORT"):
            self.rt.connect("nonsense")

    def test_an_engine_that_cannot_begin_says_why_each_time(self):
        engine = {"etcd": ["http://127.0.0.1:1"], "user": "iris", "password": {"file": "/none"}}
        try:
            rt = iris.Runtime(mesh={"node": "a", "engine": engine})
        except iris.Error as e:
            self.skipTest(f"built without libcurl: {e}")
        with rt:
            for _ in range(2):
                with self.assertRaisesRegex(iris.Error, "engine.password: /none"):
                    rt.listen("127.0.0.1:0")
        with self.assertRaisesRegex(iris.Error, "engine.etcd: http://192.0.2.1 is not of this machine"):
            iris.Runtime(mesh={"engine": {**engine, "etcd": ["http://127.0.0.1:1", "http://192.0.2.1"]}})

    def test_settings_that_are_wrong_are_told(self):
        with self.assertRaisesRegex(iris.Error, "nod"):
            iris.Runtime(mesh={"nod": "a"})
        with iris.Runtime() as rt:  # nothing of it is left
            rt.listen("127.0.0.1:0")

    def test_a_name_of_the_other_node(self):
        pid = self.remote(lambda msg: msg.upper())
        self.assertGreater(pid, 1 << 43)
        self.assertEqual(self.rt.ask_wait(pid, b"hello"), b"HELLO")
        self.assertIsNone(self.rt.resolve_remote(self.addr, "nobody"))
        self.assertEqual(self.rt.whereis("it@far"), pid)
        self.assertEqual(self.rt.resolve("it@far"), pid)
        self.assertIsNone(self.rt.whereis("it"))
        self.assertEqual(self.rt.find_wait("it"), pid)

        async def all_of_them():
            self.assertEqual(await self.rt.resolve_remote_py(self.addr, "it"), pid)
            self.assertIsNone(await self.rt.resolve_remote_py(self.addr, "nobody"))
            self.assertEqual(await self.rt.find("it"), pid)
            self.assertEqual(await self.rt.find("it@far"), pid)
            self.assertIsNone(await self.rt.find("nobody"))
            self.assertEqual(await self.rt.ask(pid, b"x"), b"X")

        asyncio.run(all_of_them())

    def test_send_by_pid_and_by_address(self):
        got = []
        pid = self.remote(got.append)
        own = self.far.whereis("it")
        self.assertTrue(self.rt.send(pid, b"1"))
        self.assertIs(self.rt.send_remote(self.addr, pid, b"2"), True)
        self.assertIs(self.rt.send_remote(self.addr, own, b"3"), True)
        self.assertIs(self.rt.send_remote("far", own, b"4"), True)
        eventually(lambda: got == [b"1", b"2", b"3", b"4"])

    def test_the_first_send_dials(self):
        got = []
        pid = self.far.spawn(got.append)
        self.assertIs(self.rt.send_remote(self.addr, pid, b"hello"), True)
        eventually(lambda: got == [b"hello"])

    def test_an_actor_that_has_ended(self):
        got = []
        pid = self.remote(got.append)
        self.assertTrue(self.rt.is_alive(pid))
        self.far.stop(self.far.whereis("it"))
        self.rt.join(pid, timeout=PATIENCE)
        self.assertFalse(self.rt.is_alive(pid))
        with self.assertRaises(iris.NoSuchActor):
            self.rt.ask_wait(pid, b"")
        self.assertTrue(self.rt.send(pid, b"on its way"))
        eventually(lambda: sum(n["refused"] for n in self.rt.nodes()) == 2, "both to be counted")
        with self.assertRaisesRegex(iris.Error, "another node"):
            self.rt.kill(pid)

    def test_a_link_is_told_of_an_end(self):
        pid = self.remote(lambda msg: 1 / 0)
        mine = self.rt.spawn_observed_handler()
        self.rt.link(mine, pid)
        with self.assertLogs("iris"):
            self.rt.send(pid, b"fall")
            eventually(lambda: self.rt.get_messages(mine))
        [message] = self.rt.get_messages(mine)
        self.assertEqual((message.type_name, message.target_pid), ("EXIT", pid))
        self.assertIn(message.reason, ("Crash", "Noproc"))  # which of both was there first, message or link

    def test_who_may_not_supervise_is_told_so(self):
        pid = self.remote(lambda msg: msg)
        self.rt.create_path_supervisor("/svc")
        for watch in (self.rt.watch, lambda pid: self.rt.path_supervisor_watch("/svc", pid)):
            with self.assertRaisesRegex(ValueError, r'node far does not let node here supervise actor \d+; its '
                                                    r'manifest must say "mesh": {"allow": {"supervise": \["here"\]}}'):
                watch(pid)
        self.assertEqual((self.rt.path_supervisor_children("/svc"), self.rt.child_pids()), ([], []))

    def test_a_supervisor_here_has_an_actor_there(self):
        def fall_or_not(msg):
            if msg == b"fall":
                raise ValueError("told to")
            return msg

        kept = iris.Runtime(mesh={"node": "kept", "listen": "127.0.0.1:0", "allow": {"supervise": ["here"]}})
        self.addCleanup(kept.close)
        own, near = kept.spawn(fall_or_not, name="it"), self.rt.spawn(fall_or_not)
        far = self.rt.resolve_remote(kept.address, "it")
        self.rt.create_path_supervisor("/svc", "restart_all", 20)
        for pid in (near, far):
            self.rt.path_supervisor_watch("/svc", pid)
        self.assertEqual(self.rt.path_supervisor_children("/svc"), [near, far])
        restarts = lambda: ((self.rt.info(near) or {}).get("restarts"), (kept.info(own) or {}).get("restarts"))
        with self.assertLogs("iris"):
            for n, pid in enumerate((far, near), 1):  # whoever falls, both begin again in place
                self.rt.send(pid, b"fall")
                eventually(lambda: restarts() == (n, n), f"restart {n} of both")
                self.assertEqual(self.rt.ask_wait(far, b"x"), b"x")
            self.rt.remove_path_supervisor("/svc")  # nobody supervises it now
            self.assertEqual(self.rt.ask_wait(far, b"y"), b"y")
            self.rt.send(far, b"fall")
            eventually(lambda: not kept.is_alive(own))

    def test_order_is_kept(self):
        got = []
        pid = self.remote(got.append)
        for n in range(5000):
            self.assertTrue(self.rt.send_remote(self.addr, pid, b"%d" % n))
        eventually(lambda: len(got) == 5000)
        self.assertEqual(got, [b"%d" % n for n in range(5000)])

    def test_too_large_says_no(self):
        pid = self.remote(lambda msg: b"%d" % len(msg))
        large = bytes(8 << 20)
        self.assertFalse(self.rt.send(pid, large))
        with self.assertRaisesRegex(ValueError, "8388608 bytes"):
            self.rt.send_remote(self.addr, pid, large)
        self.assertEqual(self.rt.ask_wait(pid, bytes(1000000)), b"1000000")

    def test_who_monitors_a_node_hears_of_it(self):
        told = []
        with self.rt.events() as events:
            number = self.rt.monitor_remote(self.addr)
            self.rt.monitor_remote("far", callback=told.append)

            def watcher(mailbox):
                self.rt.monitor_remote(self.addr, 5)
                while True:
                    signals.append((m := mailbox.recv()).type_name)
                    reasons.append((m.reason, m.metadata))

            signals, reasons = [], []
            self.rt.spawn_with_mailbox(watcher)
            self.rt.connect(self.addr)
            next(e for e in iter(lambda: events.take(PATIENCE), None) if e.kind == "node_up")
            eventually(lambda: signals == ["PONG"])
            locals_ = [self.rt.spawn(lambda msg: None) for _ in range(10)]
            self.far.close()
            down = next(e for e in iter(lambda: events.take(PATIENCE), None) if e.kind == "node_down")
            self.assertRegex(down.text, "node far at 127.*went: ")
            eventually(lambda: signals == ["PONG", "DOWN"], signals)
            eventually(lambda: len(reasons) == 2)
            self.assertEqual(reasons[0], ("Up", "node=far"))
            self.assertRegex(": ".join(reasons[1]), "Noconnection: node=far: ")
            eventually(lambda: [e.kind for e in told] == ["node_up", "node_down"])
            self.assertTrue(all(map(self.rt.is_alive, locals_)))
            self.assertTrue(self.rt.unmonitor_remote(number))
            self.assertFalse(self.rt.unmonitor_remote(number))

    def test_nodes_are_listed(self):
        self.remote(lambda msg: None)
        [node] = self.rt.nodes()
        self.assertEqual((node["node"], node["address"], node["state"]), ("far", self.addr, "up"))
        self.assertTrue(self.rt.is_node_up(self.addr))
        self.assertTrue(self.rt.disconnect(self.addr))
        self.assertFalse(self.rt.disconnect(self.addr))

    def test_handlers_do_not_wait(self):
        pid = self.remote(lambda msg: b"there")

        async def asks(msg):
            found = await self.rt.resolve_remote_py(self.addr, "it")
            return b"%d " % (found == pid) + await self.rt.ask(found, b"")

        def blocks(msg):
            with self.assertRaisesRegex(iris.Error, "async def"):
                self.rt.resolve_remote(self.addr, "it")
            return b"%d %d" % (self.rt.is_node_up(self.addr), self.rt.is_alive(pid))

        self.assertEqual(self.rt.ask_wait(self.rt.spawn(asks), b""), b"1 there")
        self.assertEqual(self.rt.ask_wait(self.rt.spawn(blocks), b""), b"1 1")

    def test_nobody_is_there(self):
        with Unused() as addr:
            self.assertFalse(self.rt.is_node_up(addr))
            for call in (lambda: self.rt.resolve_remote(addr, "x"), lambda: self.rt.send_remote(addr, 5, b""),
                         lambda: asyncio.run(self.rt.resolve_remote_py(addr, "x"))):
                with self.assertRaises(iris.NodeDown):
                    call()
        with Silent() as addr:
            with self.assertRaises(iris.NodeDown):
                self.rt.resolve_remote(addr, "x", timeout=0.05)
            self.assertFalse(self.rt.is_node_up(addr, timeout=0.05))

    def test_closing_ends_what_waits(self):
        with Silent() as addr, iris.Runtime() as rt:
            ends = []

            def wait():
                try:
                    rt.resolve_remote(addr, "x", timeout=1000)
                except iris.Error as error:
                    ends.append(error)

            async def wait_too():
                asking = asyncio.ensure_future(rt.resolve_remote_py(addr, "x", timeout=1000))
                thread = threading.Thread(target=wait)
                thread.start()
                await asyncio.get_running_loop().run_in_executor(None, eventually, lambda: rt.nodes())
                await asyncio.get_running_loop().run_in_executor(None, rt.close)
                with self.assertRaises(iris.Error):
                    await asking
                thread.join()

            asyncio.run(wait_too())
            self.assertEqual(len(ends), 1)


class Lost(RuntimeTest):
    """The other node is a process, which is killed."""

    options = {"mesh": {"node": "here", "timeouts": {"redial": "20ms", "redial_max": "100ms", "connect": "2s",
                                                     "resolve": "2s"}}}

    def test_the_examples_that_people_know(self):
        addr = Other(self).addr

        async def find_remote():
            remote_pid = await self.rt.resolve_remote_py(addr, "echo")
            if remote_pid:
                self.rt.send_remote(addr, remote_pid, b"login")
            return remote_pid

        pid = asyncio.run(find_remote())
        self.assertEqual(self.rt.ask_wait(pid, b"login"), b"re: login")

    def test_order_between_processes(self):
        addr = Other(self).addr
        pid = self.rt.resolve_remote(addr, "count")
        for n in range(5000):
            self.rt.send_remote(addr, pid, b"%d" % n)
        self.assertEqual(self.rt.ask_wait(pid, b"count"), b"5000 1")

    def test_a_node_that_is_killed(self):
        other = Other(self)
        pid = self.rt.resolve_remote(other.addr, "echo")
        own = [self.rt.spawn(lambda msg: msg) for _ in range(100)]
        mine = self.rt.spawn_observed_handler()
        self.rt.link(mine, pid)
        other.kill()
        self.rt.join(pid, timeout=PATIENCE)
        self.assertFalse(self.rt.is_alive(pid))
        self.assertFalse(self.rt.send(pid, b""))
        with self.assertRaises(iris.NodeDown):
            self.rt.send_remote(other.addr, pid, b"")
        with self.assertRaises(iris.NoSuchActor):
            self.rt.ask_wait(pid, b"")
        eventually(lambda: self.rt.get_messages(mine))
        self.assertEqual([m.type_name for m in self.rt.get_messages(mine)], ["EXIT"])
        self.assertTrue(all(map(self.rt.is_alive, own)))
        Other(self, other.addr)
        self.assertEqual(self.rt.ask_wait(eventually(lambda: self.find(other.addr)), b"x"), b"re: x")
        with self.assertRaisesRegex(iris.NodeDown, "resolve it again"):
            self.rt.send_remote(other.addr, pid, b"")

    def find(self, addr):
        try:
            return self.rt.resolve_remote(addr, "echo")
        except iris.NodeDown:
            return None

    def heals(self, ask, other):
        self.assertEqual(ask(b"1"), b"re: 1")
        other.kill()
        Other(self, other.addr)

        def healed():
            try:
                return ask(b"2") == b"re: 2"
            except (iris.Error, TimeoutError):
                return False

        eventually(healed, "the connection to heal itself")

    def test_a_factory_resolves_again(self):
        other = Other(self)
        factory = lambda: self.rt.resolve_remote(other.addr, "echo")
        self.rt.supervise_with_factory(factory(), factory, "restart_one")

        def ask(data):
            pids = self.rt.child_pids()  # none while the factory is at work
            return pids and self.rt.ask_wait(pids[0], data, 1.0)

        self.heals(ask, other)

    def test_a_factory_makes_what_forwards(self):
        other = Other(self)

        def factory():
            far = self.rt.resolve_remote(other.addr, "echo")

            async def forward(msg):
                return await self.rt.ask(far, msg, 1.0)

            pid = self.rt.spawn(forward, name="link")
            return pid

        self.rt.supervise_with_factory(factory(), factory)
        self.heals(lambda data: self.rt.ask_wait(self.rt.whereis("link") or 1, data, 2.0), other)

    def test_a_proxy_heals(self):
        other = Other(self)
        self.rt.connect(other.addr)
        eventually(lambda: self.rt.is_node_up(other.addr))
        pid = self.rt.proxy(other.addr, "echo", path="/far/echo", on_loss="stay")
        self.assertEqual(self.rt.ask_wait(pid, b"at once"), b"re: at once")  # it waits for the first answer
        self.heals(lambda data: self.rt.ask_wait(pid, data, 1.0), other)
        self.assertEqual(self.rt.whereis_path("/far/echo"), pid)

    def test_a_proxy_of_nobody(self):
        other = Other(self)
        pid = self.rt.proxy(other.addr, "nobody")
        for _ in range(2):  # what comes before the answer, and after
            with self.assertRaisesRegex(iris.Error, "noconnection"):
                self.rt.ask_wait(pid, b"")


if __name__ == "__main__":
    unittest.main()
