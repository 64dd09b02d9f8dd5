"""Nodes that are processes of `iris run`, each with a courier (tests/behaviours/courier.c), and what happens to them.

Where namespaces are allowed each node has a network of its own (unshare -Urnm, then veth pairs on a bridge): lines are
cut, filtered and made slow. Else all are on the loopback, and only processes are killed and stopped. What is shown is
counted by the couriers in files that outlive their process; what a node says of its links is `iris mesh --json`.
A node whose options have an "engine" is told of others by that (engine.py). In manifests ${NODE} is the node's name.
"""
import json
import mmap
import os
import signal
import socket
import struct
import subprocess
import sys
import time

IRIS, BUILD = os.environ["IRIS"], os.environ["BUILD"]
NODES, LIVES = 5, 2000  # of courier.c
FIELDS = ("sent", "full", "monitors", "downs", "ups", "nodedowns")
began = time.monotonic()


def say(text):
    print(f"{time.monotonic() - began:7.1f} s  {text}", flush=True)


def skip(why):
    print(f"skipped: {why}", flush=True)
    sys.exit(77)


def sh(text, ok=True):
    done = subprocess.run(text, shell=True, capture_output=True, text=True)
    if ok and done.returncode:
        raise RuntimeError(f"{text}: {done.stderr.strip()}")
    return done


def isolate(must):
    """Goes on in namespaces of its own, and says whether it is there. must: where they are refused, skips."""
    if os.environ.get("IRIS_LAB") == "netns":
        sh("mount -t tmpfs none /run && mkdir -p /run/netns && ip link set lo up")
        return True
    tools = [t for t in ("unshare", "ip", "tc", "nft") if sh(f"command -v {t}", ok=False).returncode]
    probe = sh("unshare -Urnm sh -c 'mount -t tmpfs none /run && mkdir /run/netns && ip netns add x"
               " && ip link add v type veth peer name w && nft add table inet f'", ok=False)
    why = f"no {', '.join(tools)}" if tools else probe.stderr.strip() if probe.returncode else ""
    if why and must:
        skip(f"network namespaces: {why}")
    if why:
        say(f"no network namespaces ({why}): processes are killed and stopped, no line is cut")
        return False
    os.environ["IRIS_LAB"] = "netns"
    os.execvp("unshare", ["unshare", "-Urnm", sys.executable] + sys.argv)


