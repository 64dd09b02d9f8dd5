"""P4: whatever a handler does ends its actor at most, and is told with where it happened."""
import os
import subprocess
import sys
import threading
import time
import unittest

import iris
from helpers import RuntimeTest, eventually, run_python


class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no words")

    __repr__ = __str__


def recurse():
    return recurse()


class Failures(RuntimeTest):
    def told(self, handler, message=b"x", spawn=None, log=True):
        """The EXIT that a linked observer gets when this handler fails."""
        observer = self.rt.spawn_observed_handler(10)
        pid = (spawn or self.rt.spawn)(handler)
        bystander = self.rt.spawn(lambda m: b"alive")
        self.rt.link(observer, pid)
        self.rt.send(pid, message)
        eventually(lambda: self.rt.get_messages(observer), "an EXIT")
        exit, = self.rt.get_messages(observer)
        self.ends(pid)
        self.assertEqual(self.rt.ask_wait(bystander, b""), b"alive")
        self.assertEqual((exit.type_name, exit.target_pid), ("EXIT", pid))
        return exit

    def test_each_kind_of_exception_is_a_crash_with_its_traceback(self):
        def arithmetic(msg):
            1 / 0

        def interrupt(msg):
            raise KeyboardInterrupt

        def exits(msg):
            sys.exit(3)

        def recursion(msg):
            recurse()

        def memory(msg):
            raise MemoryError("none left")

        def allocates(msg):
            bytearray(1 << 60)

        def generator(msg):
            raise GeneratorExit

        def group(msg):
            raise ExceptionGroup("two", [ValueError(1), KeyError(2)])

        cases = {arithmetic: "ZeroDivisionError", interrupt: "KeyboardInterrupt", exits: "SystemExit: 3",
                 recursion: "RecursionError", memory: "MemoryError: none left", allocates: "MemoryError",
                 generator: "GeneratorExit", group: "ExceptionGroup"}
        for handler, words in cases.items():
            for how in ({}, {"release_gil": True}):
                with self.subTest(handler=handler.__name__, **how), self.assertLogs("iris") as logged:
                    exit = self.told(handler, spawn=lambda h: self.rt.spawn(h, **how))
                    self.assertEqual(str(exit.reason), "Crash")
                    self.assertIn(words, exit.metadata)
                    self.assertIn(f"in {handler.__name__}", exit.metadata)
                    self.assertIn("crash_test.py", exit.metadata)
                    eventually(lambda: words in "".join(logged.output), "the log")

    def test_in_async_and_pull_handlers_too(self):
        async def waits(msg):
            import asyncio
            await asyncio.sleep(0)
            raise KeyboardInterrupt("here")

        async def at_once(msg):
            raise SystemExit(2)

        def pull(mailbox):
            mailbox.recv()
            raise KeyboardInterrupt("here")

        async def async_pull(mailbox):
            await mailbox.recv()
            raise SystemExit(5)

        for handler, spawn, words in ((waits, self.rt.spawn, "KeyboardInterrupt: here"),
                                      (at_once, self.rt.spawn, "SystemExit: 2"),
                                      (pull, self.rt.spawn_with_mailbox, "KeyboardInterrupt: here"),
                                      (async_pull, self.rt.spawn_with_mailbox, "SystemExit: 5")):
            with self.subTest(handler=handler.__name__), self.assertLogs("iris"):
                exit = self.told(handler, spawn=spawn)
                self.assertEqual(str(exit.reason), "Crash")
                self.assertIn(words, exit.metadata)
                self.assertIn(f"in {handler.__name__}", exit.metadata)

        async def fine(msg):
            return b"loop lives"

        self.assertEqual(self.rt.ask_wait(self.rt.spawn(fine), b""), b"loop lives")

    def test_an_exception_without_words(self):
        def handler(msg):
            raise Unprintable

        with self.assertLogs("iris"):
            exit = self.told(handler)
        self.assertEqual(str(exit.reason), "Crash")
        self.assertIn("Unprintable", exit.metadata)

    def test_the_log_is_of_its_path(self):
        def handler(msg):
            raise LookupError("no such card")

        pid = self.rt.spawn(handler, path="/svc/payment")
        with self.assertLogs("iris.svc.payment", "ERROR") as logged:
            self.rt.send(pid, b"x")
            self.ends(pid)
            eventually(lambda: logged.output)
        self.assertIn("LookupError: no such card", logged.output[0])
        self.assertIn("in handler", logged.output[0])

    def test_who_asked_is_told(self):
        with self.assertLogs("iris"), self.assertRaisesRegex(iris.NoSuchActor, "ValueError: bad"):
            def handler(msg):
                raise ValueError("bad")
            self.rt.ask_wait(self.rt.spawn(handler), b"x")

    def test_the_message_before_and_after(self):
        got = []

        def handler(msg):
            if msg == b"2":
                raise ValueError
            got.append(msg)

        pid = self.rt.spawn(handler)
        with self.assertLogs("iris"):
            for i in range(5):
                self.rt.send(pid, b"%d" % i)
            self.ends(pid)
        self.assertEqual(got, [b"0", b"1"])
        self.assertFalse(self.rt.send(pid, b"5"))


