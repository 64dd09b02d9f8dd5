"""P3: what may take the place of a handler, and what crosses with it."""
import functools
import os
import tempfile
import unittest

import iris
from helpers import RuntimeTest, eventually


class Kinds(RuntimeTest):
    def test_anything_that_can_be_called(self):
        class Callable:
            def __call__(self, msg):
                return b"callable " + msg

            def method(self, msg):
                return b"method " + msg

            @classmethod
            def of_class(cls, msg):
                return b"classmethod " + msg

            @staticmethod
            def static(msg):
                return b"static " + msg

        def with_closure(word):
            def handler(msg):
                return word + b" " + msg
            return handler

        async def coroutine(msg):
            return b"async " + msg

        def two(word, msg):
            return word + b" " + msg

        class Stateful:
            def on_msg(self, msg):
                return b"state " + msg

        handlers = [(lambda m: b"lambda " + m, b"lambda"), (with_closure(b"closure"), b"closure"),
                    (functools.partial(two, b"partial"), b"partial"), (Callable(), b"callable"),
                    (Callable().method, b"method"), (Callable.of_class, b"classmethod"),
                    (Callable.static, b"static"), (bytes.upper, b"X"), (with_closure(b"again"), b"again")]
        pid = self.rt.spawn(lambda m: b"first")
        for handler, word in handlers:
            with self.subTest(word=word):
                self.assertIsNone(self.rt.hot_swap(pid, handler))
                self.assertIn(word, self.rt.ask_wait(pid, b"x"))
        self.assertEqual(self.rt.ask_wait(self.rt.spawn(Stateful), b"x"), b"state x")
        self.assertEqual(self.rt.ask_wait(self.rt.spawn(coroutine), b"x"), b"async x")
        version = self.rt.behavior_version(pid)
        self.assertEqual(self.rt.rollback_behavior(pid, 1), version + 1)
        self.assertEqual(self.rt.ask_wait(pid, b"x"), b"X")

    def test_the_running_call_finishes_under_the_old(self):
        import threading
        begun, go, got = threading.Event(), threading.Event(), []

        def old(msg):
            begun.set()
            go.wait()
            got.append((b"old", msg))

        pid = self.rt.spawn(old, release_gil=True)
        self.rt.send(pid, b"1")
        begun.wait()
        self.rt.send(pid, b"2")
        self.rt.hot_swap(pid, lambda m: got.append((b"new", m)))
        self.rt.send(pid, b"3")
        go.set()
        eventually(lambda: len(got) == 3)
        self.assertEqual(got, [(b"old", b"1"), (b"old", b"2"), (b"new", b"3")])

    def test_now_is_the_very_next(self):
        import threading
        begun, go, got = threading.Event(), threading.Event(), []

        def old(msg):
            begun.set()
            go.wait()
            got.append(b"old")

        pid = self.rt.spawn(old, release_gil=True)
        for _ in range(3):
            self.rt.send(pid, b"x")
        begun.wait()
        threading.Timer(0.02, go.set).start()
        self.rt.swap(pid, lambda m: got.append(b"new"), now=True)
        eventually(lambda: len(got) == 3)
        self.assertEqual(got, [b"old", b"new", b"new"])


