import asyncio
import os
import subprocess
import sys
import threading
import time
import unittest

import iris
from helpers import PATIENCE, RuntimeTest, eventually, run_python


class Swaps(RuntimeTest):
    def test_a_rollback_to_nothing_is_refused_in_one_sentence(self):
        pid = self.rt.spawn(lambda m: None)
        with self.assertRaisesRegex(RuntimeError, "^rollback failed: there is no earlier version"):
            self.rt.rollback_behavior(pid)

    def test_messages_before_are_the_olds_and_after_the_news(self):
        got = []
        pid = self.rt.spawn(lambda m: got.append(("a", m)), budget=10)
        for i in range(2000):
            self.rt.send(pid, b"%d" % i)
        self.rt.hot_swap(pid, lambda m: got.append(("b", m)))
        for i in range(2000):
            self.rt.send(pid, b"%d" % i)
        eventually(lambda: len(got) == 4000)
        self.assertEqual(got, [("a", b"%d" % i) for i in range(2000)] + [("b", b"%d" % i) for i in range(2000)])

    def test_versions_and_rollback(self):
        pid = self.rt.spawn(lambda m: b"1", name="it")
        self.assertEqual(self.rt.behavior_version(pid), 1)
        self.assertEqual(self.rt.swap("it", lambda m: b"2"), 2)
        self.assertEqual(self.rt.swap(pid, lambda m: b"3", now=True), 3)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"3")
        self.assertEqual(self.rt.rollback_behavior(pid, 2), 4)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"1")
        with self.assertRaisesRegex(RuntimeError, "rollback failed"):
            self.rt.rollback_behavior(pid, 100)
        with self.assertRaises(iris.SwapRejected):
            self.rt.rollback(pid, 100)
        with self.assertRaises(LookupError):
            self.rt.behavior_version(4711)
        with self.assertRaises(iris.NoSuchActor):
            self.rt.swap(4711, print)
        self.assertIsNone(self.rt.hot_swap(4711, print))
        with self.assertRaises(TypeError):
            self.rt.hot_swap(pid, None)

    def test_attributes_cross_where_the_class_keeps_its_name(self):
        def make(version, slots=None):
            class Counter:
                if slots:
                    __slots__ = slots

                def __init__(self):
                    self.n = 0

                def on_msg(self, msg):
                    self.n += 1
                    return b"%s %d" % (version, self.n)

            return Counter

        pid = self.rt.spawn(make(b"a"))
        self.assertEqual(self.rt.ask_wait(pid, b""), b"a 1")
        self.rt.swap(pid, make(b"b"))
        self.assertEqual(self.rt.ask_wait(pid, b""), b"b 2")
        self.rt.swap(pid, make(b"c", ("n",)))
        self.assertEqual(self.rt.ask_wait(pid, b""), b"c 3")

        class Other:
            def on_msg(self, msg):
                pass

        with self.assertRaisesRegex(iris.SwapRejected, "__iris_save__"):
            self.rt.swap(pid, Other)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"c 4")

    def test_a_flood_of_swaps(self):
        count = [0, 0]

        def one(msg):
            count[0] += 1

        def other(msg):
            count[1] += 1

        pid = self.rt.spawn(one)
        for i in range(20000):
            self.rt.send(pid, b"")
            self.rt.hot_swap(pid, (other, one)[i % 2])
        eventually(lambda: sum(count) == 20000)
        self.assertEqual(count, [10000, 10000])
        eventually(lambda: self.rt.behavior_version(pid) == 20001)

    def test_fresh_handlers_are_freed(self):
        import gc
        import weakref

        alive = weakref.WeakSet()
        pid = self.rt.spawn(lambda m: None)
        for i in range(2000):
            def handler(msg, i=i):
                pass

            alive.add(handler)
            self.rt.hot_swap(pid, handler)
            del handler
        eventually(lambda: self.rt.behavior_version(pid) == 2001)
        eventually(lambda: gc.collect() is not None and len(alive) <= 5)


