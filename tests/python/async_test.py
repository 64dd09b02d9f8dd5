import asyncio
import contextvars
import logging
import threading
import unittest

import iris
from helpers import RuntimeTest, eventually


class AsyncHandlers(RuntimeTest):
    def test_one_that_does_not_wait_and_one_that_does(self):
        async def quick(msg):
            return b"quick " + msg

        async def slow(msg):
            await asyncio.sleep(0.001)
            return b"slow " + msg

        quick, slow = self.rt.spawn(quick), self.rt.spawn(slow)
        for i in range(20):
            msg = b"%d" % i
            self.assertEqual(self.rt.ask_wait(quick, msg), b"quick " + msg)
            self.assertEqual(self.rt.ask_wait(slow, msg), b"slow " + msg)

    def test_it_is_in_a_task_like_any_other(self):
        async def handler(msg):
            before = asyncio.current_task()
            async with asyncio.timeout(30):
                await asyncio.sleep(0)
            async with asyncio.TaskGroup() as group:
                group.create_task(asyncio.sleep(0))
            assert asyncio.current_task() is before is not None
            try:
                async with asyncio.timeout(0.001):
                    await asyncio.sleep(30)
            except TimeoutError:
                return b"timed out"

        self.assertEqual(self.rt.ask_wait(self.rt.spawn(handler), b""), b"timed out")

    def test_an_actor_is_serial_and_others_go_on(self):
        go = []
        inside, order = [], []

        async def waits(msg):
            inside.append(1)
            assert len(inside) == 1
            while not go:
                await asyncio.sleep(0.001)
            order.append(msg)
            inside.pop()

        async def echo(msg):
            return msg

        pid, other = self.rt.spawn(waits), self.rt.spawn(echo)
        for i in range(10):
            self.rt.send(pid, b"%d" % i)
        eventually(lambda: inside)
        self.assertEqual(self.rt.ask_wait(other, b"x"), b"x")
        self.assertEqual(order, [])
        go.append(1)
        eventually(lambda: len(order) == 10)
        self.assertEqual(order, [b"%d" % i for i in range(10)])

    def test_a_thousand_wait_at_once(self):
        gate = asyncio.Event()
        waiting = []

        async def waits(msg):
            waiting.append(1)
            await gate.wait()
            return b"done"

        async def opens(msg):
            gate.set()

        done = []
        pids = [self.rt.spawn(waits) for _ in range(1000)]
        for pid in pids:
            self.rt.send(pid, b"")
        eventually(lambda: len(waiting) == 1000)
        self.rt.send(self.rt.spawn(opens), b"")
        eventually(lambda: all(self.rt.info(p)["handled"] == 1 for p in pids))

    def test_a_fault_before_and_after_waiting(self):
        async def fault(msg):
            if msg == b"late":
                await asyncio.sleep(0)
            raise ValueError(msg.decode())

        for word in ("early", "late"):
            with self.assertLogs("iris", logging.WARNING) as logs:
                pid = self.rt.spawn(fault)
                with self.assertRaisesRegex(iris.NoSuchActor, f"ValueError: {word}"):
                    self.rt.ask_wait(pid, word.encode())
                self.ends(pid)
                eventually(lambda: "in fault" in "".join(logs.output))
            self.assertNotIn("_aio.py", "".join(logs.output))

    def test_one_that_is_killed_is_cancelled_where_it_waits(self):
        ended = []

        async def waits(msg):
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                ended.append(1)
                raise

        pid = self.rt.spawn(waits)
        self.rt.send(pid, b"")
        eventually(lambda: self.rt.info(pid)["mailbox"] == 0)
        self.rt.kill(pid)
        self.ends(pid)
        eventually(lambda: ended)

    def test_real_sockets_and_their_end(self):
        """A handler that reads from a socket: answered, killed while it reads, stopped while it reads."""
        ended, open_ones = [], []

        async def serve(reader, writer):
            open_ones.append(writer)
            while line := await reader.readline():
                if line != b"silence\n":
                    writer.write(line.upper())
                    await writer.drain()
                elif b"answer" in ended:
                    break
            writer.close()

        async def listens(mailbox):
            server = await asyncio.start_server(serve, "127.0.0.1", 0)
            ended.append(server.sockets[0].getsockname()[1])
            await mailbox.recv()
            server.close()

        async def asks(msg):
            reader, writer = await asyncio.open_connection("127.0.0.1", ended[0])
            try:
                writer.write(msg + b"\n")
                return (await reader.readline()).strip()
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            finally:
                writer.close()

        server = self.rt.spawn_with_mailbox(listens)
        eventually(lambda: ended)
        pid, stopped = self.rt.spawn(asks), self.rt.spawn(asks)
        self.assertEqual(self.rt.ask_wait(pid, b"ada"), b"ADA")
        self.rt.send(pid, b"silence")
        eventually(lambda: len(open_ones) == 2)
        self.rt.kill(pid)
        self.ends(pid)
        eventually(lambda: ended[1:] == ["cancelled"])
        self.rt.send(stopped, b"silence")
        self.rt.send(stopped, b"more")
        eventually(lambda: len(open_ones) == 3)
        self.rt.stop(stopped)
        self.assertTrue(self.rt.is_alive(stopped))

        async def close_them(msg):
            for writer in open_ones:
                writer.close()

        self.rt.send(self.rt.spawn(close_them), b"")
        self.ends(stopped)
        self.assertEqual((ended[1:], len(open_ones)), (["cancelled"], 4))
        self.rt.send(server, b"")
        self.ends(server)

    def test_a_runtime_is_closed_while_handlers_wait(self):
        begun, ended = [], []

        async def waits(msg):
            begun.append(1)
            try:
                await asyncio.sleep(1000)
            finally:
                ended.append(1)

        async def pull(mailbox):
            begun.append(1)
            try:
                await asyncio.sleep(1000)
            finally:
                ended.append(1)

        with iris.Runtime() as rt:
            self.assertTrue(rt.send(rt.spawn(waits), b""))
            rt.spawn_with_mailbox(pull)
            eventually(lambda: len(begun) == 2)
            self.assertEqual(ended, [])
        self.assertEqual(len(ended), 2)

    def test_context_variables_are_a_handlers_own(self):
        var = contextvars.ContextVar("var", default=0)

        async def handler(msg):
            before = var.get()
            var.set(int(msg))
            if int(msg) % 2:
                await asyncio.sleep(0.001)
                await asyncio.create_task(asyncio.sleep(0))
            return b"%d %d" % (before, var.get())

        pids = [self.rt.spawn(handler) for _ in range(20)]

        async def main():
            return await asyncio.gather(*(self.rt.ask(pid, b"%d" % i) for i, pid in enumerate(pids, 1)))

        self.assertEqual(asyncio.run(main()), [b"0 %d" % i for i in range(1, 21)])

    def test_classes_and_swaps(self):
        class Counter:
            def __init__(self):
                self.n = 0

            async def on_msg(self, msg):
                await asyncio.sleep(0)
                self.n += 1
                return b"%d" % self.n

        pid = self.rt.spawn(Counter)
        self.assertEqual([self.rt.ask_wait(pid, b"") for _ in range(3)], [b"1", b"2", b"3"])

        async def one(msg):
            await asyncio.sleep(0)
            return b"one"

        pid = self.rt.spawn(one)
        self.rt.send(pid, b"")
        self.rt.swap(pid, lambda m: b"two")
        self.assertEqual(self.rt.ask_wait(pid, b""), b"two")
        self.rt.rollback(pid)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"one")

    def test_attributes_cross_where_a_class_becomes_async_and_back(self):
        def plain():
            class Counter:
                def __init__(self):
                    self.n = 0

                def on_msg(self, msg):
                    self.n += 1
                    return b"%d" % self.n

            return Counter

        def waits():
            class Counter:
                async def on_msg(self, msg):
                    await asyncio.sleep(0)
                    self.n += 10
                    return b"%d" % self.n

            return Counter

        pid = self.rt.spawn(plain())
        self.assertEqual(self.rt.ask_wait(pid, b""), b"1")
        for i in range(20):
            self.rt.send(pid, b"")
        self.rt.swap(pid, waits())
        for i in range(20):
            self.rt.send(pid, b"")
        self.assertEqual(self.rt.ask_wait(pid, b""), b"231")
        self.rt.rollback(pid)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"232")
        for i in range(50):
            self.rt.hot_swap(pid, waits() if i % 2 else plain())
            self.rt.send(pid, b"")
        self.assertEqual(self.rt.ask_wait(pid, b""), b"%d" % (232 + 25 * 11 + 10))

    def test_asking_from_a_handler(self):
        async def asks(msg):
            return b"asked " + await self.rt.ask(other, msg)

        other = self.rt.spawn(lambda m: b"other " + m)
        self.assertEqual(self.rt.ask_wait(self.rt.spawn(asks), b"x"), b"asked other x")


