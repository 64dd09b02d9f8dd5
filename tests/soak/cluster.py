"""A name's owner is killed, RUNS (20) times: how long until another answers for it. Three nodes and an etcd on the loopback."""
import os
import random
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.environ["SRC"], "tests", "netns"))
from cluster_away import make  # noqa: E402
from lab import say, wait_for  # noqa: E402
from owners import Sampler, healthy, owner  # noqa: E402

TTL, RUNS = 2, int(os.environ.get("RUNS", 20))


def run(lab):
    """How long nobody answered."""
    token = owner(lab.nodes)
    node = lab.nodes[0].call("whereis", {"target": "pay"})["node"]
    killed = next(n for n in lab.nodes if n.name == node)
    left = [n for n in lab.nodes if n is not killed]
    samples = Sampler(left)
    wait_for(lambda: samples.answered(left, token), "it answers", lab.state)
    time.sleep(random.uniform(0, TTL / 3))  # its lease is renewed at a third of that
    began = time.monotonic()
    killed.kill()
    wait_for(lambda: samples.answered(left, owner(left, token)), "another has it", lab.state)
    samples.end()
    samples.judge(lab.check)
    first = next(end for _, end, _, _, high in samples.answers if high > token)
    killed.start()
    wait_for(lambda: healthy(lab.nodes) and owner(lab.nodes, token), "it is back", lab.state)
    return first - began


lab, etcd = make(TTL)
took = [run(lab) for _ in range(RUNS)]
lab.check(max(took) < TTL + 2, f"another owner within {TTL + 2} s: {max(took):.2f}")
say(f"{RUNS} owners killed, ttl {TTL} s: another answered after {statistics.median(took):.2f} s (median), {max(took):.2f} s"
    f" at most; load {os.getloadavg()[0]:.1f}")
etcd.kill()
lab.end()
