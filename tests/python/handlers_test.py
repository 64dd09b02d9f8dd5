import gc
import logging
import sys
import threading
import time
import unittest
import weakref

import iris
from helpers import RuntimeTest, eventually


class Counter:
    def __init__(self):
        self.n = 0

    def on_msg(self, msg):
        self.n += 1
        return b"%d" % self.n


class Handlers(RuntimeTest):
    def test_functions_objects_and_classes(self):
        class Callable:
            def __call__(self, msg):
                return b"object " + msg

        self.assertEqual(self.rt.ask_wait(self.rt.spawn(lambda m: b"f " + m), b"x"), b"f x")
        self.assertEqual(self.rt.ask_wait(self.rt.spawn(Callable()), b"x"), b"object x")
        self.assertEqual(self.rt.ask_wait(self.rt.spawn(Counter().on_msg), b"x"), b"1")
        one, other = self.rt.spawn(Counter), self.rt.spawn(Counter)
        for i in (b"1", b"2", b"3"):
            self.assertEqual(self.rt.ask_wait(one, b""), i)
        self.assertEqual(self.rt.ask_wait(other, b""), b"1")

    def test_what_cannot_be_called_is_refused(self):
        class Nothing:
            pass

        for handler in (None, 1, "text", Nothing):
            with self.assertRaises(TypeError):
                self.rt.spawn(handler)
        for budget in (0, -1):
            with self.assertRaises(ValueError):
                self.rt.spawn(print, budget=budget)
        for capacity in (0, -1):
            with self.assertRaises(ValueError):
                self.rt.spawn_py_handler_bounded(print, 10, capacity)

    def test_a_handler_is_freed_with_its_last_actor(self):
        def handler(msg):
            pass

        gone = weakref.ref(handler)
        pids = [self.rt.spawn(handler) for _ in range(100)]
        del handler
        gc.collect()
        self.assertIsNotNone(gone())
        for pid in pids:
            self.rt.stop(pid)
        eventually(lambda: gone() is None)

    def test_state_is_freed_with_its_actor(self):
        class Thing:
            def on_msg(self, msg):
                pass

        alive = weakref.WeakSet()

        class Holder:
            def __init__(self):
                self.thing = Thing()
                alive.add(self.thing)

            def on_msg(self, msg):
                pass

        pid = self.rt.spawn(Holder)
        eventually(lambda: len(alive) == 1)
        self.rt.stop(pid)
        eventually(lambda: len(alive) == 0)

    def test_a_fault_ends_only_its_actor(self):
        def fault(msg):
            if msg == b"exit":
                sys.exit(3)
            if msg == b"key":
                raise KeyboardInterrupt
            if msg == b"deep":
                return fault(msg)
            raise ValueError("no such thing")

        other = self.rt.spawn(lambda m: b"alive")
        for msg, word in ((b"exit", "SystemExit: 3"), (b"key", "KeyboardInterrupt"), (b"deep", "RecursionError"),
                          (b"x", "ValueError: no such thing")):
            pid = self.rt.spawn(fault)
            with self.assertLogs("iris", logging.WARNING) as logs:
                with self.assertRaisesRegex(iris.NoSuchActor, word):
                    self.rt.ask_wait(pid, msg)
                self.ends(pid)
                eventually(lambda: any(word in line for line in logs.output), word)
            self.assertIn("in fault", "".join(logs.output))
        self.assertEqual(self.rt.ask_wait(other, b""), b"alive")

    def test_sys_exit_without_a_code_is_a_normal_end(self):
        pid = self.rt.spawn(lambda m: sys.exit())
        with self.assertNoLogs("iris", logging.WARNING):
            self.rt.send(pid, b"")
            self.ends(pid)

    def test_actors_send_to_each_other(self):
        done = threading.Event()
        pids = []

        def ping(msg):
            n = int(msg)
            if n == 0:
                done.set()
            else:
                self.rt.send(pids[n % 2], b"%d" % (n - 1))

        pids += [self.rt.spawn(ping), self.rt.spawn(ping)]
        self.rt.send(pids[0], b"10000")
        self.assertTrue(done.wait(30))
        self.assertIsNone(self.rt.self())
        self.assertEqual(self.rt.ask_wait(self.rt.spawn(lambda m: b"%d" % self.rt.self(), name="me"), b""),
                         b"%d" % self.rt.whereis("me"))

    def test_waiting_for_an_answer_inside_a_handler_raises(self):
        other = self.rt.spawn(lambda m: m)

        def asks(msg):
            try:
                self.rt.ask_wait(other, b"")
            except iris.Error as error:
                return str(error)

        self.assertIn(b"async def", self.rt.ask_wait(self.rt.spawn(asks), b""))
        own = self.rt.spawn(lambda m: self.rt.ask_wait(other, b"own " + m), release_gil=True)
        self.assertEqual(self.rt.ask_wait(own, b"x"), b"own x")


