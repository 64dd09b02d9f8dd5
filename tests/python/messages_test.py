import array
import gc
import sys
import threading
import unittest

import iris
from helpers import RuntimeTest, eventually


class Messages(RuntimeTest):
    MANY = 100_000

    def test_they_come_as_bytes_and_in_order(self):
        pid, got = self.collector()
        for i in range(20000):
            self.assertIs(self.rt.send(pid, b"%d" % i), True)
        eventually(lambda: len(got) == 20000)
        self.assertEqual(got, [b"%d" % i for i in range(20000)])

    def test_any_buffer_can_be_sent(self):
        pid, got = self.collector()
        numbers = array.array("H", [1, 2])
        for data in (b"", bytearray(b"ab"), memoryview(b"cd"), numbers):
            self.assertTrue(self.rt.send(pid, data))
        eventually(lambda: len(got) == 4)
        self.assertEqual(got, [b"", b"ab", b"cd", numbers.tobytes()])
        self.assertTrue(all(type(m) is bytes for m in got))

    def test_an_answer_above_the_limit_crashes_who_gives_it(self):
        for answer in (bytes((64 << 20) + 1), "x" * ((64 << 20) + 1)):
            pid = self.rt.spawn(lambda _, answer=answer: answer)
            with self.assertRaisesRegex(Exception, "above the limit of a message"):
                self.rt.ask_wait(pid, b"", 20)

    def test_an_answer_that_is_no_text_and_no_buffer_says_what_to_return(self):
        for answer, kind in ((2.5, "float"), ([1], "list")):
            pid = self.rt.spawn(lambda _, answer=answer: answer)
            with self.assertRaisesRegex(Exception, f"not {kind}; make text of it"):
                self.rt.ask_wait(pid, b"", 20)

    def test_what_is_no_buffer_raises(self):
        pid, _ = self.collector()
        for data in ("text", 1, None, [1]):
            with self.assertRaisesRegex(TypeError, "encode"):
                self.rt.send(pid, data)
        with self.assertRaises(TypeError):
            self.rt.send("pid", b"")
        with self.assertRaises(TypeError):
            self.rt.send(pid)
        self.assertTrue(self.rt.send(pid=pid, data=b"by name"))

    def test_nobody_there_is_told(self):
        pid, _ = self.collector()
        self.rt.stop(pid)
        self.ends(pid)
        for nobody in (pid, 0, -1, 2**53, 2**80):
            self.assertIs(self.rt.send(nobody, b"x"), False)

    def test_large_bytes_are_not_copied(self):
        pid, got = self.collector()
        data = bytes(1 << 20)
        for _ in range(3):
            self.rt.send(pid, data)
        eventually(lambda: len(got) == 3)
        self.assertTrue(all(m is data for m in got))
        before = sys.getrefcount(data)
        got.clear()
        eventually(lambda: sys.getrefcount(data) < before)
        eventually(lambda: sys.getrefcount(data) == 2)

    def test_a_large_message_to_nobody_is_given_back(self):
        data = bytes(100000)
        self.assertFalse(self.rt.send(12345, data))
        eventually(lambda: sys.getrefcount(data) == 2)

    def test_a_buffer_is_written_once_and_sent_without_a_copy(self):
        pid, got = self.collector()
        for size in (0, 1, 2, 100000):
            number, view, capsule = iris.allocate_buffer(size)
            self.assertEqual(len(view), size)
            view[:] = b"x" * size
            self.assertTrue(self.rt.send_buffer(pid, number))
            with self.assertRaisesRegex(ValueError, "already taken"):
                self.rt.send_buffer(pid, number)
            with self.assertRaises(ValueError):
                view[0:1]
            del capsule
        eventually(lambda: len(got) == 4)
        self.assertEqual(got, [b"", b"x", b"xx", b"x" * 100000])

    def test_a_buffer_that_somebody_still_writes_to_is_copied(self):
        pid, got = self.collector()
        number, view, capsule = iris.allocate_buffer(5000)
        part = view[:4]
        part[:] = b"good"
        self.rt.send_buffer(pid, number)
        part[:] = b"evil"
        eventually(lambda: got)
        self.assertEqual(got[0][:4], b"good")

    def test_a_buffer_that_is_not_sent_goes_with_its_capsule(self):
        number, view, capsule = iris.allocate_buffer(10)
        del capsule
        gc.collect()
        with self.assertRaises(ValueError):
            self.rt.send_buffer(1, number)

    def test_views_stay_readable_when_kept(self):
        got = []
        pid = self.rt.spawn(got.append, view=True)
        for i in range(1000):
            self.rt.send(pid, b"%d" % i * 50)
        eventually(lambda: len(got) == 1000)
        self.assertTrue(all(type(m) is memoryview and m.readonly for m in got))
        self.assertEqual([bytes(m) for m in got], [b"%d" % i * 50 for i in range(1000)])

    def test_what_can_change_is_copied_when_it_is_sent(self):
        for view in (False, True):
            pid, got = self.collector(view=view)
            data = bytearray(b"good" * 10000)
            self.rt.send(pid, data)
            self.rt.send(pid, memoryview(data)[:20000])
            data[:4] = b"evil"
            data.extend(bytes(100000))  # moves it; a buffer that was still held would forbid that
            del data
            eventually(lambda: len(got) == 2)
            self.assertEqual([bytes(m) for m in got], [b"good" * 10000, b"good" * 5000])

    def test_large_ones_are_not_copied_for_views_either(self):
        pid, got = self.collector(view=True)
        data = bytes(100000)
        self.rt.send(pid, data)
        eventually(lambda: got)
        self.assertIs(got[0].obj, data)

    def test_what_is_kept_outlives_its_runtime(self):
        kept = []
        before = threading.active_count()
        with iris.Runtime() as rt:
            pids = [rt.spawn(kept.append, view=True), rt.spawn(kept.append)]
            for pid in pids:
                for size in (10, 3000, 1 << 20):
                    rt.send(pid, b"x" * size)
            eventually(lambda: len(kept) == 6)
        self.assertTrue(rt.closed)
        self.assertEqual(sorted(len(m) for m in kept), [10, 10, 3000, 3000, 1 << 20, 1 << 20])
        self.assertTrue(all(bytes(m) == b"x" * len(m) for m in kept))
        self.assertEqual(threading.active_count(), before)

    def test_a_message_passed_on_a_thousand_times_is_one_object(self):
        hops, data = [], bytes(50000)

        def passes_on(msg):
            hops.append(msg is data)
            if len(hops) < 1000:
                self.rt.send(pids[len(hops) % 10], msg)

        pids = [self.rt.spawn(passes_on) for _ in range(10)]
        self.rt.send(pids[0], data)
        eventually(lambda: len(hops) == 1000)
        self.assertTrue(all(hops))

    def test_a_message_that_is_let_go_of_leaves_nothing_in_the_next_and_one_that_is_kept_stays(self):
        seen, kept, sent = [], [], [b"%04d" % i for i in range(1000)]

        def look(msg):
            seen.append((hash(msg), msg.decode()))
            if len(seen) % 3 == 0:
                kept.append(msg)

        self.assertEqual(self.rt.send_many(self.rt.spawn(look), sent), 1000)
        eventually(lambda: len(seen) == 1000)
        self.assertEqual(seen, [(hash(msg), msg.decode()) for msg in sent])
        self.assertEqual(kept, sent[2::3])

    def test_a_handler_answers_with_what_it_returns(self):
        for answer, expected in ((b"b", b"b"), (bytearray(b"ba"), b"ba"), ("ä", "ä".encode()), (b"", b"")):
            pid = self.rt.spawn(lambda m, answer=answer: answer)
            self.assertEqual(self.rt.ask_wait(pid, b""), expected)

    def test_an_answer_that_is_none_crashes_its_actor(self):
        pid = self.rt.spawn(lambda m: 17)
        with self.assertRaisesRegex(iris.NoSuchActor, "int"):
            self.rt.ask_wait(pid, b"")

    def test_a_full_mailbox_says_no(self):
        go, begun = threading.Event(), threading.Event()
        pid = self.rt.spawn_py_handler_bounded(lambda m: (begun.set(), go.wait())[:0] or None, budget=100, capacity=2)
        self.assertEqual([self.rt.send(pid, b"x") for _ in range(3)], [True, True, False])
        with self.assertRaises(iris.MailboxFull):
            self.rt.ask_wait(pid, b"")
        begun.wait()
        self.assertEqual(self.rt.mailbox_size(pid), 1)
        go.set()
        eventually(lambda: self.rt.send(pid, b"x"))

    def test_stop_handles_what_was_accepted(self):
        handled = []
        pids = [self.rt.spawn(handled.append, budget=10) for _ in range(self.MANY)]
        for pid in pids:
            self.assertTrue(self.rt.send(pid, b"ping"))
        for pid in pids:
            self.rt.stop(pid)
        eventually(lambda: not any(map(self.rt.is_alive, pids)))
        self.assertEqual(len(handled), self.MANY)


if __name__ == "__main__":
    unittest.main()
