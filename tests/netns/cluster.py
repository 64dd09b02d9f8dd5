"""Three members of etcd, each beside a node: its leader is cut off, and with it the node that owns a name."""
import time

from engine import Engine
from lab import Lab, isolate, say, wait_for
from owners import Sampler, actor, healthy, owner, settings

netns = isolate(must=True)
lab = Lab(3, netns, actors=[actor("pay")])
etcd = Engine(lab.dir, [n.name for n in lab.nodes], netns)
say(f"three members of etcd answer after {etcd.start():.1f} s")
leader = etcd.leader()
for i, n in enumerate(lab.nodes):
    n.options = settings(etcd.urls(i))
lab.nodes.sort(key=lambda n: n.name != leader.name)  # the first has the name, and the leader beside it
cut, left = lab.nodes[0], lab.nodes[1:]
majority = next(m for m in etcd.members if m is not leader)


def told():
    return lab.state() + "\n" + etcd.said()


cut.start()
wait_for(lambda: owner([cut]), "it has the name", told)
for n in left:
    n.start()
wait_for(lambda: owner(lab.nodes) and all(a.up(b) for a, b in lab.pairs()), "all know it", told)
token = owner([cut])
samples = Sampler(lab.nodes, lambda: majority.key("/iris/default/name/pay"))
wait_for(lambda: samples.answered(lab.nodes, token), "all have its answer", told)

began = time.monotonic()
cut.cut()
wait_for(lambda: healthy([cut], "lease-lost"), "the one that is cut off has no lease", told)
say(f"cut: LEASE LOST at {cut.name} after {time.monotonic() - began:.2f} s")
wait_for(lambda: samples.answered(left, owner(left, token)), "one of the others has it, and answers both", told)

healed = time.monotonic()
cut.heal()
wait_for(lambda: healthy(lab.nodes) and samples.answered(lab.nodes, owner(lab.nodes, token)),
         "one owner, at all three", told)
say(f"healed: one owner at all three after {time.monotonic() - healed:.2f} s")
samples.end()

owners = samples.judge(lab.check)
_, first, _, last = owners[0]
_, second, taken, _ = owners[1]
gone = next(begin for begin, _, key in samples.keys if begin > began and (not key or key["node"] != cut.name))
lab.check(first == cut.name and second != cut.name and taken < healed, f"in the cut the name goes over: {owners}")
lab.check(last < gone, f"{first} answered last at {last:.3f}, its lease had ended by {gone:.3f}")
say(f"{len(samples.answers)} answers, {len(samples.refused)} refused; {first} answered last {last - began:.2f} s after the cut,"
    f" {gone - last:.2f} s before its lease had ended; {second} did first {taken - began:.2f} s after it")
if lab.failures:
    print(told())
etcd.kill()
lab.end()
