"""Who does the work: Iris and the bare loop (iris-bench), Iris' hosts of languages, and the peers. Each measures some
workloads once, in processes that are new."""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(BENCH, "peers")
PATIENCE = 180  # seconds for one process
BARE = "bare loop"


class Call:
    """A command, run to its end: what it said, and what it took of the machine with its children."""

    def __init__(self, figures, what, command, folder=None, env=None):
        self.out, self.cost = "", None
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
            begin = time.monotonic()
            try:
                child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                         env=dict(os.environ, ERL_CRASH_DUMP="/dev/null", **(env or {})))
            except OSError as e:
                figures.failures.append(f"{what}: {e}")
                return
            watchdog = threading.Timer(PATIENCE, child.kill)
            watchdog.start()
            _, status, used = os.wait4(child.pid, 0)
            watchdog.cancel()
            child.returncode = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            self.out = out.read()
            if child.returncode:
                figures.failures.append(f"{what}: status {child.returncode}: {(err.read() + self.out)[-300:].strip()}")
        self.cost = ((used.ru_utime + used.ru_stime) / (time.monotonic() - begin), used.ru_maxrss / 1024)


def on_one_core():
    return ["taskset", "-c", str(min(os.sched_getaffinity(0)))] if shutil.which("taskset") else None


def cached(build, name):
    with open(os.path.join(build, "CMakeCache.txt")) as f:
        return next((line.split("=", 1)[1].strip() for line in f if line.startswith(name + ":")), "")


class Iris:
    """Native actors, and the bare loop or whatever else a workload is held against, in turn."""

    def __init__(self, figures, build, is_quick):
        self.figures, self.is_quick = figures, is_quick
        self.bench = os.path.join(build, "bin", "iris-bench")

    def call(self, names, before=(), more=()):
        command = [*before, self.bench, "--runs", "1", "--json", *["--quick"] * self.is_quick, *more, *names]
        out = Call(self.figures, " ".join(command), command).out
        try:
            return json.loads(out)
        except ValueError:
            return {"rows": []}

    def facts(self):
        """Of the machine and the build."""
        return self.call(["swap"], more=["--quick", "--side", "iris"])

    def measure(self, names):
        for row in self.call(names)["rows"]:
            workers = f", {row['workers']} worker{'s' * (row['workers'] > 1)}" if row["workers"] else ""
            self.take(row, "Iris" + workers, workers)

    def measure_on_one_core(self, names):
        before = on_one_core()
        if before:
            for row in self.call(names, before, ["--workers", "1"])["rows"]:
                self.take(row, "Iris, all on 1 core", ", all on 1 core")

    def take(self, row, who, suffix):
        title, _, named = row["title"].partition("; floor: ")
        floor = named or (BARE if row["workers"] else "machine")
        for side, name in (("floor", floor + ("" if named else suffix)), ("iris", who)):
            if side in row:
                got = row[side]
                ratio = row.get("ratio") if side == "iris" and named != "Erlang" else None
                self.figures.add(title, row["measured"], row["unit"], row["less_is_better"], name, got["median"],
                                 (got["cores"], got["peak_mb"]), ratio)


class Language:
    """Rows of tools/bench/python.py or node.mjs."""

    def __init__(self, figures, name, command, env, rows):
        self.figures, self.name, self.command, self.env, self.rows = figures, name, command, env, rows

    def measure(self, rows=None, before=(), where=""):
        for row in rows or self.rows:
            command = [*before, *self.command, "--runs", "1", "--json", row]
            call = Call(self.figures, " ".join(command), command, env=self.env)
            try:
                said = json.loads(call.out)
            except ValueError:
                continue
            self.figures.versions[self.name] = said["version"]
            for r in said["rows"]:
                self.figures.add(f"{self.name}: {r['title']}", "", r["unit"], r["less_is_better"], "Iris" + where,
                                 r["median"], (r["cores"], r["peak_mb"]))

    def measure_on_one_core(self, rows):
        before = on_one_core()
        if before:
            self.measure(rows, before, ", all on 1 core")


def python(figures, build):
    package = os.path.join(build, "lib", "iris", "python")
    program = cached(build, "IRIS_PYTHON_PROGRAM")
    if not os.path.isdir(package) or not program:
        return None
    env = {"PYTHONPATH": package, "IRIS_BUILD": build}
    rows = ["one", "many", "pull", "coroutine", "async_pull", "large", "remote", "swaps", "spawns", "idle", "collect", "asks",
            "light", "idle_pull", "stopped"]
    return Language(figures, "Python", [program, os.path.join(BENCH, "python.py")], env, rows)


def node(figures, build):
    program = cached(build, "IRIS_NODE_PROGRAM")
    if not glob.glob(os.path.join(build, "lib", "iris", "node", "iris.node")) or not os.access(program, os.X_OK):
        return None
    rows = ["one", "borrow", "many", "toNative", "pull", "promises", "swaps", "spawns", "idle", "idlePull", "asksMedian",
            "asksLate", "lightMedian", "lightLate", "delay", "stopped"]
    return Language(figures, "Node", [program, os.path.join(BENCH, "node.mjs")], {"IRIS_BUILD": build}, rows)


