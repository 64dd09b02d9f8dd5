"""Who answers for a name that is unique, asked at all nodes all the time, by the one clock of the machine."""
import json
import threading
import time

from lab import BUILD, say


def actor(name):
    return {"path": f"/{name}", "name": name, "handler": f"{BUILD}/tests/behaviours/owner.so", "args": "${NODE}"}


def settings(urls, ttl="2s", names=("pay",)):
    return {"engine": {"etcd": urls, "ttl": ttl, "names": list(names), "on_loss": "demote"}}


def owner(at, above=0):
    """The token of pay, where all of these nodes name the same; else 0."""
    seen = [n.call("whereis", {"target": "pay", "timeout_ms": 300}).get("token", 0) for n in at]
    return seen[0] if seen[0] > above and len(set(seen)) == 1 else 0


def healthy(at, health="ok"):
    return all(n.engine()["health"] == health for n in at)


class Sampler:
    """answers: (begin, end, where it was asked, who answered, token), of each question that was answered."""

    def __init__(self, nodes, key=None, target="pay"):
        self.answers, self.refused, self.keys, self.over, self.target = [], [], [], False, target
        self.threads = [threading.Thread(target=self.ask, args=(n,)) for n in nodes]
        if key:
            self.threads.append(threading.Thread(target=self.look, args=(key,)))
        for t in self.threads:
            t.start()

    def ask(self, node):
        while not self.over:
            begin = time.monotonic()
            try:
                reply = node.ask(self.target)
            except (OSError, IndexError, json.JSONDecodeError):
                reply = None  # it does not run now
            if reply:
                who, token = reply.split()
                self.answers.append((begin, time.monotonic(), node.name, who, int(token)))
            else:
                self.refused.append((begin, time.monotonic(), node.name))
            time.sleep(0.002)

    def look(self, key):
        while not self.over:
            begin = time.monotonic()
            try:
                self.keys.append((begin, time.monotonic(), key()))
            except (OSError, ValueError, KeyError):
                pass  # its leader changes
            time.sleep(0.01)

    def end(self):
        self.over = True
        for t in self.threads:
            t.join()

    def answered(self, nodes, token):
        """It was the last answer at each of them."""
        return token and all(token == next((a[4] for a in reversed(self.answers) if a[2] == n.name), 0) for n in nodes)

    def owners(self):
        """In the order of their tokens: (token, who, begin of the first answer, end of the last one)"""
        seen = {}
        for begin, end, _, who, token in self.answers:
            _, _, first, last = seen.setdefault(token, (token, who, begin, end))
            seen[token] = (token, who, min(first, begin), max(last, end))
        return sorted(seen.values())

    def judge(self, check):
        """Never two that both answer: a lower token has answered last before a higher one is asked first."""
        owners = self.owners()
        for (low, who, _, last), (high, other, first, _) in zip(owners, owners[1:]):
            check(last <= first, f"{who} (token {low}) answered until {last:.4f}, {other} (token {high}) from {first:.4f}")
            say(f"{who} (token {low}) answered last {first - last:.2f} s before {other} (token {high}) did first")
        for token, who in {(a[4], a[3]) for a in self.answers}:
            check(len({a[3] for a in self.answers if a[4] == token}) == 1, f"token {token} has one owner, {who}")
        return owners
