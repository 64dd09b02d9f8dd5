#!/usr/bin/env python3
"""What Python actors do, with no-op handlers: sent AND handled, medians of five.

    make bench-python
    PYTHONPATH=build/release/lib/iris/python tools/bench/python.py [--runs N] [--json] [ROW ...]

Prints a markdown table (--json: an object, for tools/bench/suite): the median and the range, what it should be, and what the original (SSL-ACTX/Iris 0.3)
did on such a machine, where it can do this at all. CPU each: what a message takes of all threads together, sender and
receiver, which holds on a busy machine too. All rows in turn, each run a process of its own."""
import gc
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time

PING = b"ping"


last = [1, 1]  # seconds, and seconds of CPU of all threads, that what was measured last has taken


def seconds(act):
    cpu, begin = time.process_time(), time.perf_counter()
    act()
    last[:] = time.perf_counter() - begin, time.process_time() - cpu
    return last[0]


def until(is_true, what, patience=60):
    end = time.monotonic() + patience
    while not is_true():
        if time.monotonic() > end:
            raise SystemExit(f"waited too long for {what}")
        time.sleep(0.0005)


def settle(rt, pid, n):
    until(lambda: rt.info(pid)["handled"] >= n, "messages to be handled")


def nothing(msg):
    pass


async def nothing_async(msg):
    pass


def flood(rt, pid, n, data=PING):
    send = rt.send

    def act():
        for _ in range(n):
            send(pid, data)
        settle(rt, pid, n)

    return n / seconds(act)


def one(rt, n=1_000_000):
    return flood(rt, rt.spawn(nothing), n)


def large(rt, n=300_000):
    return flood(rt, rt.spawn(nothing), n, bytes(65536))


def coroutine(rt, n=500_000):
    return flood(rt, rt.spawn(nothing_async), n)


