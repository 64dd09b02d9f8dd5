"""A cluster of real etcd members, each beside a node of the lab: tools/setup --all brings one (.etcd/), or $ETCD says where.

On the loopback it has one member, or more, on free ports.
"""
import base64
import http.client
import json
import os
import shutil
import socket
import subprocess
import time

from lab import skip, wait_for


def program():
    own = os.path.join(os.environ["SRC"], ".etcd/usr/bin/etcd")
    found = os.environ.get("ETCD") or (own if os.access(own, os.X_OK) else shutil.which("etcd"))
    if not found:
        skip("there is no etcd; tools/setup --all brings one")
    if not os.path.exists(os.path.join(os.environ["BUILD"], "lib/iris/hosts/etcd.so")):
        skip("built without libcurl")
    return found


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Member:
    def __init__(self, engine, name, ip):
        self.engine, self.name, self.ip, self.process = engine, name, ip, None
        self.client, self.peer = (2379, 2380) if engine.netns else (free_port(), free_port())
        self.url = f"http://{ip}:{self.client}"

    def start(self):
        """Again: with what it had."""
        peers = ",".join(f"{m.name}=http://{m.ip}:{m.peer}" for m in self.engine.members)
        own = f"http://{self.ip}:{self.peer}"
        inside = ["nsenter", f"--net=/run/netns/{self.name}"] if self.engine.netns else []
        with open(f"{self.engine.dir}/etcd.{self.name}.log", "a") as log:
            self.process = subprocess.Popen(
                inside + [self.engine.program, "--name", self.name, "--data-dir", f"{self.engine.dir}/etcd.{self.name}",
                          "--logger", "zap", "--log-level", "error", "--unsafe-no-fsync", "--heartbeat-interval", "50",
                          "--election-timeout", "500", "--pre-vote", "--listen-client-urls", self.url, "--advertise-client-urls",
                          self.url, "--listen-peer-urls", own, "--initial-advertise-peer-urls", own,
                          "--initial-cluster", peers], stdout=log, stderr=subprocess.STDOUT)

    def kill(self):
        self.process.send_signal(9)
        self.process.wait()

    def call(self, path, body=None, timeout=2):
        line = http.client.HTTPConnection(self.ip, self.client, timeout=timeout)
        line.request("POST", f"/v3/{path}", json.dumps(body or {}))
        answer = json.loads(line.getresponse().read())
        if "header" not in answer:
            raise ValueError(f"{self.name}: {path}: {answer}")
        return answer

    def lives(self):
        return bool(self.call("kv/range", {"key": "AA=="}))

    def leads(self):
        status = self.call("maintenance/status")
        return status["leader"] == status["header"]["member_id"]

    def key(self, name):
        """Of a name: what stands there, or None."""
        kvs = self.call("kv/range", {"key": base64.b64encode(name.encode()).decode()}).get("kvs")
        return json.loads(base64.b64decode(kvs[0]["value"])) if kvs else None


class Engine:
    """names: of the lab's nodes, beside which its members are."""

    def __init__(self, directory, names, netns):
        self.program, self.dir, self.netns = program(), directory, netns
        self.members = []
        os.makedirs(directory, exist_ok=True)
        for i, name in enumerate(names):
            self.members.append(Member(self, name, f"10.9.0.{i + 1}" if netns else "127.0.0.1"))

    def urls(self, first=0):
        """As a node's setting: the member beside it comes first."""
        return [m.url for m in self.members[first:] + self.members[:first]]

    def start(self):
        began = time.monotonic()
        for m in self.members:
            m.start()
        for m in self.members:
            wait_for(m.lives, f"etcd {m.name} answers", self.said)
        return time.monotonic() - began

    def leader(self):
        wait_for(lambda: any(m.leads() for m in self.members), "etcd has a leader", self.said)
        return next(m for m in self.members if m.leads())

    def kill(self):
        for m in self.members:
            m.kill()

    def said(self):
        text = ""
        for m in self.members:
            with open(f"{self.dir}/etcd.{m.name}.log") as log:
                text += f"etcd {m.name}: {log.read()[-1000:]}\n"
        return text
