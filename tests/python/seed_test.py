"""The examples that people know from the original, as programs of their own: each prints what its text says."""
import unittest

from helpers import run_python


class Examples(unittest.TestCase):
    def prints(self, source, wanted, in_any_order=False):
        status, out, err = run_python("import iris, time, asyncio, threading\nrt = iris.Runtime()\n" + source)
        self.assertEqual((status, err), (0, ""))
        lines = out.splitlines()
        self.assertEqual(sorted(lines) if in_any_order else lines, wanted)

    def test_a_thousand_push_actors(self):
        self.prints("""
def worker(msg): print("done", msg.decode())
pids = [rt.spawn(worker, budget=50) for _ in range(1000)]
for n, pid in enumerate(pids): assert rt.send(pid, b"%03d" % n)
""", [f"done {n:03}" for n in range(1000)], in_any_order=True)

    def test_a_pull_actor_waits(self):
        self.prints("""
def saga(mailbox):
    print("begins", mailbox.recv())
    print("confirmed" if mailbox.recv(timeout=5.0) else "timed out")
    print(mailbox.recv(timeout=0.01))
pid = rt.spawn_with_mailbox(saga, budget=100)
rt.send(pid, b"order")
rt.send(pid, b"yes")
rt.join(pid)
""", ["begins b'order'", "confirmed", "None"])

    def test_children_end_with_their_parent(self):
        self.prints("""
parent = rt.spawn(lambda msg: print("parent got", msg))
child = rt.spawn_child(parent, lambda msg: None)
rt.send(parent, b"quit")  # a message like any other
assert rt.ask_wait(rt.spawn(lambda m: b"x"), b"") and rt.is_alive(child)
rt.stop(parent)
rt.join(parent)
print(rt.is_alive(child))
""", ["parent got b'quit'", "False"])

    def test_the_registry(self):
        self.prints("""
pid = rt.spawn(print)
rt.register("auth", pid)
print(rt.whereis("auth") == pid, rt.whereis("nobody"))
async def remote():
    try:
        await rt.resolve_remote_py("127.0.0.1:1", "auth")
    except iris.Error as error:
        print("refused" in str(error))
asyncio.run(remote())
""", ["True None", "True"])

    def test_path_supervisors(self):
        self.prints("""
pid = rt.spawn_with_path_observed(10, "/svc/test/one")
rt.create_path_supervisor("/svc/test")
rt.path_supervisor_watch("/svc/test", pid)
print(rt.path_supervisor_children("/svc/test") == [pid])
rt.remove_path_supervisor("/svc/test")
print(rt.path_supervisor_children("/svc/test"))
""", ["True", "[]"])

    def test_system_messages(self):
        self.prints("""
import logging
logging.disable()
observer = rt.spawn_observed_handler(10)
crashes = rt.spawn(lambda m: 1 / 0)
rt.link(observer, crashes)
rt.send(crashes, b"")
while not rt.get_messages(observer): time.sleep(0.001)
for msg in rt.get_messages(observer):
    if isinstance(msg, iris.PySystemMessage) and msg.type_name == "EXIT":
        print(msg.from_pid == msg.target_pid == crashes, msg.reason, msg.metadata.splitlines()[0])
""", ["True Crash ZeroDivisionError: division by zero"])

    def test_hot_swap(self):
        source = """
def a(msg): print("logic a")
def b(msg): print("logic b")
pid = rt.spawn(a, budget=10)
rt.send(pid, b"test")
rt.hot_swap(pid, b)
rt.send(pid, b"test")
"""
        for _ in range(10):
            self.prints(source, ["logic a", "logic b"])

    def test_mailbox_size_and_timers(self):
        self.prints("""
got = []
pid = rt.spawn(got.append)
print(rt.mailbox_size(pid), rt.mailbox_size(99))
once = rt.send_after(pid, 3600_000, b"tick")
print(rt.cancel_timer(once), rt.cancel_timer(once))
beat = rt.send_interval(pid, 1, b"beat")
while len(got) < 3: time.sleep(0.001)
print(rt.cancel_timer(beat), set(got))
rt.send_after(pid, 1, b"tick")
while got[-1] != b"tick": time.sleep(0.001)
""", ["0 None", "True False", "True {b'beat'}"])

    def test_bounded_mailboxes(self):
        self.prints("""
got = []
pid = rt.spawn_py_handler_bounded(got.append, budget=100, capacity=2)
accepted = [rt.send(pid, word) for word in (b"one", b"two", b"three")]
rt.stop(pid)
rt.join(pid)
print(accepted, got)
""", ["[True, True, False] [b'one', b'two']"])

    def test_release_gil(self):
        self.prints("""
threads = []
def handler(msg): threads.append(threading.get_ident())
for release in (False, True):
    pid = rt.spawn(handler, budget=10, release_gil=release)
    rt.send(pid, b"ping")
while len(threads) < 2: time.sleep(0.001)
print(len(set(threads + [threading.get_ident()])))
""", ["3"])

    def test_paths(self):
        self.prints("""
pid = rt.spawn(lambda m: None, 10)
rt.register_path("/system/service/one", pid)
print(rt.whereis_path("/system/service/one") == pid)
print(rt.list_children("/system/service") == [("/system/service/one", pid)])
print(rt.list_children_direct("/system"), len(rt.list_children_direct("/system/service")))
rt.watch_path("/system/service")
print(rt.child_pids() == [pid], rt.children_count())
""", ["True", "True", "[] 1", "True 1"])


if __name__ == "__main__":
    unittest.main()
