#!/usr/bin/env python3
"""How long `iris swap PATH FILE` takes, from the shell, to code that was never seen before, with the state that crosses.

usage: tools/bench/swaps.py BUILD [--runs 20] [--json]

BUILD is build/release. A counter each in C, Python and JavaScript; before each swap its file is written anew, to another
name. Median, best and worst, in ms: of the command, from its exec to its exit, and of that how long the app took, from the
request to the moment when the new code was in effect. After each swap the counter is asked, and has to have gone on."""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

PYTHON = """class Counter:
    def __init__(self, n=0): self.n = n
    def on_msg(self, msg):
        self.n += 1
        return b"%d of {number}" % self.n
    def __iris_save__(self): return b"%d" % self.n
    @classmethod
    def __iris_upgrade__(cls, version, saved): return cls(int(saved))
"""
NODE = """export class Counter {
  constructor (n = 0) { this.n = n }
  onMessage () { return `${++this.n} of {number}` }
  save () { return String(this.n) }
  static upgrade (from, saved) { return new Counter(Number(saved)) }
}
"""
LANGUAGES = {"native": ("C", "so", ""), "python": ("Python", "py", ":Counter"), "node": ("JavaScript", "mjs", "#Counter")}


def write(directory, language, number, library):
    """Another file with other bytes; the handler in it."""
    _, ending, symbol = LANGUAGES[language]
    name = os.path.join(directory, f"{language}{number}.{ending}")
    text = {"native": library + b"%d" % number, "python": PYTHON.encode(), "node": NODE.encode()}[language]
    with open(name, "wb") as out:
        out.write(text.replace(b"{number}", b"%d" % number) if symbol else text)
    return name + symbol


def check(iris, directory, language, asked, number):
    question = "totals" if language == "native" else "x"
    got = subprocess.run([iris, "ask", f"/{language}", question], cwd=directory, check=True, capture_output=True, text=True).stdout.strip()
    want = got if language == "native" else f"{asked} of {number}"
    if got != want:
        sys.exit(f"swaps.py: /{language} answers \"{got}\"; expected \"{want}\"")


def swap(iris, directory, language, handler):
    began = time.perf_counter()
    done = subprocess.run([iris, "swap", f"/{language}", handler, "--json"], cwd=directory, capture_output=True, text=True)
    took = (time.perf_counter() - began) * 1e3
    if done.returncode:
        sys.exit(f"swaps.py: {done.stderr}")
    return took, json.loads(done.stdout)["ns"] / 1e6


def measure(iris, directory, language, library, runs):
    swap(iris, directory, language, write(directory, language, 1, library))
    times = []
    for number in range(2, runs + 2):
        handler = write(directory, language, number, library)
        times.append(swap(iris, directory, language, handler))
        check(iris, directory, language, number - 1, number)
    return {"command": [t[0] for t in times], "app": [t[1] for t in times]}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    o = parser.parse_args()
    build = os.path.abspath(o.build)
    iris = os.path.join(build, "bin/iris")
    languages = [n for n in LANGUAGES if os.path.exists(f"{build}/lib/iris/hosts/{n}.so")]
    with open(f"{build}/lib/iris/behaviours/libcounter.so", "rb") as f:
        library = f.read()
    with tempfile.TemporaryDirectory(prefix="iris-swaps-") as directory:
        for name, variable in (("run", "XDG_RUNTIME_DIR"), ("state", "XDG_STATE_HOME")):
            os.mkdir(os.path.join(directory, name), 0o700)
            os.environ[variable] = os.path.join(directory, name)
        rows = [{"path": f"/{n}", "handler": write(directory, n, 0, library)} for n in languages]
        with open(os.path.join(directory, "app.json"), "w", encoding="utf-8") as out:
            json.dump({"name": "swaps", "actors": rows}, out)
        app = subprocess.Popen([iris, "run"], cwd=directory, stdout=subprocess.PIPE, text=True)
        try:
            while "talk to it" not in (line := app.stdout.readline()):
                if not line:
                    sys.exit("swaps.py: the app has not started")
            table = {n: measure(iris, directory, n, library, o.runs) for n in languages}
        finally:
            app.terminate()
            app.communicate()
    if o.json:
        print(json.dumps(table))
        return
    print(f"{o.runs} swaps each, ms{'':10}command{'':15}of that the app")
    for n, columns in table.items():
        cells = [f"{statistics.median(c):.1f} ({min(c):.1f}..{max(c):.1f})" for c in columns.values()]
        print(f"  {LANGUAGES[n][0]:<22}{cells[0]:<22}{cells[1]}")


main()
