#!/usr/bin/env python3
"""What Python actors do in a second: sent AND handled, no-op handlers, medians of five.

    PYTHONPATH=build/release/lib/iris/python tools/bench/python.py [ROW ...]

Beside each row the original (SSL-ACTX/Iris 0.3), measured on such a machine, where it can do this at all."""
import statistics
import sys
import time

import iris

ROUNDS = 5


def settle(rt, pid, n):
    while rt.info(pid)["handled"] < n:
        time.sleep(0.0005)


def seconds(act):
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def one(rt, n=1_000_000):
    pid, send = rt.spawn(lambda msg: None), rt.send

    def act():
        for _ in range(n):
            send(pid, b"ping")
        settle(rt, pid, n)

    return n / seconds(act)


def many(rt, n=100_000, times=5):
    def handler(msg):
        pass

    pids, send = [rt.spawn(handler) for _ in range(n)], rt.send

    def act():
        for _ in range(times):
            for pid in pids:
                send(pid, b"ping")
        for pid in pids[:: n // 100]:
            settle(rt, pid, times)
        settle(rt, pids[-1], times)

    return n * times / seconds(act)


def pull(rt, n=500_000):
    def handler(mailbox):
        recv = mailbox.recv
        for _ in range(n):
            recv()

    pid, send = rt.spawn_with_mailbox(handler), rt.send

    def act():
        for _ in range(n):
            send(pid, b"ping")
        rt.join(pid)

    return n / seconds(act)


def coroutine(rt, n=500_000):
    async def handler(msg):
        pass

    pid, send = rt.spawn(handler), rt.send

    def act():
        for _ in range(n):
            send(pid, b"ping")
        settle(rt, pid, n)

    return n / seconds(act)


def large(rt, n=300_000, data=bytes(65536)):
    pid, send = rt.spawn(lambda msg: None), rt.send

    def act():
        for _ in range(n):
            send(pid, data)
        settle(rt, pid, n)

    return n / seconds(act)


def swaps(rt, n=300_000):
    def a(msg):
        pass

    def b(msg):
        pass

    pid, swap = rt.spawn(a), rt.hot_swap

    def act():
        for _ in range(n // 2):
            swap(pid, b)
            swap(pid, a)
        while rt.behavior_version(pid) <= n:
            time.sleep(0.0005)

    return n / seconds(act)


def spawns(rt, n=200_000):
    def handler(msg):
        pass

    return n / seconds(lambda: [rt.spawn(handler) for _ in range(n)])


def asks(rt, n=2000):
    pid = rt.spawn(lambda msg: msg)
    return statistics.median(seconds(lambda: rt.ask_wait(pid, b"x")) for _ in range(n))


def idle(rt, n=200_000):
    def resident():
        return int(open("/proc/self/statm").read().split()[1]) * 4096

    def handler(msg):
        pass

    before = resident()
    for _ in range(n):
        rt.spawn(handler)
    return (resident() - before) / n


MILLIONS, MICROSECONDS, BYTES = ("M/s", 1e-6), ("us", 1e6), ("B", 1)
ROWS = {  # name: (what, unit, the original's)
    "one": (one, MILLIONS, "0.13"), "many": (many, MILLIONS, "-"), "pull": (pull, MILLIONS, "-"),
    "coroutine": (coroutine, MILLIONS, "-"), "large": (large, MILLIONS, "-"), "swaps": (swaps, MILLIONS, "1.59"),
    "spawns": (spawns, MILLIONS, "0.19"), "asks": (asks, MICROSECONDS, "34"), "idle": (idle, BYTES, "5406"),
}


def measure(what):
    with iris.Runtime() as rt:
        return what(rt)


def main():
    print(f"{'':10} {'median':>9} {'least':>9} {'most':>9}       original")
    for name in sys.argv[1:] or ROWS:
        what, (unit, factor), original = ROWS[name]
        found = sorted(measure(what) * factor for _ in range(ROUNDS))
        print(f"{name:10} {found[ROUNDS // 2]:9.2f} {found[0]:9.2f} {found[-1]:9.2f} {unit:4} {original:>9}", flush=True)


main()