class Machines(RuntimeTest):
    """What handlers start beside themselves."""

    def test_threads(self):
        got = []

        def handler(msg):
            thread = threading.Thread(target=lambda: got.append(self.rt.send(pid, b"from a thread")))
            if msg == b"go":
                thread.start()
                thread.join()
            else:
                got.append(msg)

        pid = self.rt.spawn(handler)
        self.rt.send(pid, b"go")
        eventually(lambda: got == [True, b"from a thread"])

    def test_programs_and_forks(self):
        def program(msg):
            return subprocess.run([sys.executable, "-c", "print('out')"], capture_output=True).stdout

        def fork(msg):
            child = os.fork()
            if child == 0:
                try:
                    self.rt.send(1, b"")
                except iris.Error:
                    os._exit(7)
                os._exit(1)
            return b"%d" % os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

        self.assertEqual(self.rt.ask_wait(self.rt.spawn(program), b"", 30), b"out\n")
        import warnings
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.assertEqual(self.rt.ask_wait(self.rt.spawn(fork), b"", 30), b"7")

    def test_what_they_start_can_be_terminated(self):
        def handler(msg):
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
            child.terminate()
            return b"%d" % child.wait(30)

        for how in ({}, {"release_gil": True}):
            self.assertEqual(self.rt.ask_wait(self.rt.spawn(handler, **how), b"", 30), b"-15")

    def test_posix_spawn_wants_to_be_told_the_signals(self):
        def handler(msg):
            more = {"setsigmask": []} if msg == b"told" else {}
            child = os.posix_spawn(sys.executable, [sys.executable, "-c", "import signal, sys; sys.exit("
                                   "signal.SIGTERM in signal.pthread_sigmask(0, ()))"], os.environ, **more)
            return b"blocked" if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) else b"free"

        pid = self.rt.spawn(handler)
        self.assertEqual([self.rt.ask_wait(pid, msg, 30) for msg in (b"told", b"")], [b"free", b"blocked"])

    @unittest.skipIf("LD_PRELOAD" in os.environ, "a sanitizer is not whole in the child of a fork with threads")
    def test_pools_of_processes(self):
        source = """
import iris, multiprocessing, warnings
warnings.simplefilter("ignore")
def double(x): return 2 * x
if __name__ == "__main__":
    rt = iris.Runtime()
    def handler(msg):
        with multiprocessing.get_context("fork").Pool(2) as pool:
            return b"%d" % sum(pool.map(double, range(10)))
    print(rt.ask_wait(rt.spawn(handler), b"", 30))
    child = multiprocessing.get_context("fork").Process(target=lambda: print("child", iris.Runtime().spawn(print) > 0))
    child.start(); child.join()
    print(child.exitcode)
"""
        self.assertEqual(run_python(source), (0, "b'90'\nchild True\n0\n", ""))