def many(rt, n=100_000, times=5):
    pids, send = [rt.spawn(nothing) for _ in range(n)], rt.send

    def act():
        for _ in range(times):
            for pid in pids:
                send(pid, PING)
        for pid in (*pids[:: n // 100], pids[-1]):
            settle(rt, pid, times)

    took = seconds(act)
    assert all(rt.mailbox_size(pid) == 0 for pid in pids)
    return n * times / took


def native(rt, workload="python"):
    """The sender is a C thread, messages of 64 bytes: iris-bench knows how."""
    bench = os.path.join(os.environ["IRIS_BUILD"], "bin", "iris-bench")
    done = subprocess.run([bench, "--runs", "1", "--json", workload], stdout=subprocess.PIPE, text=True, check=True)
    return 1e6 * json.loads(done.stdout)["rows"][0]["iris"]["median"]


def native_async(rt):
    return native(rt, "python-async")


def pull(rt, n=500_000):
    def handler(mailbox):
        recv = mailbox.recv
        for _ in range(n):
            recv()

    pid, send = rt.spawn_with_mailbox(handler), rt.send

    def act():
        for _ in range(n):
            send(pid, PING)
        rt.join(pid)

    return n / seconds(act)


def async_pull(rt, n=300_000):
    async def handler(mailbox):
        recv = mailbox.recv
        for _ in range(n):
            await recv()

    pid, send = rt.spawn_with_mailbox(handler), rt.send

    def act():
        for _ in range(n):
            send(pid, PING)
        rt.join(pid)

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
        until(lambda: rt.behavior_version(pid) > n, "swaps")

    return n / seconds(act)


def spawns(rt, n=1_000_000):
    return seconds(lambda: [rt.spawn(nothing) for _ in range(n)])


def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096


def idle(rt, n=1_000_000):
    before = resident()
    for _ in range(n):
        rt.spawn(nothing)
    return (resident() - before) / n


def collect(rt, n=1_000_000):
    """What a full collection takes more with so many actors than without."""
    gc.collect()
    before = min(seconds(gc.collect) for _ in range(3))
    for _ in range(n):
        rt.spawn(nothing)
    return min(seconds(gc.collect) for _ in range(3)) - before


def asks(rt, n=2000):
    pid = rt.spawn(lambda msg: msg)
    return statistics.median(seconds(lambda: rt.ask_wait(pid, b"x")) for _ in range(n))


def idle_pull(rt, n=500, during=2.0):
    for _ in range(n):
        rt.spawn_with_mailbox(lambda mailbox: mailbox.recv())
    time.sleep(0.5)
    before = time.process_time()
    time.sleep(during)
    return 100 * (time.process_time() - before) / during


def stopped(rt, n=100_000):
    """All are sent to, all are stopped: how many of the messages are handled?"""
    handled = []
    pids = [rt.spawn(handled.append, budget=10) for _ in range(n)]
    for pid in pids:
        rt.send(pid, PING)
    for pid in pids:
        rt.stop(pid)
    for pid in pids:
        rt.join(pid)
    return len(handled)


def started(rt, n=2000):
    """Pull handlers that all wait: how many have begun?"""
    begun = []

    def handler(mailbox):
        begun.append(1)
        mailbox.recv()

    for _ in range(n):
        rt.spawn_with_mailbox(handler)
    until(lambda: len(begun) == n, f"{n} threads: {len(begun)}")
    return len(begun)


def live(rt, n=100_000):
    """The same of async def; each answers then."""
    begun, got = [], []

    async def handler(mailbox):
        begun.append(1)
        got.append(await mailbox.recv())

    pids = [rt.spawn_with_mailbox(handler) for _ in range(n)]
    until(lambda: len(begun) == n, "coroutines")
    for pid in pids:
        rt.send(pid, PING)
    until(lambda: len(got) == n, "their messages")
    return len(got)


def sleepers(rt, during=5.0):
    """Two handlers sleep so long; the longest that another actor is late meanwhile."""
    for _ in range(2):
        rt.send(rt.spawn(lambda msg: time.sleep(during), release_gil=True), PING)
    return max(latencies(rt, during))


def latencies(rt, during):
    late, end = [], time.monotonic() + during
    pid = rt.spawn(lambda msg: late.append(time.perf_counter() - float(msg)))
    while time.monotonic() < end:
        rt.send(pid, b"%r" % time.perf_counter())
        time.sleep(0.001)
    until(lambda: rt.mailbox_size(pid) == 0, "the light actor")
    return late


def light(rt):
    """A light actor gets a message each millisecond beside an actor that keeps 1,000 to itself on their way."""
    def again(msg):
        rt.send(flooding[0], msg)

    flooding = [rt.spawn(again)]
    for _ in range(1000):
        rt.send(flooding[0], PING)
    return statistics.median(latencies(rt, 1.0))


def exits(rt, times=100):
    """So many interpreters end with live actors of each kind: how many with status 0?"""
    program = """if 1:
        import iris, time
        rt = iris.Runtime()
        async def pull(mailbox): await mailbox.recv()
        pids = [rt.spawn(lambda msg: time.sleep(0.001), release_gil=i % 2 == 0) for i in range(10)]
        pids += [rt.spawn_with_mailbox(f) for f in (pull, lambda mailbox: mailbox.recv())]
        for pid in pids: rt.send_interval(pid, 20, b"x")"""
    return sum(subprocess.run([sys.executable, "-c", program], timeout=60).returncode == 0 for _ in range(times))


def remote(rt, n=500_000):
    """The sender is this process, the handler another one."""
    program = """if 1:
        import iris, sys
        rt, got = iris.Runtime(), [0]
        def count(msg):
            if msg == b"?": return b"%d" % got[0]
            got[0] += 1
        rt.register("count", rt.spawn(count))
        print(rt.listen("127.0.0.1:0"), flush=True)
        sys.stdin.read()"""
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True)
    pid, send, data = rt.resolve_remote(other.stdout.readline().strip(), "count"), rt.send, bytes(32)

    def act():
        for _ in range(n):
            while not send(pid, data):  # as much waits for the other node as may
                time.sleep(0.0005)
        assert rt.ask_wait(pid, b"?", 60) == b"%d" % n  # behind all of them

    rate = n / seconds(act)
    other.communicate()
    return rate


# name: what, its words, unit, factor, format, at least or at most, the original's
ROWS = {
    "one": (one, "a Python thread to one actor", "M msgs/s", 1e-6, ".2f", ">= 4.0", "0.13"),
    "many": (many, "a Python thread to 100,000 actors", "M msgs/s", 1e-6, ".2f", ">= 2.5", ""),
    "native": (native, "a C thread to one actor, 64 bytes", "M msgs/s", 1e-6, ".2f", ">= 8.0", ""),
    "native_async": (native_async, "the same, `async def`", "M msgs/s", 1e-6, ".2f", "", ""),
    "pull": (pull, "`recv()` on a thread", "M msgs/s", 1e-6, ".2f", ">= 1.5", ""),
    "coroutine": (coroutine, "`async def` handler", "M msgs/s", 1e-6, ".2f", ">= 1.5", ""),
    "async_pull": (async_pull, "`await recv()`", "M msgs/s", 1e-6, ".2f", "", ""),
    "large": (large, "64 KiB, not copied", "M msgs/s", 1e-6, ".2f", ">= 2.0", ""),
    "remote": (remote, "from one process to a handler in another, 32 bytes", "M msgs/s", 1e-6, ".2f", ">= 0.09",
               "0.09, order lost"),
    "swaps": (swaps, "swaps in effect", "M/s", 1e-6, ".2f", ">= 1.6", "1.59"),
    "spawns": (spawns, "1,000,000 actors spawned", "s", 1, ".2f", "<= 2.0", "5.2"),
    "idle": (idle, "an idle actor that shares its handler", "bytes", 1, ".0f", "<= 200", "5406"),
    "collect": (collect, "`gc.collect()` beside 1,000,000 actors, more", "ms", 1e3, ".2f", "", ""),
    "asks": (asks, "`ask_wait`, p50", "us", 1e6, ".1f", "", "34 (one way)"),
    "light": (light, "a light actor beside one that floods, p50", "us", 1e6, ".1f", "", ""),
    "idle_pull": (idle_pull, "500 idle pull actors", "% of a core", 1, ".2f", "0", "11.8"),
    "sleepers": (sleepers, "most that 5 s of sleep in two `release_gil` handlers delay another actor", "ms", 1e3, ".1f",
                 "none", "2800"),
    "stopped": (stopped, "messages to 100,000 actors, then `stop`: handled", "", 1, ".0f", "100000", "715"),
    "started": (started, "2,000 waiting pull actors: begun", "", 1, ".0f", "2000", "512"),
    "live": (live, "100,000 waiting async pull actors: live", "", 1, ".0f", "100000", ""),
    "exits": (exits, "100 interpreters that end with live actors: status 0", "", 1, ".0f", "100", "10 to 100"),
}


def measure(name):
    """In this process, which is spoilt then."""
    import iris

    begin = time.monotonic()
    with iris.Runtime() as rt:
        value = ROWS[name][0](rt)
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        cores = sum(u.ru_utime + u.ru_stime for u in used) / (time.monotonic() - begin)
        print(repr(value), 1e9 * last[1] / (value * last[0]) if value else 0, cores, max(u.ru_maxrss for u in used) / 1024)


def build_directory():
    import iris

    at = os.path.abspath(iris.__file__)
    for _ in range(5):
        at = os.path.dirname(at)
    return at


def run(name):
    done = subprocess.run([sys.executable, __file__, "--measure", name], stdout=subprocess.PIPE, text=True, check=True)
    return map(float, done.stdout.split()[-4:])


def measure_all(names, runs):
    """What each name was measured: lists of figures, of CPU each, of cores used, of the most memory."""
    found = {name: ([], [], [], []) for name in names}
    for i in range(runs):
        for name in names:
            if sys.stderr.isatty():
                print(f"\r{i + 1}/{runs} {name:12}", end="", file=sys.stderr, flush=True)
            value, *rest = run(name)
            for to, figure in zip(found[name], (value * ROWS[name][3], *rest)):
                to.append(figure)
    return found


def print_json(found):
    rows = [{"row": name, "title": ROWS[name][1].replace("`", ""), "unit": ROWS[name][2], "median": statistics.median(values),
             "less_is_better": ROWS[name][5].startswith("<") or ROWS[name][2] not in ("M msgs/s", "M/s", ""),
             "cores": statistics.median(cores), "peak_mb": statistics.median(peaks)}
            for name, (values, _, cores, peaks) in found.items()]
    print(json.dumps({"version": f"CPython {platform.python_version()}", "rows": rows}))


def print_markdown(found, runs, load):
    print(f"- CPython {platform.python_version()}, {os.cpu_count()} cores; load before the first run "
          f"{load:.1f}; median and range of {runs} runs\n")
    print("| row | measured | unit | Iris | should be | the original | CPU each |\n|---|---|---|---|---|---|---|")
    for name, (values, cpu, _, _) in found.items():
        _, words, unit, _, form, aim, original = ROWS[name]
        low, mid, high = (format(f, form) for f in (min(values), statistics.median(values), max(values)))
        has_cpu = ROWS[name][3] == 1e-6 and not name.startswith("native")
        each = f"{statistics.median(cpu):.0f} ns" if has_cpu else ""
        print(f"| {name} | {words} | {unit} | {mid} ({low}..{high}) | {aim} | {original} | {each} |", flush=True)
    print(f"\n- Load after the last run {os.getloadavg()[0]:.1f}")


def main(args):
    if args[:1] == ["--measure"]:
        return measure(args[1])
    is_json = "--json" in args
    args = [a for a in args if a != "--json"]
    runs = int(args[1]) if args[:1] == ["--runs"] else 5
    names = args[2 if args[:1] == ["--runs"] else 0:] or list(ROWS)
    for name in names:
        if name not in ROWS:
            sys.exit(f"python.py: no row {name!r}; there are: {', '.join(ROWS)}")
    os.environ.setdefault("IRIS_BUILD", build_directory())
    load = os.getloadavg()[0]
    found = measure_all(names, runs)
    if is_json:
        print_json(found)
    else:
        print_markdown(found, runs, load)


main(sys.argv[1:])
