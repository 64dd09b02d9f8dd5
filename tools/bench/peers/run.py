#!/usr/bin/env python3
"""Measures Iris beside Erlang and CAF: the same work, on this machine, in turn, each time in a fresh process.

usage: run.py BUILD-DIRECTORY [--markdown] [--runs N] [--seconds S] [WORKLOAD..]

Programs of the peers are built below BUILD-DIRECTORY/peers; a peer that is not installed has no figures
(tools/setup --bench installs both). To add a workload: a row of ROWS, the title that iris-bench has for it,
and what prints "NAME VALUE" in erlang/bench.erl and caf/bench.cc."""
import argparse, collections, json, os, shutil, statistics, subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 60  # seconds for one process

Row = collections.namedtuple("Row", "title unit peer name iris measured factor")


def row(title, unit, peer, name, iris, measured="handled", factor=1.0, sizes=(8, 64)):
    """peer: the peers' workload; name: what it prints; iris: iris-bench's workload."""
    return [Row(title if b in (0, 8) else f"{title}, 64 bytes", unit, peer, f"{name}{b or ''}", iris, measured, factor)
            for b in sizes]


RATE, TRIPS = "M msgs/s", "M round trips/s"
ROWS = sum([
    row("ping-pong, 1 pair", TRIPS, "pairs", "pair", "ping-pong"),
    row("ping-pong, 1,000 pairs", TRIPS, "pairs", "pairs", "pairs"),
    row("fan-in, 8 to 1", RATE, "fanin", "fanin", "fan-in-8"),
    row("outside thread to one", RATE, "one", "one", "outside-one"),
    row("outside thread to 100,000, round robin", RATE, "many", "rounds", "outside"),
    row("outside thread to 100,000, 10 in a row", RATE, "many", "bursts", "outside-row"),
    row("1,000,000 idle actors", "M spawns/s", "spawn", "spawn", "spawn", "rate", 1e-3, (0,)),
    row("1,000,000 idle actors", "bytes/actor", "spawn", "bytes", "spawn", "memory", 1, (0,)),
    row("tree of 1,111,111", "ms", "tree", "tree", "tree", "all", 1, (0,)),
    row("restarts of 1 that crashes", "k restarts/s", "restarts", "restarts1", "restarts", "begun", 1, (0,)),
    row("restarts of 8 that crash, a supervisor each", "k restarts/s", "restarts", "restarts8", "restarts", "begun", 1,
        (0,)),
    row("light actor, beside 1 that floods", "p50, us", "flood1", "flood1p50", "light", "p50", 1, (0,)),
    row("light actor, beside 1 that floods", "p99, us", "flood1", "flood1p99", "light", "p99", 1, (0,)),
    row("light actor, beside 100 that flood", "p50, us", "flood100", "flood100p50", "light", "p50", 1, (0,)),
    row("light actor, beside 100 that flood", "p99, us", "flood100", "flood100p99", "light", "p99", 1, (0,)),
], [])

got = collections.defaultdict(list)  # (row, column) -> values
starved = set()
failures = []


def call(command, folder=None, what=None):
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE,
                              env=dict(os.environ, ERL_CRASH_DUMP="/dev/null"))
    except (OSError, subprocess.TimeoutExpired) as e:
        failures.append(f"{what}: {e}")
        return ""
    if done.returncode:
        failures.append(f"{what}: status {done.returncode}: {(done.stdout + done.stderr)[-200:].strip()}")
    return done.stdout


# ---- the columns: each measures one workload once ----

class Iris:
    def __init__(self, bench, workers):
        self.bench, self.workers = bench, workers
        self.title = f"Iris, {workers} worker" + "s" * (workers > 1)

    def measure(self, rows):
        for name in sorted({r.iris for r in rows}):
            out = call([self.bench, "--json", "--side", "iris", "--runs", "1", "--workers", str(self.workers), name],
                       None, f"{self.title}: {name}")
            try:
                found = json.loads(out)["rows"]
            except ValueError:
                continue
            for r in (r for r in rows if r.iris == name):
                for f in found:
                    if f["title"] == r.title and f["measured"] == r.measured:
                        got[r, self.title].append(f["iris"]["median"] * r.factor)


class Peer:
    def __init__(self, title, command, folder):
        self.title, self.command, self.folder = title, command, folder

    def measure(self, rows):
        for workload in sorted({r.peer for r in rows}):
            out = call([w.replace("WORKLOAD", workload) for w in self.command], self.folder, f"{self.title}: {workload}")
            said = dict(line.split() for line in out.splitlines() if len(line.split()) == 2)
            for r in rows:
                if r.peer == workload and said.get(r.name) == "starved":
                    starved.add((r, self.title))
                elif r.peer == workload and r.name in said:
                    got[r, self.title].append(float(said[r.name]))


# ---- building what the peers run ----

def is_newer(made, sources):
    return os.path.exists(made) and os.path.getmtime(made) > max(os.path.getmtime(s) for s in sources)


