"""Python actors at random for so many seconds: spawned, asked, swapped, crashed, stopped; memory stays flat."""
import asyncio
import gc
import logging
import random
import sys
import time

import iris

logging.getLogger("iris").setLevel(logging.CRITICAL + 1)


def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096


def plain(msg):
    if msg == b"crash":
        raise ValueError("told to")
    return msg


async def waits(msg):
    await asyncio.sleep(0)
    return plain(msg)


class Counter:
    def __init__(self):
        self.n = 0

    def on_msg(self, msg):
        self.n += 1
        return plain(msg)


def pull(mailbox):
    for msg in mailbox:
        if isinstance(msg, iris.PySystemMessage):
            return


async def async_pull(mailbox):
    async for msg in mailbox:
        plain(msg)


def act(rt, pids):
    kind = random.randrange(10)
    if kind < 3 or not pids:
        push = random.choice((plain, waits, Counter, lambda msg: msg))
        pids.append(rt.spawn(push, release_gil=random.random() < 0.05) if random.random() < 0.9
                    else rt.spawn_with_mailbox(random.choice((pull, async_pull))))
        return
    pid = random.choice(pids)
    if kind < 7:
        rt.send(pid, random.choice((b"x", bytes(10000), b"crash" if random.random() < 0.1 else b"y")))
    elif kind == 7:
        rt.hot_swap(pid, lambda msg: msg)
    elif kind == 8:
        rt.send_after(pid, 1, b"later")
    else:
        pids.remove(pid)
        random.choice((rt.stop, rt.kill))(pid)


def life(rt, until):
    pids = []
    while time.monotonic() < until:
        for _ in range(1000):
            act(rt, pids)
        while len(pids) > 200:
            rt.stop(pids.pop(0))
    for pid in pids:
        rt.stop(pid)
    for pid in pids:
        rt.join(pid, 30)


def main():
    end, first = time.monotonic() + float(sys.argv[1]), None
    while time.monotonic() < end:
        with iris.Runtime() as rt:
            life(rt, min(end, time.monotonic() + 5))
        gc.collect()
        now = resident()
        first = first or now
        print(f"{now / 1e6:.0f} MB", flush=True)
        if now > first * 1.5 + 50e6:
            sys.exit(f"memory grows: {first} bytes at first, {now} now")


main()
