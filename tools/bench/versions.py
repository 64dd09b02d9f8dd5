"""What versions of a Node handler leave behind: swaps of ever new code, and the memory of the process meanwhile.

    tools/bench/versions.py build/release [SWAPS BYTES ENDING]...    (5000 10000 mjs 5000 10000 cjs 1000 1000000 mjs ..)

Each line is an app of its own. RSS is the process's, heap that of V8 as it stands, with what is not collected yet, in MB: at the start, after a
quarter, half and all of the swaps. With --flat it fails where the last half has grown by more than a twentieth and 8 MB.
"""
import http.client
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

GAUGE = """
exports.onMessage = () => {
  const { rss, heapUsed, external } = process.memoryUsage()
  return JSON.stringify([rss, heapUsed + external])
}
"""


class Client(http.client.HTTPConnection):
    """The app's control socket."""

    def __init__(self, path):
        super().__init__("iris", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def call(self, verb, **body):
        self.request("POST", "/v1/" + verb, json.dumps(body))
        answer = self.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{verb}: {answer.status} {text.decode()}")
        if answer.will_close:
            self.close()
        return json.loads(text)


def code(number, size, ending):
    """Never the same text, and of functions and strings as code is."""
    export = "exports.onMessage =" if ending == "cjs" else "export const onMessage ="
    lines, random_ = [f"{export} () => '{number}'"], random.Random(number)
    length = len(lines[0])
    while length < size:
        name = f"f{len(lines)}_{number}"
        lines.append(f"const {name} = (a, b) => a + b + {random_.random()} + '{random_.getrandbits(320):x}'")
        length += len(lines[-1]) + 1
    return "\n".join(lines)


def write(file, text):
    with open(file + ".new", "w", encoding="utf-8") as out:
        out.write(text)
    os.rename(file + ".new", file)


def measure(client, swaps):
    answer = json.loads(client.call("ask", target="/gauge", data="")["reply"])
    said = int(client.call("ask", target="/swapped", data="")["reply"])
    assert said == swaps, f"it is version {said}, expected {swaps}"
    return [round(n / 1e6, 1) for n in answer]


def run(build, swaps, size, ending, directory):
    handler = f"{directory}/swapped.{ending}"
    write(handler, code(0, size, ending))
    write(f"{directory}/gauge.cjs", GAUGE)
    actors = [{"path": "/swapped", "handler": handler}, {"path": "/gauge", "handler": f"{directory}/gauge.cjs"}]
    write(f"{directory}/app.json", json.dumps({"name": "versions", "control": {"socket": f"{directory}/s"}, "actors": actors}))
    app = subprocess.Popen([f"{build}/bin/iris", "run", f"{directory}/app.json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        client, figures = Client(f"{directory}/s"), []
        while not os.path.exists(f"{directory}/s"):
            time.sleep(0.01)
        for i in range(swaps + 1):
            if i:
                write(handler, code(i, size, ending))
                client.call("swap", target="/swapped")
            if i in (0, swaps // 4, swaps // 2, swaps):
                figures.append(measure(client, i))
        return figures
    finally:
        app.terminate()
        app.wait()


def main():
    words = [word for word in sys.argv[1:] if word != "--flat"]
    build, rest = words[0], words[1:] or "5000 10000 mjs 5000 10000 cjs 1000 1000000 mjs 1000 1000000 cjs".split()
    print("| swaps of | RSS at the start, 1/4, half, end (MB) | heap (MB) |\n|---|---|---|")
    failed = False
    for at in range(0, len(rest), 3):
        swaps, size, ending = int(rest[at]), int(rest[at + 1]), rest[at + 2]
        directory = tempfile.mkdtemp(prefix="iris-versions.")
        try:
            figures = run(build, swaps, size, ending, directory)
        finally:
            shutil.rmtree(directory)
        rss, heap = ([figure[i] for figure in figures] for i in (0, 1))
        shown = [", ".join(str(n) for n in column) for column in (rss, heap)]
        print(f"| {swaps:,} modules of {size:,} bytes, .{ending} | {shown[0]} | {shown[1]} |", flush=True)
        failed |= any(column[3] > column[2] * 1.05 + 8 for column in (rss, heap))
    if failed and "--flat" in sys.argv:
        raise SystemExit("memory grows with the versions")


main()
