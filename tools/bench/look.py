#!/usr/bin/env python3
"""How long a look at an app takes that has many actors: iris ps, one refresh of iris top, /metrics.

    tools/bench/look.py [BUILD] [--actors N] [--runs N]

Each of them has a path. Medians and worst of the runs, in ms; of a program its whole life, its start too. Wants a quiet
machine, and a build with tests (make whole): their behaviour `throng` makes the crowd."""
import argparse, json, os, pathlib, socket, statistics, subprocess, sys, tempfile, time

SOURCE = pathlib.Path(__file__).resolve().parents[2]
want = argparse.ArgumentParser()
want.add_argument("build", nargs="?", default=SOURCE / "build/release", type=pathlib.Path)
want.add_argument("--actors", type=int, default=100000)
want.add_argument("--runs", type=int, default=9)
want = want.parse_args()
IRIS = str(want.build.resolve() / "bin/iris")


def ask(path, method, target, body=None):
    """The answer's body, by a connection of its own."""
    text = json.dumps(body).encode() if body is not None else b""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(f"{method} {target} HTTP/1.1\r\nHost: iris\r\nConnection: close\r\nContent-Length: {len(text)}\r\n\r\n".encode() + text)
        pieces = []
        while piece := s.recv(1 << 20):
            pieces.append(piece)
    return b"".join(pieces).split(b"\r\n\r\n", 1)[1]


def measure(name, run):
    times = []
    for _ in range(want.runs):
        time.sleep(0.3)
        began = time.perf_counter()
        size = run()
        times.append((time.perf_counter() - began) * 1e3)
    print(f"{name:<44}{statistics.median(times):8.1f}{max(times):9.1f}{size:13,}", flush=True)


with tempfile.TemporaryDirectory(prefix="iris-look.") as where:
    os.environ["XDG_RUNTIME_DIR"], os.environ["XDG_STATE_HOME"] = where + "/run", where + "/state"
    os.mkdir(where + "/run", 0o700)
    crowd = want.build.resolve() / "tests/behaviours/throng.so"
    manifest = where + "/app.json"
    pathlib.Path(manifest).write_text(json.dumps({"name": "look", "actors": [{"path": "/throng", "handler": str(crowd)}]}))
    app = subprocess.Popen([IRIS, "run", manifest], stdout=subprocess.DEVNULL)
    at = where + "/run/iris/look.sock"
    try:
        while not os.path.exists(at):
            time.sleep(0.01)
        subprocess.run([IRIS, "ask", "/throng", f"name {want.actors}"], check=True, stdout=subprocess.DEVNULL)
        total = json.loads(ask(at, "POST", "/v1/ps", {"limit": 0}))["total"]
        time.sleep(1)
        print(f"{total:,} actors with paths{'median':>32}{'worst':>9}{'bytes':>13}")
        program = lambda *words: lambda: len(subprocess.run([IRIS, *words], check=True, capture_output=True).stdout)
        request = lambda *what: lambda: len(ask(at, *what))
        measure("iris ps", program("ps"))
        measure("iris top --once", program("top", "--once"))
        measure("a refresh of top: 50 by rate", request("POST", "/v1/ps", {"sort": "rate", "limit": 50, "nameless": True}))
        measure("a refresh of top: 50 by path", request("POST", "/v1/ps", {"sort": "path", "limit": 50, "nameless": True}))
        measure("iris tree", program("tree"))
        measure("iris inspect PATH", program("inspect", "/crowd/7"))
        measure("GET /metrics", request("GET", "/metrics"))
        measure("GET /v1/health", request("GET", "/v1/health"))
        measure("GET /v1/ps: all of them", request("GET", "/v1/ps"))
    finally:
        app.terminate()
        app.wait()