class Asking(RuntimeTest):
    def test_await_ask(self):
        async def main():
            pid = self.rt.spawn(lambda m: m.upper())
            self.assertEqual(await asyncio.gather(*(self.rt.ask(pid, b"a%d" % i) for i in range(100))),
                             [b"A%d" % i for i in range(100)])
            silent = self.rt.spawn(lambda m: None)
            with self.assertRaises(TimeoutError):
                await self.rt.ask(silent, b"", timeout=0.01)
            with self.assertRaises(iris.NoSuchActor):
                await self.rt.ask(99999, b"")
            with self.assertRaises(ValueError):
                await self.rt.ask(pid, b"", timeout=-1)

        asyncio.run(main())

    def test_async_with(self):
        async def main():
            async with iris.Runtime() as rt:
                self.assertEqual(await rt.ask(rt.spawn(lambda m: m), b"x"), b"x")
            self.assertTrue(rt.closed)

        asyncio.run(main())


class SwapWait(RuntimeTest):
    options = {"swap_wait": 0.02}

    def test_who_ignores_hot_swap_goes_on_under_its_own_number(self):
        got = []

        async def deaf(mailbox):
            got.append("begins")
            async for msg in mailbox:
                got.append(getattr(msg, "type_name", msg))

        async def new(mailbox):
            got.append("new")

        pid = self.rt.spawn_with_mailbox(deaf)
        with self.assertRaisesRegex(iris.SwapRejected, "has not returned"):
            self.rt.swap(pid, new)
        self.assertEqual(self.rt.behavior_version(pid), 1)
        self.rt.send(pid, b"x")
        eventually(lambda: got == ["begins", "HOT_SWAP", b"x"])
        self.rt.stop(pid)  # its return is its end, not for a swap
        self.ends(pid)
        self.assertEqual(got, ["begins", "HOT_SWAP", b"x"])

    def test_who_returns_too_late_begins_again(self):
        got, go = [], []

        async def late(mailbox):
            got.append("begins")
            async for msg in mailbox:
                got.append(getattr(msg, "type_name", msg))
                if not isinstance(msg, bytes):
                    while not go:
                        await asyncio.sleep(0.001)
                    return

        async def new(mailbox):
            got.append("new")

        pid = self.rt.spawn_with_mailbox(late)
        with self.assertRaises(iris.SwapRejected):
            self.rt.swap(pid, new)
        self.rt.send(pid, b"x")
        go.append(1)
        eventually(lambda: got == ["begins", "HOT_SWAP", "begins", b"x"])
        self.rt.stop(pid)
        self.ends(pid)