class States(RuntimeTest):
    def counter(self, **hooks):
        class Counter:
            def __init__(self, n=0):
                self.n = n

            def on_msg(self, msg):
                self.n += 1
                return b"%d" % self.n

        for name, hook in hooks.items():
            setattr(Counter, name, hook)
        return Counter

    def test_bytes_cross_between_classes_of_other_names(self):
        told = []

        class Newer:
            __iris_version__ = 3

            def on_msg(self, msg):
                self.total += 10
                return b"%d" % self.total

            def __iris_save__(self):
                return b"%d" % self.total

            @classmethod
            def __iris_upgrade__(cls, version, saved):
                told.append((version, saved))
                new = cls()
                new.total = int(saved)
                return new

        old = self.counter(__iris_version__=2, __iris_save__=lambda self: b"%d" % self.n)
        old.__iris_upgrade__ = classmethod(lambda cls, version, saved: cls(int(saved)))
        pid = self.rt.spawn(old)
        self.assertEqual([self.rt.ask_wait(pid, b"") for _ in range(3)], [b"1", b"2", b"3"])
        self.assertEqual(self.rt.swap(pid, Newer), 2)
        self.assertEqual(told, [(2, b"3")])
        self.assertEqual(self.rt.ask_wait(pid, b""), b"13")
        self.assertEqual(self.rt.rollback(pid), 3)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"14")

    def test_an_upgrade_that_refuses_changes_nothing(self):
        def no(cls, version, saved):
            raise ValueError("too old for me")

        old = self.counter(__iris_save__=lambda self: b"%d" % self.n)
        new = self.counter(__iris_upgrade__=classmethod(no), __iris_save__=lambda self: b"")
        pid = self.rt.spawn(old)
        self.rt.ask_wait(pid, b"")
        with self.assertRaisesRegex(iris.SwapRejected, "too old for me"):
            self.rt.swap(pid, new)
        with self.assertLogs("iris") as logged:
            self.rt.hot_swap(pid, new)  # says nothing itself
            eventually(lambda: "too old for me" in "".join(logged.output))
        self.assertEqual(self.rt.ask_wait(pid, b""), b"2")
        self.assertEqual(self.rt.behavior_version(pid), 1)

    def pair(self):
        """Two classes that keep their state each in its own way, and have not heard of each other."""
        def one(cls, version, saved):
            if version != 1:
                raise ValueError(f"format {version}")
            return cls(int(saved))

        class Newer:
            __iris_version__ = 2

            def on_msg(self, msg):
                return self.text

            def __iris_save__(self):
                return self.text.encode()

            @classmethod
            def __iris_upgrade__(cls, version, saved):
                if version != 2:
                    raise ValueError(f"format {version}")
                new = cls()
                new.text = saved.decode()
                return new

        old = self.counter(__iris_version__=1, __iris_save__=lambda self: b"%d" % self.n,
                           __iris_upgrade__=classmethod(one))
        return old, Newer

    def test_a_migration_knows_both(self):
        old, new = self.pair()
        pid, told = self.rt.spawn(old), []
        self.rt.ask_wait(pid, b"")

        def migrate(saved, version):
            told.append((saved, version))
            return b"so many: " + saved

        with self.assertRaisesRegex(iris.SwapRejected, "format 1"):
            self.rt.swap(pid, new)
        self.assertEqual(self.rt.swap(pid, new, migrate=migrate), 2)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"so many: 1")
        self.assertEqual(self.rt.swap(pid, new, migrate=migrate), 3)  # of one format
        self.assertEqual(told, [(b"1", 1)])
        with self.assertRaisesRegex(iris.SwapRejected, "__iris_downgrade__"):
            self.rt.rollback(pid, 2)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"so many: 1")
        other = self.rt.spawn(old)
        self.assertIsNone(self.rt.hot_swap(other, new, migrate))
        eventually(lambda: self.rt.behavior_version(other) == 2)
        self.assertEqual(self.rt.ask_wait(other, b""), b"so many: 0")
        third = self.rt.spawn(old)  # a migration goes with its swap, not with the class
        with self.assertRaisesRegex(iris.SwapRejected, "format 1"):
            self.rt.swap(third, new)

    def test_a_migration_that_fails_changes_nothing(self):
        old, new = self.pair()
        pid = self.rt.spawn(old)
        self.rt.ask_wait(pid, b"")

        async def later(saved, version):
            return saved

        with self.assertRaisesRegex(iris.SwapRejected, "ZeroDivisionError"):
            self.rt.swap(pid, new, migrate=lambda saved, version: 1 // 0)
        with self.assertRaisesRegex(iris.SwapRejected, "bytes-like object is required, not 'dict'"):
            self.rt.swap(pid, new, migrate=lambda saved, version: {})
        for wrong in (later, "shop.pay:migrate", 5):
            with self.assertRaisesRegex(TypeError, r"plain function\(saved, from_version\)"):
                self.rt.swap(pid, new, migrate=wrong)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"2")
        self.assertEqual(self.rt.behavior_version(pid), 1)

    def test_a_migration_goes_by_bytes_where_the_object_would_be_handed_over(self):
        old, new = self.counter(), self.counter()
        pid = self.rt.spawn(old)
        self.rt.ask_wait(pid, b"")
        with self.assertRaisesRegex(iris.SwapRejected, "has no __iris_save__"):
            self.rt.swap(pid, new, migrate=lambda saved, version: saved)
        self.assertEqual(self.rt.swap(pid, new), 2)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"2")

    def test_a_crash_begins_afresh_in_place(self):
        class Fragile:
            def __init__(self):
                self.n = 0

            def on_msg(self, msg):
                if msg == b"crash":
                    raise ValueError
                self.n += 1
                return b"%d" % self.n

        pid = self.rt.spawn(Fragile)
        self.rt.watch(pid, "restart_one")
        self.assertEqual(self.rt.ask_wait(pid, b""), b"1")
        with self.assertLogs("iris"):
            self.rt.send(pid, b"crash")
            eventually(lambda: self.rt.info(pid) and self.rt.info(pid)["restarts"] == 1)
        self.assertEqual(self.rt.ask_wait(pid, b""), b"1")


if __name__ == "__main__":
    unittest.main()
