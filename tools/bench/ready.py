#!/usr/bin/env python3
"""How long `iris run` takes until all actors are ready: a third each in C, Python and JavaScript.

usage: tools/bench/ready.py BUILD [--actors 1000] [--runs 5] [--only LANGUAGE] [--json]

BUILD is build/release. Each run is a process of its own; what is measured is from exec to the line that welcomes. A
language that the build has no host for is left out, and named. Every actor is asked once afterwards, and has to answer."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HANDLERS = {
    "native": ("./libcounter.so", None),
    "python": ("hello.py:on_msg", "def on_msg(msg):\n    return msg\n"),
    "node": ("hello.mjs#onMessage", "export function onMessage(msg) {\n  return msg\n}\n"),
}


def make_app(build, directory, languages, actors):
    os.symlink(os.path.join(build, "lib/iris/behaviours/libcounter.so"), os.path.join(directory, "libcounter.so"))
    rows = []
    for i in range(actors):
        language = languages[i % len(languages)]
        handler, code = HANDLERS[language]
        rows.append({"path": f"/{language}/{i}", "handler": handler})
        file = os.path.join(directory, handler.split(":")[0].split("#")[0])
        if code and not os.path.exists(file):
            with open(file, "w", encoding="utf-8") as out:
                out.write(code)
    with open(os.path.join(directory, "app.json"), "w", encoding="utf-8") as out:
        json.dump({"name": "ready", "actors": rows}, out, indent=1)


def rss(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def one_run(iris, directory, actors):
    begin = time.monotonic()
    app = subprocess.Popen([iris, "run"], cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    started = 0
    for line in app.stdout:
        started += line.startswith("✓")
        if "talk to it" in line:
            break
    ready = (time.monotonic() - begin) * 1000
    if started != actors:
        app.wait()
        sys.exit(f"ready.py: {started} of {actors} actors have started; the last line: {line}")
    figures = {"ready_ms": ready, "cpu_ms": cpu(app.pid), "rss_kib": rss(app.pid)}
    begin = time.monotonic()
    seen = json.loads(subprocess.run([iris, "ps", "--json"], cwd=directory, check=True, capture_output=True).stdout)
    figures["ps_ms"] = (time.monotonic() - begin) * 1000
    if sum(a["state"] == "running" for a in seen["actors"]) != actors:
        sys.exit("ready.py: not all actors run")
    begin = time.monotonic()
    subprocess.run([iris, "stop"], cwd=directory, check=True, stdout=subprocess.DEVNULL)
    figures["stop_ms"] = (time.monotonic() - begin) * 1000
    app.stdout.read()
    app.wait()
    return figures


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build")
    parser.add_argument("--actors", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=HANDLERS)
    parser.add_argument("--json", action="store_true")
    o = parser.parse_args()
    build = os.path.abspath(o.build)
    hosts = os.path.join(build, "lib/iris/hosts")
    languages = [n for n in HANDLERS if os.path.exists(f"{hosts}/{n}.so") and o.only in (None, n)]
    missing = [n for n in HANDLERS if not os.path.exists(f"{hosts}/{n}.so")]
    with tempfile.TemporaryDirectory(prefix="iris-ready-") as directory:
        for name, variable in (("run", "XDG_RUNTIME_DIR"), ("state", "XDG_STATE_HOME")):
            os.mkdir(os.path.join(directory, name), 0o700)
            os.environ[variable] = os.path.join(directory, name)
        make_app(build, directory, languages, o.actors)
        runs = [one_run(os.path.join(build, "bin/iris"), directory, o.actors) for _ in range(o.runs)]
    table = {key: [r[key] for r in runs] for key in runs[0]}
    if o.json:
        print(json.dumps({"actors": o.actors, "languages": languages, "missing": missing, "runs": table}))
        return
    print(f"{o.actors} actors: {', '.join(languages)}" + (f"; no host for {', '.join(missing)}" if missing else ""))
    for key, values in table.items():
        name, unit = key.rsplit("_", 1)
        print(f"  {name:6} {statistics.median(values):10.1f} {unit:4} ({min(values):.1f}..{max(values):.1f})")


main()