class AsyncPull(RuntimeTest):
    def test_messages_come_in_order_and_then_nothing(self):
        got = []

        async def pull(mailbox):
            self.assertIsInstance(mailbox, iris.AsyncMailbox)
            async for msg in mailbox:
                got.append(msg)
                if len(got) % 10 == 0:
                    await asyncio.sleep(0)
            got.append("end")

        pid = self.rt.spawn_with_mailbox(pull)
        for i in range(1000):
            self.rt.send(pid, b"%d" % i)
        self.rt.stop(pid)
        self.ends(pid)
        eventually(lambda: got and got[-1] == "end")
        self.assertEqual(got, [b"%d" % i for i in range(1000)] + ["end"])

    def test_selective_and_timeouts(self):
        got = []

        async def pull(mailbox):
            got.append(await mailbox.selective_recv(lambda m: m == b"x", timeout=30))
            got.append(await mailbox.recv())
            got.append(await mailbox.recv(timeout=30))
            got.append(await mailbox.recv(timeout=0.001))
            got.append(await mailbox.selective_recv(lambda m: 1 / 0, timeout=0))
            try:
                await mailbox.recv(timeout=-1)
            except ValueError:
                got.append("refused")

        pid = self.rt.spawn_with_mailbox(pull)
        for msg in (b"a", b"b", b"x"):
            self.rt.send(pid, msg)
        self.ends(pid)
        eventually(lambda: len(got) == 6)
        self.assertEqual(got, [b"x", b"a", b"b", None, None, "refused"])

    def test_swapped_it_is_told_and_the_new_one_begins_when_it_returns(self):
        got, go = [], []

        def named(name, lingers=False):
            async def pull(mailbox):
                got.append(name)
                async for msg in mailbox:
                    got.append(getattr(msg, "type_name", msg))
                    while lingers and not go:
                        await asyncio.sleep(0.001)
                    if not isinstance(msg, bytes):
                        return

            return pull

        pid = self.rt.spawn_with_mailbox(named("a", True))
        go.append(1)
        for i in range(100):
            self.rt.send(pid, b"%d" % i)
        self.assertEqual(self.rt.swap(pid, named("b", True)), 2)
        for i in range(100):
            self.rt.send(pid, b"%d" % i)
        numbers = [b"%d" % i for i in range(100)]
        eventually(lambda: len(got) == 203)
        self.assertEqual(got, ["a", *numbers, "HOT_SWAP", "b", *numbers])
        got.clear()
        go.clear()
        self.rt.hot_swap(pid, named("c"))
        eventually(lambda: got == ["HOT_SWAP"])
        self.rt.hot_swap(pid, named("d"))
        self.rt.send(pid, b"x")
        self.assertEqual(self.rt.behavior_version(pid), 2)  # b has not returned yet
        go.append(1)
        eventually(lambda: got == ["HOT_SWAP", "c", "HOT_SWAP", "d", b"x"])
        self.assertEqual(self.rt.rollback(pid, 2), 5)
        eventually(lambda: got[5:] == ["HOT_SWAP", "b"])
        self.rt.stop(pid)
        self.ends(pid)

    def test_kill_cancels_it_wherever_it_waits(self):
        got = []

        async def sleeps(mailbox):
            try:
                got.append("sleeps")
                await asyncio.sleep(1000)
            finally:
                got.append("cancelled")

        async def receives(mailbox):
            try:
                got.append("receives")
                await mailbox.recv()
            except asyncio.CancelledError:
                got.append("cancelled")
                raise

        for handler in sleeps, receives:
            got.clear()
            pid = self.rt.spawn_with_mailbox(handler)
            eventually(lambda: got)
            self.rt.kill(pid)
            self.ends(pid)
            eventually(lambda: got == [handler.__name__, "cancelled"])

    def test_stop_lets_it_come_to_its_end(self):
        got, go = [], []

        async def pull(mailbox):
            while not go:
                await asyncio.sleep(0.001)
            got.append(await mailbox.recv())
            got.append("end")

        pid = self.rt.spawn_with_mailbox(pull)
        self.rt.stop(pid)
        self.ends(pid)
        go.append(1)
        eventually(lambda: got == [None, "end"])

    def test_a_fault_between_messages_is_a_crash_and_costs_none(self):
        begun, got, go = [], [], []

        async def faulty(mailbox):
            begun.append(1)
            if len(begun) == 1:
                while not go:
                    await asyncio.sleep(0.001)
                raise ZeroDivisionError("by hand")
            async for msg in mailbox:
                got.append(msg)

        pid = self.rt.spawn_with_mailbox(faulty)
        with self.assertLogs("iris") as logs:
            self.rt.watch(pid, "restartone")
            for i in range(100):
                self.rt.send(pid, b"%d" % i)
            go.append(1)
            eventually(lambda: len(got) == 100)
            eventually(lambda: "by hand" in "".join(logs.output))
        self.assertEqual((got, len(begun)), ([b"%d" % i for i in range(100)], 2))

    def test_a_new_handler_that_fails_ends_its_actor(self):
        async def old(mailbox):
            async for msg in mailbox:
                if not isinstance(msg, bytes):
                    return

        async def new(mailbox):
            raise ZeroDivisionError("by hand")

        pid = self.rt.spawn_with_mailbox(old)
        with self.assertLogs("iris") as logs:
            self.rt.hot_swap(pid, new)
            self.ends(pid)
            eventually(lambda: "by hand" in "".join(logs.output))
        self.assertNotIn("_aio.py", "".join(logs.output))

    def test_a_flood_of_swaps(self):
        """No message is lost or handled twice, in whichever handler it is."""
        got = []

        def fresh():
            async def pull(mailbox):
                async for msg in mailbox:
                    if not isinstance(msg, bytes):
                        return
                    got.append(msg)
                    if len(got) % 7 == 0:
                        await asyncio.sleep(0)

            return pull

        pid = self.rt.spawn_with_mailbox(fresh())
        for i in range(2000):
            self.rt.send(pid, b"%d" % i)
            if i % 3 == 0:
                self.rt.hot_swap(pid, fresh())
        eventually(lambda: len(got) == 2000)
        self.assertEqual(got, [b"%d" % i for i in range(2000)])
        eventually(lambda: self.rt.behavior_version(pid) == 668)

    def test_many_live_at_once(self):
        live, got, many = [], [], 20_000  # tools/bench/python.py has 100,000

        async def pull(mailbox):
            live.append(1)
            got.append(await mailbox.recv())

        pids = [self.rt.spawn_with_mailbox(pull) for _ in range(many)]
        eventually(lambda: len(live) == many)
        for pid in pids:
            self.assertTrue(self.rt.send(pid, b"m"))
        eventually(lambda: len(got) == many)
        eventually(lambda: not any(map(self.rt.is_alive, pids)))

    def test_one_that_returns_at_once_ends(self):
        async def nothing(mailbox):
            pass

        self.ends(self.rt.spawn_with_mailbox(nothing))

    def test_bounds_hold_until_it_moves_on(self):
        go = threading.Event()

        async def pull(mailbox):
            await mailbox.recv()
            while not go.is_set():
                await asyncio.sleep(0.001)
            while await mailbox.recv() is not None:
                pass

        pid = self.rt.spawn(pull, kind="pull", mailbox=3)
        self.assertEqual(sum(self.rt.send(pid, b"") for _ in range(10)), 3)
        go.set()
        eventually(lambda: self.rt.send(pid, b""))


if __name__ == "__main__":
    unittest.main()