class Peer:
    """A program that prints lines "NAME VALUE" for a WORKLOAD. workloads: those of rows.PEERS that it knows, and how it
    names them."""

    def __init__(self, figures, title, command, workloads, folder=None):
        self.figures, self.title, self.command, self.folder = figures, title, command, folder
        self.workloads = workloads if isinstance(workloads, dict) else {w: w for w in workloads}

    def measure(self, workload, rows):
        name = self.workloads.get(workload)
        if not name:
            return
        command = [w.replace("WORKLOAD", name) for w in self.command]
        call = Call(self.figures, f"{self.title}: {workload}", command, self.folder)
        said = dict(line.split() for line in call.out.splitlines() if len(line.split()) == 2)
        for row in rows:
            if said.get(row.name) == "starved":
                self.figures.say(row.title, row.measured, self.title, "starved")
            elif row.name in said:
                self.figures.add(row.title, row.measured, row.unit, row.is_less, self.title, float(said[row.name]) * row.factor,
                                 call.cost)


def is_newer(made, sources):
    return os.path.exists(made) and os.path.getmtime(made) > max(os.path.getmtime(s) for s in sources)


def build_peer(what, commands, folder, last, sources):
    """last: the file that the last command makes."""
    os.makedirs(folder, exist_ok=True)
    if is_newer(os.path.join(folder, last), sources):
        return True
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        if done.returncode:
            print(f"bench: {what} is left out: {done.stderr.strip()[-300:]}", file=sys.stderr)
            return False
    return True


def erlang(figures, folder):
    if not shutil.which("erl") or not shutil.which("erlc"):
        print("bench: Erlang is left out: no erl or erlc here; tools/setup --bench installs it", file=sys.stderr)
        return []
    ask = ["erl", "-noshell", "-eval",
           'io:format("~s ~s", [code:root_dir(), erlang:system_info(otp_release)]), halt().']
    root, release = subprocess.run(ask, capture_output=True, text=True).stdout.split()
    here = os.path.join(PEERS, "erlang")
    sources = [f"{here}/{n}.erl" for n in ("bench", "outside")]
    commands = [["erlc"] + sources, ["cc", "-O2", "-shared", "-fPIC", f"-I{root}/usr/include", f"{here}/outside.c", "-o",
                                     "outside.so"]]
    if not build_peer("Erlang", commands, folder, "outside.so", sources + [f"{here}/outside.c"]):
        return []
    figures.versions["Erlang"] = f"Erlang/OTP {release}"
    workloads = ("pairs", "fanin", "one", "many", "spawn", "tree", "restarts", "flood1", "flood100", "swap", "disk", "timers")
    return [Peer(figures, f"Erlang, +S {n}", ["erl", "+P", "4000000", "+S", f"{n}:{n}", "-noshell", "-noinput", "-s", "bench",
                                              "main", "WORKLOAD"], workloads, folder) for n in (1, 2)]


def caf(figures, folder, flags):
    source = os.path.join(PEERS, "caf", "bench.cc")
    command = ["c++", "-std=c++17", *flags, source, "-o", "bench", "-lcaf_core", "-pthread"]
    if not build_peer("CAF", [command], folder, "bench", [source]):
        return []
    ask = ["sh", "-c", "echo CAF_VERSION | c++ -E -P -include caf/config.hpp -x c++ -"]
    for line in subprocess.run(ask, capture_output=True, text=True).stdout.split()[-1:]:
        figures.versions["CAF"] = f"CAF {int(line) // 10000}.{int(line) // 100 % 100}.{int(line) % 100}" if line.isdigit() else "CAF"
    workloads = ("pairs", "fanin", "one", "many", "spawn", "tree", "flood1", "flood100")
    return [Peer(figures, f"CAF, {n} thread" + "s" * (n > 1), ["./bench", "WORKLOAD", str(n)], workloads, folder) for n in (1, 2)]


def libuv(figures, folder, flags):
    source = os.path.join(PEERS, "uv", "bench.c")
    command = ["cc", *flags, source, "-o", "bench", "-luv", "-pthread"]
    if not build_peer("libuv", [command], folder, "bench", [source]):
        return []
    version = subprocess.run(["pkg-config", "--modversion", "libuv"], capture_output=True, text=True).stdout.strip()
    figures.versions["libuv"] = f"libuv {version}"
    return [Peer(figures, "libuv", ["./bench", "WORKLOAD"], ("one", "timers"), folder)]


def scripts(figures, build):
    """What the languages have themselves, and what one installs."""
    python_ = cached(build, "IRIS_PYTHON_PROGRAM") or sys.executable
    node_ = cached(build, "IRIS_NODE_PROGRAM") or shutil.which("node") or ""
    has_pykka = not subprocess.run([python_, "-c", "import pykka"], capture_output=True).returncode
    peers = [("asyncio", "asyncio", {"py-one": "one", "py-many": "many", "timers": "timers"}),
             ("queue", "a thread and its queue", {"py-one": "one"})] + [("pykka", "pykka", {"py-one": "one"})] * has_pykka
    all_ = [Peer(figures, title, [python_, os.path.join(PEERS, "python", "bench.py"), name, "WORKLOAD"], workloads)
            for name, title, workloads in peers]
    if os.access(node_, os.X_OK):
        peers = [("emitter", "EventEmitter, a microtask each", {"js-one": "one"}),
                 ("port", "MessagePort to a Worker", {"js-one": "one"}), ("node", "Node", {"timers": "timers"})]
        all_ += [Peer(figures, title, [node_, os.path.join(PEERS, "node", "bench.mjs"), name, "WORKLOAD"], workloads)
                 for name, title, workloads in peers]
    return all_