class Endless(RuntimeTest):
    options = {"turn_limit": 0.2}

    def test_a_loop_is_ended(self):
        def loop(msg):
            while True:
                pass

        with self.assertLogs("iris") as logged:
            pid = self.rt.spawn(loop)
            other = self.rt.spawn(lambda m: b"served")
            self.rt.send(pid, b"x")
            self.assertEqual(self.rt.ask_wait(other, b"", 30), b"served")
            self.ends(pid)
            eventually(lambda: "Interrupted" in "".join(logged.output))

    def test_without_a_limit_it_is_told(self):
        source = """
import iris, logging, sys, time
class Seen(logging.Handler):
    def emit(self, record):
        print(record.name, "has not returned" in record.getMessage(), flush=True)
        go.append(1)
go = []
logging.getLogger("iris").addHandler(Seen())
rt = iris.Runtime()
def loop(msg):
    while not go: time.sleep(0.01)
rt.send(rt.spawn(loop, path="/svc/busy"), b"x")
while not go: time.sleep(0.01)
"""
        self.assertEqual(run_python(source), (0, "iris.svc.busy True\n", ""))


class BadArguments(RuntimeTest):
    def test_they_raise_or_answer_and_change_nothing(self):
        rt, pid = self.rt, self.rt.spawn(lambda m: b"same")
        raised = {
            ValueError: [lambda: rt.send_interval(pid, 0, b"x"), lambda: rt.send_interval(pid, -5, b"x"),
                         lambda: rt.send_after(pid, -1, b"x"), lambda: rt.send_after(pid, float("nan"), b"x"),
                         lambda: rt.spawn_py_handler_bounded(print, 10, 0),
                         lambda: rt.spawn_py_handler_bounded(print, 10, -1), lambda: rt.spawn(print, 0),
                         lambda: rt.spawn(print, -1), lambda: rt.spawn(print, mailbox=0),
                         lambda: rt.spawn(print, kind="other"), lambda: rt.set_release_gil_limits(-1, 8),
                         lambda: rt.set_release_gil_limits(1, 0), lambda: iris.allocate_buffer(-1),
                         lambda: rt.send_buffer(pid, 12345), lambda: rt.set_overflow_policy(pid, "none"),
                         lambda: rt.spawn_virtual(print, 10, -1), lambda: rt.create_path_supervisor("no slash"),
                         lambda: rt.join(pid, -1),
                         lambda: rt.ask_wait(pid, b"", -1), lambda: rt.watch(pid, "sometimes"),
                         lambda: iris.Runtime(workers=-1)],
            iris.Error: [lambda: rt.spawn_with_path_observed(10, "no slash")],
            TypeError: [lambda: rt.spawn("print"), lambda: rt.spawn(print, "10"), lambda: rt.send(pid, "text"),
                        lambda: rt.send(pid, None), lambda: rt.send(str(pid), b""), lambda: rt.send(pid, 5),
                        lambda: rt.hot_swap(pid, b"code"), lambda: rt.send_after(pid, "1", b""),
                        lambda: rt.supervise_with_factory(pid, 5, "one")],
        }
        for kind, calls in raised.items():
            for at, call in enumerate(calls):
                with self.subTest(kind=kind.__name__, at=at), self.assertRaises(kind):
                    call()
        for dead in (0, -1, 1, 4711, 1 << 60, 1 << 80):
            self.assertIs(rt.send(dead, b"x"), False)
            self.assertIs(rt.is_alive(dead), False)
            self.assertIsNone(rt.mailbox_size(dead))
            self.assertIsNone(rt.stop(dead))
            self.assertIsNone(rt.join(dead))
            self.assertIsNone(rt.hot_swap(dead, print))
            self.assertIsNone(rt.link(dead, dead))
            self.assertIs(rt.cancel_timer(dead), False)
            self.assertEqual(rt.get_messages(dead), [])
            self.assertEqual(rt.send_after(dead, 1, b"x"), 0)
        self.assertEqual(rt.ask_wait(pid, b""), b"same")
        self.assertEqual(rt.behavior_version(pid), 1)

    def test_of_recv(self):
        got = []

        def pull(mailbox):
            for timeout in (-1.0, "1", float("nan")):
                try:
                    mailbox.recv(timeout=timeout)
                except (ValueError, TypeError) as error:
                    got.append(type(error))
            got.append(mailbox.recv(timeout=0))

        pid = self.rt.spawn_with_mailbox(pull)
        self.ends(pid)
        self.assertEqual(got, [ValueError, TypeError, ValueError, None])


if __name__ == "__main__":
    unittest.main()
