"""10,000 actors of one node that one of another monitors: what that costs, and what it costs while nothing happens.
Then half of the promise each: they end, and their node is killed. Each monitor hears once."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.environ["SRC"], "tests", "netns"))
from lab import BUILD, Lab, isolate, say, wait_for  # noqa: E402

MANY = 10000
lab = Lab(2, isolate(must=True), actors=[{"path": "/throng", "handler": f"{BUILD}/tests/behaviours/throng.so"}])
a, b = lab.nodes
lab.start()


def ask(n, text):
    return n.call("ask", {"target": "/throng", "data": text})["reply"]


def wire():
    """bytes and packets that node a has sent, received"""
    at = "/sys/class/net/va/statistics/"
    text = a.inside("cat /proc/net/dev").stdout
    fields = [line.split()[1:] for line in text.splitlines() if "eth0" in line][0]
    return int(fields[8]), int(fields[9]), int(fields[0]), int(fields[1]), at


def sockets(n):
    return len([line for line in n.inside("cat /proc/net/tcp").stdout.splitlines()[1:] if line.split()[3] == "01"])


def at_rest(what):
    time.sleep(2)
    one = wire()
    time.sleep(10)
    two = wire()
    sent, packets, got, came = ((two[i] - one[i]) / 10 for i in range(4))
    say(f"{what}: a sends {sent:.0f} B/s in {packets:.1f} packets, gets {got:.0f} in {came:.1f};"
        f" connections: {sockets(a)}; (KiB, descriptors): a {a.used()}, b {b.used()}")
    return a.used()[0], b.used()[0]


def watch_all():
    before = int(ask(a, "count").split()[0])
    began = time.monotonic()
    for i in range(0, MANY, 500):
        ask(a, "watch b " + ask(b, f"pids {i} 500"))
    lab.check(int(ask(a, "count").split()[0]) == before + MANY, "all are watched")
    say(f"{MANY} monitors set in {time.monotonic() - began:.2f} s (500 at a time, through the control socket)")


def downs(n, what):
    began = time.monotonic()
    wait_for(lambda: ask(a, "count").split()[1] == str(n), what, lambda: ask(a, "count"))
    say(f"{what}: {MANY} DOWNs in {time.monotonic() - began:.2f} s")
    time.sleep(2)
    lab.check(ask(a, "count") == f"{n} {n} 0", f"{what}: each once: {ask(a, 'count')}")


ask(b, f"spawn {MANY}")
bare = at_rest(f"{MANY} actors, none monitored")
watch_all()
full = at_rest(f"{MANY} actors, each monitored")
say(f"bytes of a monitor: at who watches {(full[0] - bare[0]) * 1024 / MANY:.0f}, at whose actor it is {(full[1] - bare[1]) * 1024 / MANY:.0f}")
ask(b, "end")
downs(MANY, "they end")
ask(b, f"spawn {MANY}")
watch_all()
b.kill()
downs(2 * MANY, "their node is killed")
b.start()
lab.end()