class ReleaseGil(RuntimeTest):
    def tearDown(self):
        self.rt.set_release_gil_limits(256, 8)
        self.rt.set_release_gil_strict(False)

    def test_it_runs_elsewhere_and_holds_up_nobody(self):
        go = threading.Event()
        threads = []

        def blocks(msg):
            threads.append(threading.get_ident())
            go.wait()

        pids = [self.rt.spawn(blocks, release_gil=True) for _ in range(2)]
        for pid in pids:
            self.rt.send(pid, b"")
        eventually(lambda: len(threads) == 2)
        plain = self.rt.spawn(lambda m: b"%d" % threading.get_ident())
        self.assertNotIn(int(self.rt.ask_wait(plain, b"")), threads)
        self.assertEqual(len(set(threads)), 2)
        go.set()

    def test_in_order_and_one_at_a_time(self):
        for max_threads in (256, 0):
            self.rt.set_release_gil_limits(max_threads, gil_pool_size=3)
            got, inside = [], []

            def slow(msg):
                inside.append(1)
                self.assertEqual(len(inside), 1)
                time.sleep(0.0005)
                got.append(int(msg))
                inside.pop()

            pid = self.rt.spawn(slow, release_gil=True)
            for i in range(200):
                self.rt.send(pid, b"%d" % i)
            eventually(lambda: len(got) == 200)
            self.assertEqual(got, list(range(200)))

    def test_limits(self):
        self.rt.set_release_gil_limits(2, 1)
        own = [self.rt.spawn(lambda m: b"%d" % threading.get_ident(), release_gil=True) for _ in range(4)]
        threads = [self.rt.ask_wait(pid, b"") for pid in own]
        self.assertEqual(len(set(threads)), 3)
        self.assertEqual(threads[2], threads[3])
        self.rt.set_release_gil_strict(True)
        with self.assertRaisesRegex(RuntimeError, "release_gil thread limit exceeded"):
            self.rt.spawn(print, release_gil=True)
        self.rt.stop(own[0])
        self.ends(own[0])
        eventually(lambda: self._can_spawn())
        with self.assertRaises(ValueError):
            self.rt.set_release_gil_limits(-1, 8)

    def test_swaps_and_restarts_keep_what_it_was_spawned_as(self):
        def counting(name):
            class Counter:
                def __init__(self, n=0):
                    self.n = n

                def on_msg(self, msg):
                    if msg == b"crash":
                        raise ValueError(name)
                    self.n += 1
                    return b"%s %d %d %d" % (name.encode(), self.n, threading.get_ident(), isinstance(msg, memoryview))

                def __iris_save__(self):
                    return b"%d" % self.n

                @classmethod
                def __iris_upgrade__(cls, version, saved):
                    return cls(int(saved))

            Counter.__name__ = Counter.__qualname__ = name
            return Counter

        self.rt.set_release_gil_limits(1, 1)
        self.rt.set_release_gil_strict(True)
        pid = self.rt.spawn(counting("a"), release_gil=True, view=True)
        self.rt.watch(pid, "RestartOne")
        own = self.rt.ask_wait(pid, b"").split()[2]
        for i, name in enumerate("bcd", 2):
            self.rt.swap(pid, counting(name))
            self.assertEqual(self.rt.ask_wait(pid, b""), b"%s %d %s 1" % (name.encode(), i, own))
            self.assertIsNone(self._can_spawn())
        with self.assertLogs("iris"):
            self.rt.send(pid, b"crash")
            eventually(lambda: self.rt.info(pid)["restarts"] == 1)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"d 1 %s 1" % own)
        self.rt.swap(pid, counting("e"))
        self.assertEqual(self.rt.ask_wait(pid, b""), b"e 2 %s 1" % own)
        self.assertIsNone(self._can_spawn())
        self.rt.stop(pid)
        self.ends(pid)
        eventually(self._can_spawn)

    def _can_spawn(self):
        try:
            return self.rt.spawn(print, release_gil=True)
        except RuntimeError:
            return None

    def test_bounds_hold(self):
        go = threading.Event()
        pid = self.rt.spawn_py_handler_bounded(lambda m: go.wait() and None, 100, 2, release_gil=True)
        self.assertEqual(sum(self.rt.send(pid, b"x") for _ in range(500)), 2)
        go.set()


class Limit(RuntimeTest):
    options = {"turn_limit": 1}

    def test_an_endless_loop_is_interrupted(self):
        def endless(msg):
            while True:
                try:
                    sum(range(100))
                except Exception:
                    pass

        pid = self.rt.spawn(endless)
        other = self.rt.spawn(lambda m: b"alive")
        with self.assertLogs("iris", logging.WARNING) as logs:
            self.rt.send(pid, b"")
            self.ends(pid)
            eventually(lambda: "Interrupted" in "".join(logs.output))
        self.assertEqual(self.rt.ask_wait(other, b""), b"alive")

    def test_what_comes_back_in_time_is_left_alone(self):
        pid = self.rt.spawn(lambda m: time.sleep(0.01))
        for _ in range(100):
            self.rt.send(pid, b"")
        eventually(lambda: self.rt.info(pid)["handled"] == 100)


if __name__ == "__main__":
    unittest.main()
