"""What is measured, and what it should be."""
import collections

Topic = collections.namedtuple("Topic", "name iris one_core peers languages")
PeerRow = collections.namedtuple("PeerRow", "name title measured unit is_less factor")


def topic(name, iris=(), one_core=(), peers=(), languages=()):
    """iris: workloads of iris-bench; one_core: those of them that are measured on one core too."""
    return Topic(name, iris, one_core, peers, languages)


# In the order of the page. To add a workload: its name here, and for a peer what its program prints, below.
TOPICS = [
    topic("machine", ["queue", "wake", "sleep", "line", "touch"]),
    topic("ping-pong", ["ping-pong", "pairs"], ["ping-pong", "pairs"], ["pairs"]),
    topic("fan-in", ["fan-in-8", "fan-in"], ["fan-in-8"], ["fanin"]),
    topic("outside", ["outside-one", "outside", "outside-row"], ["outside-one", "outside", "outside-row"], ["one", "many"]),
    topic("spawn", ["spawn", "pull-spawn"], ["spawn"], ["spawn"]),
    topic("tree", ["tree"], ["tree"], ["tree"]),
    topic("pull", ["pull", "pull-pair"]),
    topic("swap", ["swap", "disk"], (), ["swap", "disk"]),
    topic("restarts", ["restarts"], (), ["restarts"]),
    topic("timers", ["timers"], (), ["timers"]),
    topic("names", ["names"]),
    topic("latency", ["light", "ask", "inner-ask"], ["light"], ["flood1", "flood100"]),
    topic("mesh", ["mesh-trip", "mesh-trip-still", "mesh-trip-spin", "mesh-trip-erlang", "mesh-trip-tls", "mesh-pipe",
                   "mesh-pipe-tls"]),
    topic("hosts", ["python", "python-async", "node", "node-borrow", "ring"]),
    topic("python", (), ["one"], ["py-one", "py-many"], ["Python"]),
    topic("node", (), ["one"], ["js-one"], ["Node"]),
]


def sizes(name, title, unit):
    """What a peer prints for 8 bytes and for 64."""
    return [PeerRow(f"{name}{n}", title + ", 64 bytes" * (n == 64), "handled", unit, False, 1) for n in (8, 64)]


def lower(name, title, measured, unit, factor=1):
    return PeerRow(name, title, measured, unit, True, factor)


def higher(name, title, measured, unit, factor=1):
    return PeerRow(name, title, measured, unit, False, factor)


RATE, TRIPS = "M msgs/s", "M round trips/s"
TIMERS = "100,000 timers, due in 0.5 to 1.5 s"
IDLE = "1,000,000 idle actors"
PEERS = {
    "pairs": sizes("pair", "ping-pong, 1 pair", TRIPS) + sizes("pairs", "ping-pong, 1,000 pairs", TRIPS),
    "fanin": sizes("fanin", "fan-in, 8 to 1", RATE),
    "one": sizes("one", "outside thread to one", RATE),
    "many": sizes("rounds", "outside thread to 100,000, round robin", RATE)
    + sizes("bursts", "outside thread to 100,000, 10 in a row", RATE),
    "spawn": [lower("bytes", IDLE, "memory", "bytes/actor"), higher("spawn", IDLE, "rate", "k spawns/s", 1e3)],
    "tree": [lower("tree", "tree of 1,111,111", "all", "ms")],
    "restarts": [higher("restarts1", "restarts of 1 that crashes", "begun", "k restarts/s"),
                 higher("restarts8", "restarts of 8 that crash, a supervisor each", "begun", "k restarts/s")],
    "swap": [higher("swap", "swaps of a stateful counter", "in effect", "k swaps/s")],
    "disk": [higher("disk", "swaps to new code from disk", "in effect", "swaps/s")],
    "timers": [lower("set", TIMERS, "set", "ns"), lower("cpu", TIMERS, "CPU", "ns/timer"),
               lower("late50", TIMERS, "late, p50", "us"), lower("late99", TIMERS, "late, p99", "us")],
    "flood1": [lower(f"flood1{p}", "light actor, beside 1 that floods", p, "us") for p in ("p50", "p99")],
    "flood100": [lower(f"flood100{p}", "light actor, beside 100 that flood", p, "us") for p in ("p50", "p99")],
    "py-one": [higher("one", "Python: a Python thread to one actor", "", RATE)],
    "py-many": [higher("many", "Python: a Python thread to 100,000 actors", "", RATE),
                lower("idle", "Python: an idle actor that shares its handler", "", "bytes")],
    "js-one": [higher("one", "Node: JavaScript to one actor, a Buffer each", "", RATE)],
}

# ---- what should be ----

BETTER, BOTH = "at the better count", "on one and on two workers"
ONE, TWO, ANY = ("Iris, 1 worker",), ("Iris, 2 workers",), ("Iris",)
Target = collections.namedtuple("Target", "text title measured who rule at_least stretch factor unit known")
ORIGINAL = "the original"


def target(text, title, measured, who, at_least, stretch, unit, known="", rule=BETTER, factor=1):
    """known: the best others were measured at before, on two cores of a Xeon in November 2026; those are not all here.
    factor: from the unit of the figure."""
    return Target(text, title, measured, who, rule, at_least, stretch, factor, unit, known)


