"""The machine of a name's owner was suspended, for longer than its lease (tests/behaviours/slept.c is its clock)."""
import os
import time

from cluster_away import make
from lab import BUILD, say, wait_for
from owners import Sampler, owner

slept = os.path.join(os.getcwd(), "slept")
os.environ["SLEPT"] = slept
lab, etcd = make(6, LD_PRELOAD=f"{BUILD}/tests/behaviours/slept.so")
token = owner(lab.nodes)
node = lab.nodes[0].call("whereis", {"target": "pay"})["node"]
samples = Sampler(lab.nodes)
wait_for(lambda: samples.answered(lab.nodes, token), "all answer", lab.state)
with open(slept, "w"):
    began = time.monotonic()
wait_for(lambda: owner(lab.nodes, token), "it has a new lease", lab.state, 40)
wait_for(lambda: samples.answered(lab.nodes, owner(lab.nodes, token)), "all answer again", lab.state)
samples.end()
samples.judge(lab.check)
late = [a for a in samples.answers if a[0] > began and a[4] == token]
lab.check(not late, f"nobody answers by the lease of before: {late[:3]}")
say(f"slept: {len(samples.answers)} answers; {node} did not answer any more with token {token}; another lease after"
    f" {min(a[0] for a in samples.answers if a[4] > token) - began:.2f} s")
etcd.kill()
lab.end()
