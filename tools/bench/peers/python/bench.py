"""One workload in a process of its own: bench.py PEER WORKLOAD. Prints lines "NAME VALUE", as ../../suite knows them.

Peers: asyncio (a task with an asyncio.Queue), queue (a thread with a queue.SimpleQueue), pykka (where it is installed).
Workloads: one (a thread sends to one), many (100,000 in rounds), timers."""
import asyncio
import queue
import sys
import threading
import time


def say(name, value):
    print(name, repr(float(value)), flush=True)


def seconds(act):
    begin = time.perf_counter()
    act()
    return time.perf_counter() - begin


def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096


def percentile(values, part):
    return sorted(values)[round(part * (len(values) - 1))]


# ---- asyncio ----

async def asyncio_one(n=100_000):
    mailbox, loop = asyncio.Queue(), asyncio.get_running_loop()

    def feed(n):
        for i in range(n):
            loop.call_soon_threadsafe(mailbox.put_nowait, i)

    for count in (n // 10, n):
        begin = time.perf_counter()
        sender = threading.Thread(target=feed, args=(count,))
        sender.start()
        for i in range(count):
            assert await mailbox.get() == i
        say("one", count / (time.perf_counter() - begin) / 1e6)  # the last is the one that counts
        sender.join()


async def asyncio_many(n=100_000, each=3):
    left, all_done = n * each, asyncio.Event()

    async def count(mailbox):
        nonlocal left
        while True:
            await mailbox.get()
            left -= 1
            if not left:
                all_done.set()

    before = resident()
    mailboxes = [asyncio.Queue() for _ in range(n)]
    tasks = [asyncio.create_task(count(m)) for m in mailboxes]
    await asyncio.sleep(0)
    say("idle", (resident() - before) / n)
    begin = time.perf_counter()
    for _ in range(each):
        for m in mailboxes:
            m.put_nowait(b"ping")
        await asyncio.sleep(0)
    await all_done.wait()
    say("many", n * each / (time.perf_counter() - begin) / 1e6)
    for task in tasks:
        task.cancel()


async def asyncio_timers(n=100_000):
    late, done, loop = [], asyncio.Event(), asyncio.get_running_loop()

    def fire(due):
        late.append(time.monotonic() - due)
        if len(late) == n:
            done.set()

    cpu, begin = time.process_time(), time.perf_counter()
    for i in range(n):
        delay = 0.5 + i % 1000 / 1000
        loop.call_later(delay, fire, time.monotonic() + delay)
    say("set", 1e9 * (time.perf_counter() - begin) / n)
    await done.wait()
    say("cpu", 1e9 * (time.process_time() - cpu) / n)
    say("late50", 1e6 * percentile(late, 0.5))
    say("late99", 1e6 * percentile(late, 0.99))


# ---- threads ----

def queue_one(n=500_000):
    mailbox = queue.SimpleQueue()

    def take(n):
        for i in range(n):
            assert mailbox.get() == i

    for count in (n // 10, n):
        receiver = threading.Thread(target=take, args=(count,))
        receiver.start()

        def act():
            for i in range(count):
                mailbox.put(i)
            receiver.join()

        say("one", count / seconds(act) / 1e6)


def pykka_one(n=100_000):
    import pykka

    class Sink(pykka.ThreadingActor):
        def __init__(self, n, done):
            super().__init__()
            self.next, self.n, self.done = 0, n, done

        def on_receive(self, message):
            assert message == self.next
            self.next += 1
            if self.next == self.n:
                self.done.set()

    for count in (n // 10, n):
        done = threading.Event()
        sink = Sink.start(count, done)

        def act():
            for i in range(count):
                sink.tell(i)
            done.wait()

        say("one", count / seconds(act) / 1e6)
        sink.stop()


def main(peer, workload):
    work = globals().get(f"{peer}_{workload}")
    if not work:
        sys.exit(f"bench.py: {peer} has no workload {workload}")
    if asyncio.iscoroutinefunction(work):
        asyncio.run(work())
    else:
        work()


main(*sys.argv[1:])