class Tally:
    """struct tally of courier.c"""

    def __init__(self, path):
        with open(path, "rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

    def __getattr__(self, field):
        if field in FIELDS:
            return list(struct.unpack_from("=5Q", self.map, FIELDS.index(field) * 40))
        return struct.unpack_from("=Q", self.map, 240 + ("disorder", "stray", "early").index(field) * 8)[0]

    def got(self, node, life):
        return struct.unpack_from("=Q", self.map, 264 + (node * LIVES + life) * 16)[0]


class Node:
    def __init__(self, lab, number, options):
        self.lab, self.number, self.name = lab, number, "abcde"[number]
        self.life, self.process, self.frozen, self.options, self.actors, self.env = 0, None, False, options, [], {}
        self.dir = os.path.join(lab.dir, self.name)
        os.makedirs(self.dir, exist_ok=True)
        self.ip = f"10.9.0.{number + 1}" if lab.netns else "127.0.0.1"
        self.port = 9000
        if not lab.netns:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self.port = free.getsockname()[1]
        self.address = f"{self.ip}:{self.port}"

    def manifest(self):
        mesh = {"node": self.name, "listen": self.address, "peers": [n.address for n in self.lab.nodes if n is not self]}
        mesh.update(self.lab.options, **self.options)
        if "engine" in mesh:
            del mesh["peers"]
        args = f"{self.number} {self.life} {len(self.lab.nodes)} {self.tally_path()}"
        actor = {"path": "/courier", "name": "courier", "handler": f"{BUILD}/tests/behaviours/courier.so", "args": args,
                 "mailbox": "unbounded"}
        return {"name": self.name, "mesh": mesh, "actors": [actor] + self.lab.actors + self.actors}

    def tally_path(self):
        return os.path.join(self.dir, f"tally.{self.life}")

    def write(self):
        with open(os.path.join(self.dir, "app.json"), "w") as file:
            json.dump(self.manifest(), file)

    def start(self):
        self.life += 1
        self.write()
        inside = ["nsenter", f"--net=/run/netns/{self.name}"] if self.lab.netns else []
        with open(os.path.join(self.dir, f"log.{self.life}"), "w") as log:
            self.process = subprocess.Popen(inside + [IRIS, "run", f"{self.dir}/app.json"], stdout=log,
                                            stderr=subprocess.STDOUT, env=dict(os.environ, NODE=self.name, **self.env))
        wait_for(lambda: "talk to it" in self.said() or self.process.poll() is not None, f"{self.name} runs", self.said)
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} does not run: {self.said()}")
        self.tally = Tally(self.tally_path())

    def said(self):
        with open(os.path.join(self.dir, f"log.{self.life}")) as file:
            return file.read()

    def request(self, path, data=b""):
        """One request to the control socket: the body of its answer."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(os.path.join(os.environ["XDG_RUNTIME_DIR"], "iris", f"{self.name}.sock"))
            s.sendall(f"{'POST' if data else 'GET'} {path} HTTP/1.1\r\nHost: iris\r\nConnection: close\r\n"
                      f"Content-Length: {len(data)}\r\n\r\n".encode() + data)
            answer = b""
            while piece := s.recv(1 << 16):
                answer += piece
        return answer.split(b"\r\n\r\n", 1)[1]

    def call(self, verb, body=None):
        return json.loads(self.request(f"/v1/{verb}", json.dumps(body).encode() if body is not None else b""))

    def links(self):
        return {n["node"]: n for n in self.call("mesh")["nodes"]}

    def ask(self, target, ms=300):
        """The answer; None: there was none."""
        answer = self.call("ask", {"target": target, "data": "?", "timeout_ms": ms})
        return answer.get("reply")

    def engine(self):
        return self.call("mesh")["engine"]

    def tell(self, text):
        return self.call("ask", {"target": "/courier", "data": text})

    def letters(self):
        return self.call("health")["dead_letters"]

    def up(self, other):
        return self.links().get(other.name, {}).get("state") == "up"

    def used(self):
        """KiB of memory (pages of files do not count), and descriptors"""
        pid = self.process.pid
        with open(f"/proc/{pid}/status") as file:
            rss = [int(line.split()[1]) for line in file if line.startswith("RssAnon")][0]
        return rss, len(os.listdir(f"/proc/{pid}/fd"))

    def messages(self):
        """KiB that the pool of messages has taken: it keeps what the highest flood needed."""
        lines = self.request("/metrics").decode().splitlines()
        return [int(float(line.split()[-1])) // 1024 for line in lines if line.startswith("iris_message_bytes")][0]

    # ---- faults ----

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)
        self.frozen = True

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)
        self.frozen = False

    def inside(self, text, ok=True):
        return sh(f"nsenter --net=/run/netns/{self.name} {text}", ok)

    def cut(self, own=False):
        """The line: its far end goes down, or its own."""
        if own:
            self.inside("ip link set eth0 down")
        else:
            sh(f"ip link set v{self.name} down")

    def heal(self):
        if self.lab.netns:
            sh(f"ip link set v{self.name} up")
            self.inside("ip link set eth0 up")
            self.inside("nft delete table inet f", ok=False)

    def deaf(self, rule):
        """Drops what comes in: rule is of nft, such as "ip saddr 10.9.0.1" or "numgen random mod 100 < 5"."""
        self.inside("nft add table inet f")
        self.inside("nft 'add chain inet f in { type filter hook input priority 0 ; }'")
        self.inside(f"nft add rule inet f in '{rule} drop'")

    def slow(self, rate):
        self.inside(f"tc qdisc add dev eth0 root tbf rate {rate} burst 64kb latency 400ms")


class Lab:
    def __init__(self, count, netns, tls=False, actors=(), **options):
        self.netns, self.nodes, self.failures, self.acknowledged = netns, [], [], {}
        self.dir = os.path.join(os.getcwd(), "lab")
        os.makedirs(self.dir, exist_ok=True)
        self.actors = list(actors)
        self.options = {"timeouts": {"redial_max": "500ms"}, **options}
        if netns:
            self.bridge(count)
        if tls:
            sh(f"{IRIS} mesh cert --ca={self.dir}/pki")
        elif netns:
            cookie = os.path.join(self.dir, "cookie")
            with open(os.open(cookie, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
                file.write(os.urandom(48).hex())
            self.options.update({"cookie": {"file": cookie}, "insecure": True})
        for i in range(count):
            self.nodes.append(Node(self, i, self.certificate("abcde"[i]) if tls else {}))

    def certificate(self, name):
        sh(f"{IRIS} mesh cert --ca={self.dir}/pki {name}")
        pki = f"{self.dir}/pki/"
        return {"tls": {"cert": f"{pki}{name}.crt", "key": f"{pki}{name}.key", "ca": f"{pki}ca.crt"}}

    def bridge(self, count):
        sh("ip link add br0 type bridge && ip addr add 10.9.0.250/24 dev br0 && ip link set br0 up")
        for i in range(count):
            n = "abcde"[i]
            sh(f"ip netns add {n} && ip link add v{n} type veth peer name eth0 netns {n}"
               f" && ip link set v{n} master br0 up")
            sh(f"nsenter --net=/run/netns/{n} sh -c 'ip link set lo up; ip addr add 10.9.0.{i + 1}/24 dev eth0;"
               f" ip link set eth0 up'")

    def start(self):
        for n in self.nodes:
            n.start()
        self.whole()

    def pairs(self):
        return [(a, b) for a in self.nodes for b in self.nodes if a is not b]

    def whole(self, within=60):
        """All are linked, and all couriers have found each other."""
        wait_for(lambda: all(a.up(b) for a, b in self.pairs()), "all are linked", self.state, within)
        wait_for(lambda: all(a.tally.monitors[b.number] == a.tally.downs[b.number] + 1 for a, b in self.pairs()),
                 "all have found each other", self.state, within)

    def state(self):
        return "\n".join(f"{n.name} life {n.life}: {n.call('mesh')}\n{n.said()[-3000:]}"
                         for n in self.nodes if not n.frozen and n.process.poll() is None)

    def run(self, rate, size):
        for n in self.nodes:
            n.tell(f"run {rate} {size}")

    def check(self, true, text):
        if not true:
            self.failures.append(text)
            say(f"NOT SO: {text}")

    def quiet(self, within=90):
        """Nobody sends any more, and all that was sent is accounted for."""
        self.run(0, 0)
        wait_for(lambda: all(self.balance(n)[0] == 0 for n in self.nodes), "each letter is accounted for",
                 lambda: "\n".join(str(self.balance(n)) for n in self.nodes) + "\n" + self.state(), within)

    def balance(self, n):
        """sent - acknowledged - dead letters: of this run of this node"""
        links, sent = n.links(), sum(n.tally.sent)
        taken = sum(l["acknowledged"] for l in links.values())
        taken += sum(a[2] for a in self.acknowledged.get((n.name, n.life), []))  # of runs that were killed
        dead = n.letters()["node"]
        return sent - taken - dead, sent, taken, dead

    def end(self):
        for n in self.nodes:
            if n.frozen:
                n.thaw()
            n.process.terminate()
        for n in self.nodes:
            self.check(n.process.wait(30) == 0, f"{n.name} ends with 0: {n.process.returncode} {n.said()[-2000:]}")
        for text in self.failures:
            print(f"failed: {text}", file=sys.stderr)
        sys.exit(1 if self.failures else 0)


def wait_for(what, name, why=lambda: "", within=60):
    """Until it is so. Answers how long it took."""
    start = time.monotonic()
    while True:
        try:
            if what():
                return time.monotonic() - start
        except (OSError, KeyError, ValueError, IndexError):
            pass  # it does not run yet, or not any more
        if time.monotonic() - start > within:
            raise RuntimeError(f"waited {within} s for: {name}\n{why()}")
        time.sleep(0.02)
