"""The whole suite: Iris, the bare loop, and the peers that are installed, in turn on this machine.

usage: suite BUILD-DIRECTORY [--quick] [--runs N] [--seconds S] [--write FILE] [TOPIC..]

Prints a page in Markdown: what should be and is, then all figures; the same as JSON is BUILD-DIRECTORY/bench.json.
--write also puts it into FILE, between two marks, when all topics were measured, and not quickly. Every run of every
workload is a process of its own, which warms up first; all take turns, so that whatever else the machine does hits
each. A run that handled not what was sent, or in another order, is a failure, and this ends with status 1."""
import argparse
import datetime
import os
import platform
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import page  # noqa: E402
import who  # noqa: E402
from figures import Figures  # noqa: E402
from rows import PEERS, TOPICS  # noqa: E402


def arguments():
    p = argparse.ArgumentParser(prog="suite", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("topics", nargs="*", metavar="TOPIC", help="only these: " + ", ".join(t.name for t in TOPICS))
    p.add_argument("--quick", action="store_true", help="one run of a hundredth of the work, without peers: to see that it works")
    p.add_argument("--runs", type=int, help="of each workload (5)")
    p.add_argument("--seconds", type=float, default=1500, help="begin no round that would end after so long (1500)")
    p.add_argument("--write", metavar="FILE")
    a = p.parse_intermixed_args()
    unknown = [t for t in a.topics if t not in [known.name for known in TOPICS]]
    if unknown:
        p.error(f"there is no topic {unknown[0]!r}; there are " + ", ".join(t.name for t in TOPICS))
    a.is_whole = not a.quick and not a.topics
    return a


def find_all(figures, build, a):
    """Who is there: Iris, its hosts by language, the peers."""
    iris = who.Iris(figures, build, a.quick)
    languages = {"Python": who.python(figures, build), "Node": who.node(figures, build)}
    for name, host in languages.items():
        if not host:
            print(f"bench: {name} is left out: this build has no host for it", file=sys.stderr)
    if a.quick:
        return iris, languages, []
    flags = [f for f in iris.facts()["flags"].split() if f.startswith("-")]
    folder = os.path.join(build, "peers")
    peers = who.libuv(figures, os.path.join(folder, "uv"), flags) + who.erlang(figures, os.path.join(folder, "erlang")) + \
        who.caf(figures, os.path.join(folder, "caf"), flags) + who.scripts(figures, build)
    return iris, languages, peers


def measure(topic, iris, languages, peers, is_quick):
    if topic.iris:
        iris.measure(topic.iris)
    if topic.one_core and topic.iris and not is_quick:
        iris.measure_on_one_core(topic.one_core)
    for name in topic.languages:
        host = languages[name]
        if host:
            host.measure(host.rows[:1] if is_quick else None)
        if host and not is_quick:
            host.measure_on_one_core(topic.one_core)
    for workload in topic.peers:
        for peer in peers:
            peer.measure(workload, PEERS[workload])


def run_all(a, topics, *participants):
    runs, begin = a.runs or (1 if a.quick else 5), time.monotonic()
    for done in range(runs):
        for i, topic in enumerate(topics):
            print(f"bench: run {done + 1} of {runs}, {i + 1} of {len(topics)}: {topic.name}, {time.monotonic() - begin:.0f} s",
                  file=sys.stderr, flush=True)
            measure(topic, *participants, a.quick)
        took = time.monotonic() - begin
        if done + 1 < runs and took * (done + 2) / (done + 1) > a.seconds:
            break
    return done + 1, took


def describe(figures, facts, runs, took, load):
    return [
        f"Iris {facts['iris']}, {facts['compiler']}, {facts['flags']}" + "".join(f"; {v}" for v in figures.versions.values()),
        f"{facts['cores']} cores, {facts['processor']}" + ", virtual" * facts["virtual"] +
        f"; {platform.system()} {platform.release()}; {datetime.date.today()}; load before {load:.1f}, after "
        f"{os.getloadavg()[0]:.1f} (this program is one)",
        f"Median and range of {runs} runs, all in turn, each a process of its own that warms up first; {took:.0f} s. Counted is what "
        "was handled; counts and order were checked.",
        "of the floor: beside a bare loop of the same run (or, between processes, bare libuv); 100 % is as good, more is better. "
        "cores used, peak MB: of a run's whole process, warm-up included.",
    ] + [f"**{len(figures.failures)} runs failed**, the first: {figures.failures[0]}" for _ in figures.failures[:1]]


def main():
    a = arguments()
    build = os.path.abspath(a.build)
    figures, load = Figures(), os.getloadavg()[0]
    topics = [t for t in TOPICS if not a.topics or t.name in a.topics]
    iris, *others = find_all(figures, build, a)
    facts = iris.facts()
    runs, took = run_all(a, topics, iris, *others)
    head = describe(figures, facts, runs, took, load)
    text = page.page(figures, head)
    print(text)
    page.write_json(os.path.join(build, "bench.json"), figures, head)
    if a.write and a.is_whole:
        page.write_between(a.write, text)
    if a.write:
        print(f"bench: {a.write} {'has the new figures' if a.is_whole else 'stays as it is: these are not all'}", file=sys.stderr)
    for failure in figures.failures:
        print(f"bench: failed: {failure}", file=sys.stderr)
    return 1 if figures.failures else 0


if __name__ == "__main__":
    sys.exit(main())