def build(what, commands, folder, last, sources):
    """last: the file that the last command makes."""
    os.makedirs(folder, exist_ok=True)
    if is_newer(os.path.join(folder, last), sources):
        return True
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            print(f"run.py: {what} is left out: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return False
    return True


def erlang(folder):
    if not shutil.which("erl") or not shutil.which("erlc"):
        print("run.py: Erlang is left out: no erl or erlc here; see tools/setup --bench", file=sys.stderr)
        return [], None
    ask = ["erl", "-noshell", "-eval",
           'io:format("~s ~s", [code:root_dir(), erlang:system_info(otp_release)]), halt().']
    root, release = subprocess.run(ask, capture_output=True, text=True).stdout.split()
    sources = [f"{HERE}/erlang/{n}.erl" for n in ("bench", "outside")]
    commands = [["erlc"] + sources, ["cc", "-O2", "-shared", "-fPIC", f"-I{root}/usr/include", f"{HERE}/erlang/outside.c",
                                     "-o", "outside.so"]]
    if not build("Erlang", commands, folder, "outside.so", sources + [f"{HERE}/erlang/outside.c"]):
        return [], None
    return [Peer(f"Erlang, +S {n}", ["erl", "+P", "4000000", "+S", f"{n}:{n}", "-noshell", "-noinput", "-s", "bench",
                                    "main", "WORKLOAD"], folder) for n in (1, 2)], f"Erlang/OTP {release}"


def caf(folder):
    command = ["c++", "-std=c++17", "-O2", f"{HERE}/caf/bench.cc", "-o", "bench", "-lcaf_core", "-pthread"]
    if not build("CAF", [command], folder, "bench", [f"{HERE}/caf/bench.cc"]):
        return [], None
    version = "CAF"
    for line in call(["sh", "-c", "echo CAF_VERSION | c++ -E -P -include caf/config.hpp -x c++ -"]).split()[-1:]:
        version = f"CAF {int(line) // 10000}.{int(line) // 100 % 100}.{int(line) % 100}" if line.isdigit() else "CAF"
    return [Peer(f"CAF, {n} thread" + "s" * (n > 1), ["./bench", "WORKLOAD", str(n)], folder) for n in (1, 2)], version


# ---- the table ----

def number(v):
    return f"{v:.0f}" if v >= 100 else f"{v:.1f}" if v >= 10 else f"{v:.2f}"


def cell(r, column):
    values = got.get((r, column.title), [])
    if (r, column.title) in starved:
        return "starved"
    if not values:
        return ""
    return f"{number(statistics.median(values))} ({number(min(values))}..{number(max(values))})"


def print_table(rows, columns, head, markdown):
    lines = [["workload", "unit"] + [c.title for c in columns]]
    lines += [[r.title, r.unit] + [cell(r, c) for c in columns] for r in rows]
    for text in head:
        print(f"- {text}" if markdown else text)
    print()
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for i, line in enumerate(lines):
        if markdown:
            print("| " + " | ".join(line) + " |")
            if i == 0:
                print("|" + "---|" * len(line))
        else:
            print("  ".join(text.ljust(w) for text, w in zip(line, widths)).rstrip())


def machine(bench):
    facts = json.loads(call([bench, "--json", "--runs", "1", "--side", "iris", "--workers", "1", "swap"]))
    return (f"Iris {facts['iris']}, {facts['compiler']}, {facts['flags']}",
            f"{facts['cores']} cores, {facts['processor']}" + ", virtual" * facts["virtual"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("workloads", nargs="*", help="only these, as iris-bench names them")
    p.add_argument("--markdown", action="store_true")
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--seconds", type=float, default=540, help="begin no run after so long (540)")
    a = p.parse_intermixed_args()
    bench = os.path.join(os.path.abspath(a.build), "bin", "iris-bench")
    rows = [r for r in ROWS if not a.workloads or r.iris in a.workloads]
    if not rows:
        p.error("no such workload; there are " + ", ".join(sorted({r.iris for r in ROWS})))
    load = os.getloadavg()[0]
    iris_is, machine_is = machine(bench)
    peers = os.path.join(os.path.abspath(a.build), "peers")
    (erl, erl_is), (caf_, caf_is) = erlang(os.path.join(peers, "erlang")), caf(os.path.join(peers, "caf"))
    columns = [Iris(bench, n) for n in (1, 2)] + erl + caf_
    begin, done = time.monotonic(), 0
    while done < a.runs and (not done or (time.monotonic() - begin) * (done + 1) / done < a.seconds):
        for peer in dict.fromkeys(r.peer for r in rows):
            for column in columns:
                column.measure([r for r in rows if r.peer == peer])
        done += 1
        print(f"run.py: {done} of {a.runs} runs, {time.monotonic() - begin:.0f} s", file=sys.stderr)
    took = time.monotonic() - begin
    head = ["; ".join(filter(None, [iris_is, erl_is, caf_is])),
            f"{machine_is}; load before {load:.1f}, after {os.getloadavg()[0]:.1f} (this program is one)",
            f"Median and range of {done} runs, all columns in turn, each run a process of its own that warms up first; "
            f"{took:.0f} s."]
    print_table(rows, columns, head, a.markdown)
    for f in failures:
        print("run.py: " + f, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