class Timers(RuntimeTest):
    def test_once_again_and_cancelled(self):
        pid, got = self.collector()
        self.rt.send_after(pid, 1, b"once")
        again = self.rt.send_interval(pid, 1, b"again")
        never = self.rt.send_after(pid, 3600_000, b"never")
        self.assertTrue(self.rt.cancel_timer(never))
        self.assertFalse(self.rt.cancel_timer(never))
        eventually(lambda: got.count(b"again") >= 3 and b"once" in got)
        self.assertTrue(self.rt.cancel_timer(again))
        self.assertFalse(self.rt.cancel_timer(12345678))

    def test_an_interval_fires_first_at_once(self):
        pid, got = self.collector()
        self.rt.send_interval(pid, 3600_000, b"beat")
        eventually(lambda: got == [b"beat"])

    def test_what_is_refused(self):
        pid, _ = self.collector()
        for interval in (0, -1):
            with self.assertRaisesRegex(ValueError, "interval_ms"):
                self.rt.send_interval(pid, interval, b"x")
        with self.assertRaisesRegex(ValueError, "delay_ms"):
            self.rt.send_after(pid, -1, b"x")
        self.assertEqual(self.rt.send_after(4711, 1, b"x"), 0)
        self.assertTrue(self.rt.send_after(pid=pid, delay_ms=0, data=bytearray(b"x")))


class Names(RuntimeTest):
    def test_register_and_find(self):
        one, other = self.rt.spawn(print), self.rt.spawn(print)
        self.assertIsNone(self.rt.whereis("auth"))
        self.rt.register("auth", one)
        self.assertEqual((self.rt.whereis("auth"), self.rt.resolve("auth")), (one, one))
        self.rt.register("auth", other)
        self.assertEqual(self.rt.whereis("auth"), other)
        self.rt.unregister("auth")
        self.rt.unregister("auth")
        self.assertIsNone(self.rt.whereis("auth"))
        with self.assertRaises(iris.NoSuchActor):
            self.rt.register("auth", 4711)
        with self.assertRaises(ValueError):
            self.rt.register("two words", one)

    def test_a_name_is_free_when_its_actor_has_ended(self):
        pid, got = self.collector(name="it", path="/svc/it")
        self.assertTrue(self.rt.send_named("it", b"1") and self.rt.send_named("/svc/it", b"2"))
        eventually(lambda: got == [b"1", b"2"])
        self.rt.stop(pid)
        self.ends(pid)
        self.assertFalse(self.rt.send_named("it", b""))
        self.assertIsNone(self.rt.whereis("it"))

    def test_paths(self):
        pids = {}
        for path in ("/system/service/one", "/system/service/two", "/system/x"):
            pids[path] = self.rt.spawn(lambda m: None, 10)
            self.rt.register_path(path, pids[path])
        self.assertEqual(self.rt.whereis_path("/system/x"), pids["/system/x"])
        self.assertEqual(dict(self.rt.list_children("/system")), pids)
        self.assertEqual(self.rt.list_children_direct("/system"), [("/system/x", pids["/system/x"])])
        self.rt.unregister_path("/system/x")
        self.assertIsNone(self.rt.whereis_path("/system/x"))