COUNTS = ONE + TWO
TO_ONE, TO_MANY = "outside thread to one, 64 bytes", "outside thread to 100,000"
FLOODED = "light actor, beside 1 that floods"
PIPE, TRIP = "many to another process", "to another process and back"
TARGETS = [
    target("an idle native actor, of 1 M", IDLE, "memory", ONE, 96, 64, "bytes",
           "skynet 280, Pony runtime 644, CAF 1,224, Erlang 2,794, " + ORIGINAL + " 5,406"),
    target("spawn 1 M", IDLE, "rate", COUNTS, 5, 10, "M/s", "Pony runtime 2.1, CAF 0.65, Erlang 0.29, " + ORIGINAL + " 0.05",
           factor=1e-3),
    target("ping-pong, 1 pair, one worker and two", "ping-pong, 1 pair", "handled", COUNTS, 11, 14, "M round trips/s",
           "Pony runtime 13.7 on one thread, 1.0 on two; skynet 4.5, Erlang 1.7, CAF 1.3", BOTH),
    target("ping-pong, 1,000 pairs", "ping-pong, 1,000 pairs", "handled", COUNTS, 20, 25, "M round trips/s",
           "Pony runtime 23.8, skynet 1.3, CAF 0.9, Erlang 0.65"),
    target("fan-in 8 to 1, 64 bytes, at the better count", "fan-in, 8 to 1, 64 bytes", "handled", COUNTS, 12, 15, RATE,
           "Pony runtime 9.7, CAF 4.0, skynet 3.7, Erlang 3.2 (9.2 on one scheduler)"),
    target("fan-in 8 to 1, 64 bytes, on two", "fan-in, 8 to 1, 64 bytes", "handled", TWO, 9, None, RATE),
    target("outside thread to 1, 64 bytes", TO_ONE, "handled", COUNTS, 10, 12, RATE,
           "Pony runtime 8.3, CAF 4.3, skynet 2.5, Erlang 2.2"),
    target("outside to 100,000 x 10, rounds", TO_MANY + ", round robin", "handled", COUNTS, 5, 7, RATE,
           "Pony runtime 4.6, skynet 1.2, Erlang 1.0"),
    target("outside to 100,000 x 10, bursts", TO_MANY + ", 10 in a row", "handled", COUNTS, 10, 15, RATE,
           "Pony runtime 8.2, skynet 2.3, Erlang 3.9"),
    target("tree of 1,111,111 actors", "tree of 1,111,111", "all", COUNTS, 400, 250, "ms",
           "Pony runtime 673, Erlang 2,400, CAF 2,500, skynet 3,000; bare C 87"),
    target("light actor beside a flood, one worker, p99", FLOODED, "p99", ONE, 7, 4, "us",
           "Pony runtime 7, skynet 13, CAF 15, Erlang 57"),
    target("swap by pointer, in effect and acknowledged", "swaps of a stateful counter", "in effect", ONE, 3, 5, "M/s",
           "Erlang 1.6, " + ORIGINAL + " 1.6", factor=1e-3),
    target("swap to new code from disk, distinct bytes", "swaps to new code from disk", "in effect", ONE, 2000, 5000, "/s",
           "Erlang 82 to 244"),
    target("supervised restarts, events and reasons on", "restarts of 1 that crashes", "begun", ONE, 300, 700, "k/s",
           "OTP supervisor 7.75; bare Erlang, spawn and kill, 743"),
    target("100,000 timers: CPU each", TIMERS, "CPU", COUNTS, 1, 0.5, "us", "libuv 2.2, Node 3.3", factor=1e-3),
    target("100,000 timers: late, p50", TIMERS, "late, p50", COUNTS, 150, 100, "us", "Node 98, libuv 308"),
    target("Python: sent and handled, one actor", "Python: a Python thread to one actor", "", ANY, 4, 6, RATE,
           ORIGINAL + " 0.13, asyncio queue 0.19, pykka 0.27"),
    target("native to Python", "outside thread to a Python handler, 64 bytes", "handled", ONE, 8, 12, RATE),
    target("native to Node, safe Buffers", "outside thread to a JavaScript handler, 64 bytes", "handled", ONE, 4, 6, RATE),
    target("Node: JS to JS actor, safe Buffers", "Node: JavaScript to one actor, a Buffer each", "", ANY, 2, 4, RATE,
           ORIGINAL + " 0.30, nact 0.77"),
    target("two processes, 64 bytes, pipelined", PIPE, "handled", ONE, 5, 10, RATE, "Erlang 0.89, CAF 0.22"),
    target("two processes, 64 bytes, round trip", TRIP, "p50", ONE, 1.25, 1.1, "x raw libuv", "Erlang 92 us, CAF 310 us",
           "libuv"),
    target("outside thread to an idle runtime, p50, no spin", "light actor, alone, no worker spins", "p50", ONE, None, 1.1,
           "x futex wake", ORIGINAL + " 34 us", "futex"),
    target("the same, workers spin for 2 ms", "light actor, alone, workers spin for 2 ms", "p50", ONE, None, 1.1,
           "x futex wake", "", "futex"),
]
