"""The engine is dead for a while, while nodes send to each other: nothing of that is lost, and names go as docs/cluster.md
says. argv: for how many seconds, and the leases' ttl."""
import subprocess
import sys
import time

from engine import Engine
from lab import IRIS, Lab, say, wait_for
from owners import Sampler, actor, healthy, owner, settings


def make(ttl, **env):
    """Nodes and an engine of one member, all of them on the loopback. env: of the nodes"""
    lab = Lab(3, netns=False, actors=[actor("pay"), actor("own")])
    etcd = Engine(lab.dir, ["e"], netns=False)
    etcd.start()
    for n in lab.nodes:
        n.env = env
        n.options = settings(etcd.urls(), f"{ttl}s", ["pay", "late"])
    lab.start()
    wait_for(lambda: owner(lab.nodes), "a name has an owner", lab.state)
    return lab, etcd


def sent(lab):
    return sum(sum(n.tally.sent) for n in lab.nodes)


def handled(lab):
    return sum(r.tally.got(s.number, s.life) for s, r in lab.pairs())


def says(lab, node, words):
    """`iris mesh` of it does."""
    said = subprocess.run([IRIS, "mesh", "-a", node.name], capture_output=True, text=True).stderr
    lab.check(words in said, f"iris mesh -a {node.name} says {words}: {said}")


def takes(node, name):
    """An actor of it takes this name from now on."""
    node.actors = [actor(name)]
    node.write()
    return node.call("apply", {})


def refused(lab, node):
    """A new name that is unique: nobody answers for it, and it is said why."""
    lab.check(takes(node, "late").get("applied"), "an actor with a new name begins")
    wait_for(lambda: "name late cannot be claimed: the engine is" in node.said(), "its claim is refused", lab.state)
    for n in lab.nodes:
        why = n.call("ask", {"target": "late", "data": "?"})["error"]["message"]
        lab.check("engine etcd does not say whose it is" in why, f"who asks for it at {n.name} is told: {why}")


def away(lab, etcd, seconds, ttl):
    token, node = owner(lab.nodes), lab.nodes[1]
    unique, plain = Sampler(lab.nodes), Sampler(lab.nodes, target="own@a")
    lab.run(5, 500)
    before = sent(lab)
    wait_for(lambda: unique.answered(lab.nodes, token) and len(plain.answers) > 30, "all answer", lab.state)
    etcd.kill()
    began = time.monotonic()
    wait_for(lambda: healthy(lab.nodes, "degraded") or healthy(lab.nodes, "lease-lost"), "it is missed", lab.state)
    say(f"engine dead: told of at all nodes after {time.monotonic() - began:.2f} s")
    if ttl > 2:
        says(lab, node, "DEGRADED since")
    refused(lab, node)
    wait_for(lambda: healthy(lab.nodes, "lease-lost"), "leases end", lab.state)
    says(lab, node, "LEASE LOST since")
    time.sleep(max(0, began + seconds - time.monotonic()))
    back = time.monotonic()
    for m in etcd.members:
        m.start()
    wait_for(lambda: healthy(lab.nodes) and unique.answered(lab.nodes, owner(lab.nodes, token)), "all is well", lab.state)
    wait_for(lambda: node.call("whereis", {"target": "late"}).get("token"), "who waited has its name", lab.state)
    say(f"engine back after {back - began:.2f} s: one owner at all nodes {time.monotonic() - back:.2f} s later")
    unique.end()
    plain.end()
    lab.run(0, 0)
    wait_for(lambda: handled(lab) >= sent(lab), "all is handled", lambda: f"{sent(lab)} sent, {handled(lab)} handled", 20)
    unique.judge(lab.check)
    last = max(end for _, end, _, _, t in unique.answers if t == token) - began
    lab.check(0 < last < ttl, f"cached names go on for less than {ttl} s: {last:.2f}")
    lab.check(not plain.refused, f"names of nodes go on: {plain.refused[:5]}")
    went, got = sent(lab), handled(lab)
    letters = sum(n.letters()["node"] for n in lab.nodes)
    lab.check(went == got and not letters and not any(sum(n.tally.downs) for n in lab.nodes),
              f"nothing is lost: {went} sent, {got} handled, {letters} dead letters")
    say(f"engine dead for {back - began:.1f} s: {went - before} messages sent between linked nodes meanwhile,"
        f" {went - got} lost; {len(plain.answers)} asks by a node's name answered, {len(plain.refused)} not; the unique name"
        f" was answered for {last:.2f} s")


if __name__ == "__main__":
    given = [float(n) for n in sys.argv[1:]]
    world = make(int(given[1]))
    away(*world, *given)
    world[1].kill()
    world[0].end()