class Observed(RuntimeTest):
    def test_messages_are_kept(self):
        pid = self.rt.spawn_with_path_observed(10, "/svc/test/one")
        self.assertEqual(self.rt.whereis("/svc/test/one"), pid)
        for i in range(3):
            self.rt.send(pid, b"%d" % i)
        eventually(lambda: len(self.rt.get_messages(pid)) == 3)
        self.assertEqual(self.rt.get_messages(pid), [b"0", b"1", b"2"])
        self.assertEqual(self.rt.selective_recv_blocking(pid, lambda m: m == b"1"), b"1")
        self.assertEqual(self.rt.get_messages(pid), [b"0", b"2"])
        self.assertIsNone(self.rt.selective_recv_blocking(pid, lambda m: m == b"9", 0.001))
        threading.Timer(0.001, lambda: self.rt.send(pid, b"9")).start()
        self.assertEqual(self.rt.selective_recv_blocking(pid, lambda m: m == b"9", 30), b"9")
        self.assertEqual(self.rt.get_messages(4711), [])
        self.rt.stop(pid)
        self.ends(pid)
        self.assertEqual(self.rt.get_messages(pid), [])

    def test_a_handler_that_blocks_holds_nothing_up(self):
        go, begun = threading.Event(), threading.Event()
        self.addCleanup(go.set)
        self.rt.send(self.rt.spawn(lambda msg: begun.set() or go.wait(PATIENCE)), b"")
        begun.wait()
        pid = self.rt.spawn_observed_handler(10)
        self.rt.send(pid, b"x")
        eventually(lambda: self.rt.get_messages(pid) == [b"x"])
        threading.Timer(0.001, lambda: self.rt.send(pid, b"y")).start()
        self.assertEqual(self.rt.selective_recv_blocking(pid, lambda m: m == b"y", PATIENCE), b"y")
        threading.Timer(0.001, lambda: self.rt.send(pid, b"z")).start()
        self.assertEqual(asyncio.run(self.rt.selective_recv(pid, lambda m: m == b"z", PATIENCE)), b"z")

    def test_blocking_is_possible_where_a_loop_runs(self):
        """As in a notebook."""
        pid = self.rt.spawn_observed_handler(10)

        async def cell():
            threading.Timer(0.001, lambda: self.rt.send(pid, b"x")).start()
            return self.rt.selective_recv_blocking(pid, lambda m: True, PATIENCE)

        self.assertEqual(asyncio.run(cell()), b"x")
        with self.assertRaisesRegex(ValueError, "timeout must be 0 or more"):
            self.rt.selective_recv_blocking(pid, lambda m: True, -1)

    def test_a_swap_is_a_message_among_the_others(self):
        pid = self.rt.spawn_observed_handler(10)
        self.rt.send(pid, b"1")
        with self.assertLogs("iris", "WARNING") as logged:
            self.rt.hot_swap(pid, lambda msg: None)
            self.rt.send(pid, b"2")
        self.assertIn("an observed actor has no code", logged.output[0])
        eventually(lambda: len(self.rt.get_messages(pid)) == 3)
        one, swap, two = self.rt.get_messages(pid)
        self.assertEqual((one, swap.type_name, two), (b"1", "HOT_SWAP", b"2"))

    def test_one_that_comes_as_the_time_is_over_is_not_lost(self):
        """Between the timer of a selective_recv and its task's next step: it is given out, or stays."""
        pid = self.rt.spawn_observed_handler(10)

        def send():
            self.rt.send(pid, b"x")
            eventually(lambda: self.rt.info(pid)["handled"] == 1)

        async def main():
            loop = asyncio.get_running_loop()
            receiving = asyncio.create_task(self.rt.selective_recv(pid, lambda m: m == b"x", 0.001))
            await asyncio.sleep(0)
            loop.call_later(0.001, send)  # after the other timer
            time.sleep(0.01)  # both are due in the same round
            return await receiving

        self.assertEqual(asyncio.run(main()), b"x")

    def test_one_that_is_cancelled_takes_nothing_along(self):
        pid = self.rt.spawn_observed_handler(10)

        async def main():
            receiving = asyncio.create_task(self.rt.selective_recv(pid, lambda m: True))
            await asyncio.sleep(0)
            self.rt.send(pid, b"x")
            eventually(lambda: self.rt.info(pid)["handled"] == 1)
            receiving.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await receiving

        asyncio.run(main())
        self.assertEqual(self.rt.get_messages(pid), [b"x"])

    def test_receivers_that_compete_get_each_message_once(self):
        pid, many = self.rt.spawn_observed_handler(10), 200
        got = []

        async def receives():
            while len(got) < many:
                msg = await self.rt.selective_recv(pid, lambda m: True, 0.001)
                if msg is not None:
                    got.append(msg)

        async def main():
            await asyncio.gather(*(receives() for _ in range(5)))

        threads = [threading.Thread(target=asyncio.run, args=(main(),)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for i in range(many):
            self.rt.send(pid, b"%d" % i)
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(got), sorted(b"%d" % i for i in range(many)))


class Children(RuntimeTest):
    def test_they_end_with_their_parent(self):
        parent = self.rt.spawn(lambda m: None)
        child = self.rt.spawn_child(parent, lambda m: None)
        pool = self.rt.spawn_child_pool(parent, lambda m: None, 3)
        pull = self.rt.spawn_child_with_mailbox(parent, lambda mailbox: mailbox.recv())
        self.assertEqual(len(set(pool)), 3)
        self.rt.stop(parent)
        for pid in [parent, child, pull] + pool:
            self.ends(pid)


class Policies(RuntimeTest):
    def setUp(self):
        super().setUp()
        self.go = threading.Event()
        self.got = []
        self.addCleanup(self.go.set)

    def full(self, policy, target=None):
        """An actor in its first message, with a second one waiting: it takes two."""
        begun = threading.Event()

        def handler(msg):
            begun.set()
            self.go.wait()
            self.got.append(msg)

        pid = self.rt.spawn_py_handler_bounded(handler, 1, 2, release_gil=True)
        self.assertIsNone(self.rt.set_overflow_policy(pid, policy, target))
        self.rt.send(pid, b"1")
        begun.wait()
        self.rt.send(pid, b"2")
        return pid

    def test_dropnew_and_dropold(self):
        self.assertFalse(self.rt.send(self.full("dropnew"), b"3"))
        self.assertTrue(self.rt.send(self.full("DropOld"), b"3"))
        self.go.set()
        eventually(lambda: len(self.got) == 4)
        self.assertEqual(sorted(self.got), [b"1", b"1", b"2", b"3"])

    def test_block_waits(self):
        pid = self.full("block")
        threading.Timer(0.02, self.go.set).start()
        for i in range(100):
            self.assertTrue(self.rt.send(pid, b"x"))
        eventually(lambda: len(self.got) == 102)

    def test_redirect_and_spill(self):
        other, theirs = self.collector()
        self.assertTrue(self.rt.send(self.full("redirect", other), b"3"))
        eventually(lambda: theirs == [b"3"])
        pid = self.full("spill", other)
        threading.Thread(target=lambda: eventually(lambda: len(theirs) == 2) and self.go.set()).start()
        self.assertTrue(self.rt.send(pid, b"4"))
        eventually(lambda: theirs == [b"3", b"4"] and b"4" in self.got)

    def test_a_copy_is_spilt_once_however_long_it_takes(self):
        other, theirs = self.collector()
        pid = self.full("spill", other)
        threading.Timer(0.3, self.go.set).start()
        self.assertTrue(self.rt.send(pid, b"3"))
        eventually(lambda: self.got == [b"1", b"2", b"3"])
        self.assertEqual(theirs, [b"3"])

    def test_whoever_sends_by_name_or_many_waits_too(self):
        pid = self.full("block")
        self.rt.register("full", pid)
        threading.Timer(0.02, self.go.set).start()
        self.assertTrue(self.rt.send_named("full", b"3"))
        self.go.clear()
        threading.Timer(0.02, self.go.set).start()
        self.assertEqual(self.rt.send_many(pid, [b"4"] * 20), 20)
        eventually(lambda: len(self.got) == 23)

    def test_what_is_refused(self):
        pid, _ = self.collector()
        with self.assertRaisesRegex(ValueError, "invalid policy"):
            self.rt.set_overflow_policy(pid, "explode")
        for policy in ("redirect", "spill"):
            with self.assertRaisesRegex(ValueError, "requires target"):
                self.rt.set_overflow_policy(pid, policy)
        self.assertIsNone(self.rt.set_overflow_policy(pid, "block"))
        self.assertTrue(self.rt.send(pid, b"x"))


class Virtual(RuntimeTest):
    def test_it_begins_with_its_first_message_and_rests(self):
        made = []

        class Thing:
            def __init__(self):
                made.append(1)

            def on_msg(self, msg):
                return b"here"

        pid = self.rt.spawn_virtual(Thing, budget=10, idle_timeout_ms=1)
        self.assertTrue(self.rt.is_alive(pid))
        self.assertEqual(self.rt.info(pid)["state"], "asleep")
        self.assertEqual(made, [])
        self.assertEqual(self.rt.ask_wait(pid, b""), b"here")
        eventually(lambda: self.rt.ask_wait(pid, b"") == b"here" and len(made) >= 1)
        eventually(lambda: time.sleep(0.01) or self.rt.ask_wait(pid, b"") == b"here" and len(made) >= 3)


class Links(RuntimeTest):
    def exits(self, pid):
        return [m for m in self.rt.get_messages(pid) if isinstance(m, iris.PySystemMessage)]

    def test_an_exit_tells_who_and_why(self):
        def fault(msg):
            raise ValueError("told to")

        observer = self.rt.spawn_observed_handler(10)
        crashes, stops, is_killed = self.rt.spawn(fault), self.rt.spawn(print), self.rt.spawn(print)
        leaves = self.rt.spawn(lambda m: sys.exit())
        for pid in (crashes, stops, is_killed, leaves):
            self.rt.link(observer, pid)
            self.rt.link(pid, observer)
        with self.assertLogs("iris"):
            for pid in (crashes, leaves):
                self.rt.send(pid, b"")
            self.rt.stop(stops)
            self.rt.kill(is_killed)
            eventually(lambda: len(self.exits(observer)) == 4)
            self.ends(crashes)
        told = {m.target_pid: m for m in self.exits(observer)}
        self.assertEqual({m.type_name for m in told.values()}, {"EXIT"})
        self.assertTrue(all(m.from_pid == m.target_pid for m in told.values()))
        self.assertEqual({p: str(m.reason) for p, m in told.items()},
                         {crashes: "Crash", stops: "Killed", is_killed: "Killed", leaves: "Normal"})
        self.assertEqual(told[leaves].reason, "normal")
        match told[leaves].reason:  # by equality; a set goes by the hash, which is that of the capital word
            case "normal":
                matched = True
        self.assertTrue(matched and told[leaves].reason in ("normal",) and told[leaves].reason in {"Normal"})
        self.assertIn(told[leaves].reason.lower(), {"normal"})
        self.assertTrue("killed" == told[stops].reason != "crash")
        self.assertIn("ValueError: told to", told[crashes].metadata)
        self.assertIn("in fault", told[crashes].metadata)
        self.assertIn("how=stop", told[stops].metadata)
        self.assertIsNone(told[leaves].metadata)

    def test_a_link_kills_no_python_actor_and_unlink_ends_it(self):
        one, other = self.rt.spawn(lambda m: 1 / 0), self.rt.spawn(lambda m: b"alive")
        observer = self.rt.spawn_observed_handler(10)
        self.rt.link(one, other)
        self.rt.link(one, observer)
        self.rt.unlink(one, observer)
        with self.assertLogs("iris"):
            self.rt.send(one, b"")
            self.ends(one)
            eventually(lambda: self.rt.ask_wait(other, b"") == b"alive")
        self.rt.link(observer, one)
        eventually(lambda: self.exits(observer))
        self.assertEqual([str(m.reason) for m in self.exits(observer)], ["Noproc"])

    def test_a_pull_actor_receives_exits(self):
        got = []
        other = self.rt.spawn(print)
        pid = self.rt.spawn_with_mailbox(lambda mailbox: got.append(mailbox.recv()))
        self.rt.link(pid, other)
        self.rt.kill(other)
        self.ends(pid)
        self.assertEqual((got[0].type_name, got[0].target_pid, got[0].reason), ("EXIT", other, "Killed"))


class Supervision(RuntimeTest):
    def test_watched_actors_begin_again_in_place(self):
        class Counter:
            def __init__(self):
                self.n = 0

            def on_msg(self, msg):
                if msg == b"crash":
                    raise ValueError("told to")
                self.n += 1
                return b"%d" % self.n

        pid = self.rt.spawn(Counter, path="/svc/test/one")
        self.rt.create_path_supervisor("/svc/test")
        self.rt.path_supervisor_watch("/svc/test", pid)
        self.assertEqual(self.rt.path_supervisor_children("/svc/test"), [pid])
        self.assertEqual(self.rt.ask_wait(pid, b""), b"1")
        with self.assertLogs("iris"):
            self.rt.send(pid, b"crash")
            eventually(lambda: self.rt.info(pid) and self.rt.info(pid)["restarts"] == 1)
            self.assertEqual(self.rt.ask_wait(pid, b""), b"1")
        self.rt.remove_path_supervisor("/svc/test")
        self.assertEqual(self.rt.path_supervisor_children("/svc/test"), [])

    def test_watch_path_watches_what_is_one_level_below(self):
        pids = [self.rt.spawn(lambda m: None, path=path) for path in ("/system/service/one", "/system/service/two")]
        self.rt.spawn(lambda m: None, path="/system/other")
        self.rt.watch_path("/system/service")
        self.assertEqual((sorted(self.rt.child_pids()), self.rt.children_count()), (sorted(pids), 2))
        other = self.rt.spawn(lambda m: None)
        self.rt.watch(other, "RestartOne")
        self.assertEqual(self.rt.children_count(), 3)
        self.rt.stop(other)
        eventually(lambda: self.rt.children_count() == 2)

    def test_a_factory_makes_another_one_whatever_the_end(self):
        made = []

        def factory():
            made.append(self.rt.spawn(lambda m: b"new"))
            return made[-1]

        first = self.rt.spawn(lambda m: b"old")
        self.rt.supervise_with_factory(first, factory, "restart_one")
        self.assertEqual(made, [])
        self.rt.stop(first)
        eventually(lambda: made)
        self.assertEqual(self.rt.ask_wait(made[0], b""), b"new")
        eventually(lambda: self.rt.child_pids() == [made[0]])

    def test_a_factory_that_fails_is_asked_again(self):
        calls = []

        def factory():
            calls.append(1)
            if len(calls) < 3:
                raise ConnectionError("not yet")
            return self.rt.spawn(print)

        first = self.rt.spawn(print)
        self.rt.path_supervise_with_factory("/svc/made", first, factory, "restart_all")
        with self.assertLogs("iris"):
            self.rt.stop(first)
            eventually(lambda: len(calls) == 3)

    def test_what_is_refused(self):
        pid = self.rt.spawn(print)
        with self.assertRaisesRegex(ValueError, "invalid strategy"):
            self.rt.supervise_with_factory(pid, print, "some")
        with self.assertRaises(TypeError):
            self.rt.supervise_with_factory(pid, None, "one")
        with self.assertRaises(iris.NoSuchActor):
            self.rt.watch(4711, "one")
        with self.assertRaises(iris.NoSuchActor):
            self.rt.spawn(print, parent=4711)
        self.ends(self.rt.spawn_child(4711, print))  # as the original has it


class PullSwaps(RuntimeTest):
    def test_hot_swap_is_received_and_the_new_one_goes_on(self):
        got = []

        def make(name):
            def pull(mailbox):
                while True:
                    msg = mailbox.recv()
                    if msg is None or isinstance(msg, iris.PySystemMessage):
                        got.append((name, msg and msg.type_name))
                        return
                    got.append((name, msg))
            return pull

        pid = self.rt.spawn_with_mailbox(make("a"))
        self.rt.send(pid, b"1")
        self.rt.hot_swap(pid, make("b"))
        self.rt.send(pid, b"2")
        self.rt.stop(pid)
        self.ends(pid)
        self.assertEqual(got, [("a", b"1"), ("a", "HOT_SWAP"), ("b", b"2"), ("b", None)])


class Join(RuntimeTest):
    def test_it_waits_for_the_end(self):
        pid = self.rt.spawn(lambda m: None)
        with self.assertRaises(TimeoutError):
            self.rt.join(pid, timeout=0.001)
        self.rt.send_after(pid, 5, b"")
        threading.Timer(0.01, lambda: self.rt.stop(pid)).start()
        self.assertIsNone(self.rt.join(pid))
        self.assertFalse(self.rt.is_alive(pid))
        self.assertIsNone(self.rt.join(pid))
        self.assertIsNone(self.rt.join(4711))


class Life(unittest.TestCase):
    def test_several_runtimes_and_their_ends(self):
        one, other = iris.Runtime(), iris.Runtime(workers=1)
        pid = one.spawn(lambda m: b"one")
        self.assertEqual(one.ask_wait(pid, b""), b"one")
        one.close()
        one.close()
        with self.assertRaisesRegex(RuntimeError, "closed"):
            one.send(pid, b"")
        with other as rt:
            self.assertEqual(rt.ask_wait(rt.spawn(lambda m: b"other"), b""), b"other")
            self.assertIs(rt._inner.spawn_py_handler(print, 10) > 0, True)
        self.assertTrue(other.closed)

    def test_a_hundred_runtimes_leave_no_threads(self):
        for _ in range(100):
            rt = iris.Runtime(workers=1)
            rt.send(rt.spawn(lambda m: None), b"")
            rt.close()
        eventually(lambda: len(os.listdir("/proc/self/task")) <= 4)

    def test_one_that_nobody_holds_is_closed(self):
        rt = iris.Runtime(workers=1)
        rt.spawn(lambda m: None)
        before = len(os.listdir("/proc/self/task"))
        del rt
        eventually(lambda: len(os.listdir("/proc/self/task")) < before)

    def test_the_interpreter_ends_with_live_actors(self):
        source = """
import iris, sys, time, threading, asyncio
rt = iris.Runtime()
def busy(m):
    for i in range(1000): pass
async def waits(m): await asyncio.sleep(1000)
pids = [rt.spawn(busy) for _ in range(100)] + [rt.spawn(busy, release_gil=True), rt.spawn(waits)]
pull = [rt.spawn_with_mailbox(lambda mb: mb.recv()) for _ in range(5)]
rt.send_interval(pids[0], 1, b"x")
for pid in pids:
    for i in range(20): rt.send(pid, b"x" * 5000)
"""
        for _ in range(5):
            self.assertEqual(run_python(source), (0, "", ""))

    def test_the_interpreter_ends_with_a_handler_that_does_not(self):
        source = """
import iris, time, threading
rt = iris.Runtime()
in_it = threading.Event()
def stuck(mb):
    in_it.set()
    time.sleep(1000)
rt.spawn_with_mailbox(stuck)
in_it.wait()
print("end")
"""
        status, out, _ = run_python(source)
        self.assertEqual((status, out), (0, "end\n"))

    def test_actors_may_call_until_they_have_ended(self):
        source = """
import iris
rt = iris.Runtime()
def flood(m): rt.send(rt.self(), b"x")
for pid in [rt.spawn(flood) for _ in range(10)]: rt.send(pid, b"x")
"""
        self.assertEqual(run_python(source), (0, "", ""))

    def test_a_child_of_fork_has_none(self):
        source = """
import iris, os, warnings
warnings.simplefilter("ignore")  # newer Pythons warn of every fork with threads
rt = iris.Runtime()
pid = rt.spawn(lambda m: m)
assert rt.ask_wait(pid, b"x") == b"x"
child = os.fork()
if child == 0:
    try:
        rt.send(pid, b"")
    except RuntimeError as error:
        assert "fork" in str(error), error
        raise SystemExit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
assert rt.ask_wait(pid, b"x") == b"x"
print("fine")
"""
        self.assertEqual(run_python(source), (0, "fine\n", ""))

    def test_limits_of_threads_come_from_the_environment(self):
        source = """
import iris, threading
rt = iris.Runtime()
pids = [rt.spawn(lambda m: b"%d" % threading.get_ident(), release_gil=True) for _ in range(4)]
print(len({rt.ask_wait(pid, b"") for pid in pids}))
"""
        limits = {"IRIS_MAX_RELEASE_GIL_THREADS": "1", "IRIS_GIL_POOL_SIZE": "1"}
        self.assertEqual(run_python(source, env=limits), (0, "2\n", ""))
        self.assertIn("must be a number", run_python(source, env={"IRIS_GIL_POOL_SIZE": "x"})[2])

    def test_what_the_module_says_of_itself(self):
        self.assertRegex(iris.version(), r"\d+\.\d+\.\d+")
        for name in iris.__all__:
            self.assertTrue(hasattr(iris, name))
        done = subprocess.run([sys.executable, "-m", "iris", "--version"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(iris.version(), done.stdout)


if __name__ == "__main__":
    unittest.main()
