import threading
import unittest

import iris
from helpers import RuntimeTest, eventually


class Pull(RuntimeTest):
    def test_recv_in_order_then_nothing(self):
        got = []

        def pull(mailbox):
            for msg in mailbox:
                got.append(msg)
            got.append(mailbox.recv())

        pid = self.rt.spawn_with_mailbox(pull, budget=100)
        for i in range(5000):
            self.rt.send(pid, b"%d" % i)
        self.rt.stop(pid)
        self.ends(pid)
        self.assertEqual(got, [b"%d" % i for i in range(5000)] + [None])

    def test_timeouts(self):
        got = []

        def pull(mailbox):
            got.append(mailbox.recv(timeout=0))
            got.append(mailbox.recv(0.001))
            for bad in (-1, float("nan"), "x"):
                try:
                    mailbox.recv(timeout=bad)
                except (ValueError, TypeError) as error:
                    got.append(type(error))
            got.append(mailbox.recv(timeout=None))

        pid = self.rt.spawn_with_mailbox(pull)
        eventually(lambda: len(got) == 5)
        self.rt.send(pid, b"x")
        self.ends(pid)
        self.assertEqual(got, [None, None, ValueError, ValueError, TypeError, b"x"])

    def test_selective_recv_keeps_the_others_in_order(self):
        got = []

        def pull(mailbox):
            def asks_again(msg):
                mailbox.recv()

            got.append(mailbox.selective_recv(lambda m: m == b"3", timeout=30))
            got.append(mailbox.selective_recv(asks_again, timeout=0))
            got.append([mailbox.recv() for _ in range(3)])

        pid = self.rt.spawn_with_mailbox(pull)
        for i in range(4):
            self.rt.send(pid, b"%d" % i)
        self.ends(pid)
        self.assertEqual(got, [b"3", None, [b"0", b"1", b"2"]])

    def test_the_mailbox_is_the_handlers_own(self):
        kept = []

        def pull(mailbox):
            kept.append(mailbox)
            errors = []
            thread = threading.Thread(target=lambda: errors.append(self._try(mailbox)))
            thread.start()
            thread.join()
            kept.append(errors)
            self.assertEqual(mailbox.pid, self.rt.self())

        pid = self.rt.spawn_with_mailbox(pull)
        self.ends(pid)
        self.assertIn("another thread", kept[1][0])
        self.assertIn("has returned", self._try(kept[0]))

    def _try(self, mailbox):
        try:
            return mailbox.recv(0)
        except iris.Error as error:
            return str(error)

    def test_two_thousand_are_all_started(self):
        started = []
        go = threading.Event()

        def pull(mailbox):
            started.append(1)
            mailbox.recv()

        pids = [self.rt.spawn_with_mailbox(pull) for _ in range(2000)]
        eventually(lambda: len(started) == 2000)
        for pid in pids:
            self.rt.send(pid, b"end")
        eventually(lambda: not any(map(self.rt.is_alive, pids)))

    def test_a_fault_is_a_crash(self):
        def pull(mailbox):
            mailbox.recv()
            raise ZeroDivisionError("by hand")

        pid = self.rt.spawn_with_mailbox(pull)
        with self.assertLogs("iris") as logs:
            with self.assertRaisesRegex(iris.NoSuchActor, "ZeroDivisionError: by hand"):
                self.rt.ask_wait(pid, b"")
            self.ends(pid)
            eventually(lambda: logs.output)


if __name__ == "__main__":
    unittest.main()
