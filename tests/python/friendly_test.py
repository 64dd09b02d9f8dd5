"""What Runtime offers beside the calls of the original."""
import asyncio
import contextvars
import threading
import unittest

import iris
from helpers import RuntimeTest, eventually


class Listening(RuntimeTest):
    def test_events_of_a_path(self):
        def handler(msg):
            raise ValueError("told to")

        with self.rt.events("/svc/**") as events, self.assertLogs("iris"):
            self.rt.spawn(handler, path="/other/one")
            pid = self.rt.spawn(lambda m: None, path="/svc/pay/one")
            self.rt.swap(pid, handler)
            self.rt.send(pid, b"x")
            seen = [events.take(30)]
            while seen[-1].kind != "crashed":
                seen.append(events.take(30))
        self.assertEqual({event.path for event in seen}, {"/svc/pay/one"})
        self.assertEqual({event.pid for event in seen}, {pid})
        kinds = [event.kind for event in seen]
        self.assertIn("swapped", kinds)
        self.assertIn("ValueError: told to", seen[-1].text)
        self.assertEqual(seen[-1].level, "error")
        while events.take(0):
            pass
        self.rt.spawn(print, path="/svc/later")
        self.assertIsNone(events.take(0))

    def test_async_for_ends_with_the_runtime(self):
        async def main():
            got = []
            async with iris.Runtime(workers=1) as rt:
                events = rt.events()

                async def listen():
                    async for event in events:
                        got.append(event.kind)
                task = asyncio.create_task(listen())
                pid = rt.spawn(lambda m: m)
                await rt.ask(pid, b"x")
                rt.stop(pid)
                while "ended" not in got:
                    await asyncio.sleep(0.001)
            await asyncio.wait_for(task, 30)
            return got
        self.assertIn("ended", asyncio.run(main()))

    def test_each_runtime_has_its_own(self):
        with iris.Runtime(workers=1) as other:
            mine, theirs = self.rt.events(), other.events("/a/*")
            pid = other.spawn(print, path="/a/b")
            other.spawn(print, path="/a/b/c")
            other.stop(pid)
            events = [theirs.take(30)]
            while events[-1].kind != "ended":
                events.append(theirs.take(30))
            self.assertEqual({event.path for event in events}, {"/a/b"})
            self.assertIsNone(mine.take(0))
        self.assertTrue(theirs.closed and not mine.closed)


class Contexts(RuntimeTest):
    def test_they_are_carried(self):
        var = contextvars.ContextVar("var", default=b"none")

        def read(msg):
            before = var.get()
            var.set(b"own")
            return before

        async def read_later(msg):
            await asyncio.sleep(0)
            return var.get()

        var.set(b"mine")
        context = contextvars.copy_context()
        for handler in (read, read_later):
            self.assertEqual(self.rt.ask_wait(self.rt.spawn(handler, context=context), b""), b"mine")
        pid = self.rt.spawn(read, context=context)
        self.assertEqual([self.rt.ask_wait(pid, b""), self.rt.ask_wait(pid, b"")], [b"mine", b"own"])
        got = []
        self.ends(self.rt.spawn(lambda mailbox: got.append(var.get()), kind="pull", context=context))
        self.assertEqual((got, var.get()), ([b"mine"], b"mine"))
        with self.assertRaises(TypeError):
            self.rt.spawn(iris.Runtime, context=context)


    def test_a_function_without_one_shares_its_threads(self):
        """A context for each message would cost a fifth of it: async handlers and threads have one, functions
        share that of the thread that has their turns."""
        var = contextvars.ContextVar("var", default=b"none")

        def sets(msg):
            var.set(msg)

        def reads(msg):
            return var.get()

        async def reads_later(msg):
            return var.get()

        def pulls(mailbox):
            got.append(var.get())

        got = []
        self.rt.ask_wait(self.rt.spawn(lambda m: sets(m) or m), b"theirs")
        self.assertEqual(self.rt.ask_wait(self.rt.spawn(reads), b""), b"theirs")
        self.assertEqual(self.rt.ask_wait(self.rt.spawn(reads, context=contextvars.Context()), b""), b"none")
        self.assertEqual(self.rt.ask_wait(self.rt.spawn(reads, release_gil=True), b""), b"none")
        self.assertEqual(self.rt.ask_wait(self.rt.spawn(reads_later), b""), b"none")
        self.ends(self.rt.spawn_with_mailbox(pulls))
        self.assertEqual(got, [b"none"])


class Spawning(RuntimeTest):
    def test_by_its_options(self):
        parent = self.rt.spawn(lambda m: None)
        pid = self.rt.spawn(lambda m: m.upper(), path="/svc/up", name="up", parent=parent, mailbox=10)
        self.assertEqual((self.rt.whereis("up"), self.rt.whereis("/svc/up")), (pid, pid))
        self.assertEqual(self.rt.info(pid)["capacity"], 10)
        self.rt.stop(parent)
        self.ends(pid)
        self.assertIsNone(self.rt.whereis("up"))

    def test_a_name_that_cannot_be_leaves_nothing(self):
        before = len(self.rt.list_children("/"))
        with self.assertRaises(ValueError):
            self.rt.spawn(print, path="/svc/x", name="two words")
        eventually(lambda: len(self.rt.list_children("/")) == before)
        self.rt.spawn(print, path="/svc/taken")
        with self.assertRaises(iris.Error):
            self.rt.spawn(print, path="/svc/taken")

    def test_a_supervisor_as_an_object(self):
        def handler(msg):
            if msg == b"crash":
                raise ValueError
            return b"alive"

        supervisor = self.rt.supervisor("/svc", intensity=5, period=10)
        pid = self.rt.spawn(handler, path="/svc/one")
        supervisor.watch("/svc/one")
        self.assertEqual(supervisor.children, [pid])
        with self.assertLogs("iris"):
            self.rt.send(pid, b"crash")
            eventually(lambda: self.rt.info(pid)["restarts"] == 1)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"alive")
        supervisor.remove()
        self.assertEqual(supervisor.children, [])


class Asking(RuntimeTest):
    def test_it_raises_what_happened(self):
        async def main():
            async def never(msg):
                await asyncio.sleep(1000)

            self.assertEqual(await self.rt.ask(self.rt.spawn(lambda m: "text"), b"x"), b"text")
            self.assertEqual(await self.rt.call(self.rt.spawn(lambda m: bytearray(m)), b"x"), b"x")
            with self.assertRaises(TimeoutError):
                await self.rt.ask(self.rt.spawn(never), b"x", timeout=0.01)
            with self.assertRaises(iris.NoSuchActor):
                await self.rt.ask(4711, b"x")
            with self.assertRaises(LookupError):
                self.rt.swap("/nobody", print)
        asyncio.run(main())


if __name__ == "__main__":
    unittest.main()
