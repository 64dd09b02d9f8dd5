"""A million malformed frames, then 10,000 connections that say nothing, at a node that serves its peer meanwhile."""
import os
import random
import resource
import socket
import struct
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.environ["SRC"], "tests", "netns"))
from lab import Lab, say  # noqa: E402

FRAMES, SILENT, EACH = int(os.environ.get("FRAMES", 1_000_000)), int(os.environ.get("SILENT", 10_000)), 50
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
chance = random.Random(1)
lab = Lab(2, netns=False)
a, b = lab.nodes
lab.start()
lab.run(1, 100)


def malformed():
    """A frame that no one may send first: a wrong type, a wrong length, a HELLO that is none."""
    body = chance.randbytes(chance.randint(0, 60))
    kind = chance.choice([0x10, 0x10, 0x11, 0x12, 0x20, 0x21, chance.randint(0, 255)])
    length = chance.choice([len(body), len(body), chance.randint(0, 0xFFFFFF)])
    return struct.pack(">I", kind << 24 | length) + body


heaps = [b"".join(malformed() for _ in range(EACH)) for _ in range(200)]
tried = {"connections": 0, "refused": 0}


def attack(number, count):
    for i in range(count):
        try:
            with socket.socket() as s:
                s.settimeout(10)
                s.bind((f"127.0.1.{number + 1}", 0))
                s.connect(("127.0.0.1", a.port))
                s.sendall(heaps[(i + 37 * number) % len(heaps)])
                s.shutdown(socket.SHUT_WR)
                while s.recv(4096):
                    pass
        except OSError:
            tried["refused"] += 1  # it has closed already
        tried["connections"] += 1


class Watch(threading.Thread):
    """Each 100 ms: what b got of a; the longest time in which that was nothing; the worst heartbeat."""

    def __init__(self):
        super().__init__()
        self.over, self.gap, self.rtt, self.most = False, 0, 0, 0
        self.start()

    def run(self):
        last, since = -1, time.monotonic()
        while not self.over:
            time.sleep(0.1)
            now, got = time.monotonic(), b.tally.got(0, 1) + a.tally.got(1, 1)
            self.gap = max(self.gap, now - since)
            if got != last:
                last, since = got, now
            self.most = max(self.most, a.used()[0])
            self.rtt = max(self.rtt, a.links()["b"]["rtt_us"] / 1000)

    def end(self):
        self.over = True
        self.join()
        return f"longest time without mail {self.gap:.2f} s, worst heartbeat {self.rtt:.1f} ms, most memory {self.most} KiB"


def during(what, work):
    used, got, began, watch = a.used(), b.tally.got(0, 1), time.monotonic(), Watch()
    work()
    took = time.monotonic() - began
    say(f"{what}: {took:.1f} s; mail a to b {(b.tally.got(0, 1) - got) / took:.0f}/s; {watch.end()};"
        f" a (KiB, descriptors): {used} .. {a.used()}")
    lab.check(watch.gap < 3, f"{what}: the peer is served: {watch.gap:.1f} s without mail")
    lab.check(a.used()[0] <= used[0] * 1.25 + 4096, f"{what}: memory is flat")
    lab.check(sum(a.tally.downs) + sum(b.tally.downs) == 0, f"{what}: nobody was taken for dead")


def frames():
    each = FRAMES // EACH // 8
    all_ = [threading.Thread(target=attack, args=(i, each)) for i in range(8)]
    for t in all_:
        t.start()
    for t in all_:
        t.join()


def silent():
    held = []
    for i in range(min(SILENT, hard - 200)):
        s = socket.socket()
        s.setblocking(False)
        s.bind((f"127.0.2.{i % 200 + 1}", 0))
        s.connect_ex(("127.0.0.1", a.port))
        held.append(s)
        if i % 50 == 49:
            time.sleep(0.01)
    say(f"{len(held)} silent connections are open; a has {a.used()[1]} descriptors")
    time.sleep(8)
    for s in held:
        s.close()


def rest():
    time.sleep(3)


during("nothing", rest)
during(f"{FRAMES} malformed frames", frames)
say(f"{tried['connections']} connections of {EACH} frames each; of them {tried['refused']} were closed before all was written")
during(f"{SILENT} silent connections", silent)
time.sleep(6)
say(f"afterwards: a {a.used()}; " + "; ".join(line for line in a.said().splitlines() if "127.0.1.1:" in line)[:400])
lab.quiet()
for n in lab.nodes:
    say(f"{n.name}: sent - acknowledged - dead letters, sent, acknowledged, dead letters: {lab.balance(n)}")
lab.end()
