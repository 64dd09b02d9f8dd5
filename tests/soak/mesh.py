"""Three nodes under random faults, and mail between all of them: SOAK_SECONDS (3600), SEED.

In rounds. In each all couriers send to each other, while nodes are killed and started again (not c, whose memory is
watched), stopped for a while, cut off, made deaf towards another. Then all is healed, nobody sends, and the books must balance:

  for each run that lives:  sent = acknowledged by the receivers' nodes + dead letters of reason "node"
  for each two that live:   what the sender's node saw acknowledged = what the receiver's courier handled. Of a receiver
                            that was killed: what was acknowledged was in its mailbox; what it did not get to died
                            with it, and is counted (no more than a mailbox holds)
  for a sender that was killed: what was handled of it is no more than it sent
  letters of one sender are in order; each monitor had one DOWN or none, a node that came up went down before

The memory of c is watched from when it has met the worst: its pool of messages keeps what its highest flood needed, so
it is first stopped under each kind of mail. How high a flood stands then is the machine's to say, and on a busy one a
higher comes later: so what c holds at the end is held against half the time, when a leak had half of it still to come.
The last lines are the totals.
"""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.environ["SRC"], "tests", "netns"))
from lab import Lab, isolate, say, wait_for  # noqa: E402

seconds = float(os.environ.get("SOAK_SECONDS", 3600))
seed = int(os.environ.get("SEED", time.time_ns() % 1_000_000))
netns = isolate(must=False)
os.environ["SEED"] = str(seed)
chance = random.Random(seed)
MAILBOX = 65536  # letters: what a courier's holds
MAIL = [(2, 200), (10, 2000), (20, 64), (1, 200000)]  # letters in 5 ms to each, bytes
# What is watched is what a node holds, not what the allocator keeps in case.
os.environ.update(MALLOC_ARENA_MAX="1", MALLOC_MMAP_THRESHOLD_="131072", MALLOC_TRIM_THRESHOLD_="131072")
lab = Lab(3, netns)
c = lab.nodes[2]
totals = dict(sent=0, acknowledged=0, dead=0, handled=0, killed_sent=0, killed_handled=0, full=0, downs=0, ups=0)
faults = dict(kill=0, freeze=0, cut=0, cut_own=0, one_way=0, loss=0)
past = {n.name: [] for n in lab.nodes}  # tallies of runs that were killed
unread = {}  # of each pair whose receiver was killed: how many were in its mailbox then
# lab.acknowledged: (name, life) of a sender: [(receiver, its life, how many that one acknowledged before it was killed)]


def pause(least, most):
    time.sleep(chance.uniform(least, most))


def kill():
    n = chance.choice(lab.nodes[:2])
    n.kill()
    past[n.name].append((n.life, n.tally))
    for s in lab.nodes:  # a node counts anew for each run of another
        if s is not n:
            wait_for(lambda s=s: not s.up(n), f"{s.name} sees that {n.name} went", lab.state, 10)
            taken = s.links()[n.name]["acknowledged"]
            lab.acknowledged.setdefault((s.name, s.life), []).append((n, n.life, taken))
    pause(0, 6)
    n.start()
    n.tell(f"run {rate} {size}")


def freeze():
    n = chance.choice(lab.nodes)
    n.freeze()
    pause(0.2, 9)
    n.thaw()


def cut():
    chance.choice(lab.nodes).cut()
    pause(0.2, 9)


def cut_own():
    chance.choice(lab.nodes).cut(own=True)
    pause(0.2, 9)


def one_way():
    a, b = chance.sample(lab.nodes, 2)
    a.deaf(f"ip saddr {b.ip}")
    pause(0.2, 9)


def loss():
    chance.choice(lab.nodes).deaf(f"numgen random mod 100 < {chance.randint(1, 20)}")
    pause(1, 9)


def fault():
    what = chance.choice([kill, freeze] + ([cut, cut_own, one_way, loss] if netns else []))
    faults[what.__name__] += 1
    what()
    for n in lab.nodes:
        n.heal()


def runs(n):
    """Tallies of all runs of it: (life, tally)"""
    return past[n.name] + [(n.life, n.tally)]


def balance():
    for s in lab.nodes:
        links = s.links()
        for r in lab.nodes:
            if r is s:
                continue
            taken, handled = links[r.name]["acknowledged"], r.tally.got(s.number, s.life)
            lab.check(taken == handled, f"{s.name}.{s.life} to {r.name}.{r.life}: {taken} acknowledged, {handled} handled")
            for x, life, taken in lab.acknowledged.get((s.name, s.life), []):
                handled = dict(past[x.name])[life].got(s.number, s.life)
                lab.check(taken <= handled + MAILBOX,
                          f"{s.name}.{s.life} to {x.name}.{life}, killed: {taken} acknowledged, {handled} handled")
                unread[s.name, s.life, x.name, life] = max(0, taken - handled)
            for life, t in past[s.name]:
                lab.check(sum(x.got(s.number, life) for _, x in runs(r)) <= t.sent[r.number],
                          f"{s.name}.{life}, killed, to {r.name}: no more handled than sent")
    for n in lab.nodes:
        for life, t in runs(n):
            lab.check(not t.disorder and not t.stray and not t.early,
                      f"{n.name}.{life}: {t.disorder} out of order, {t.stray} stray DOWNs, {t.early} ups before downs")
            for r in range(3):
                open_ = t.monitors[r] - t.downs[r]
                lab.check(open_ in ((1,) if life == n.life and r != n.number else (0, 1)),
                          f"{n.name}.{life} of {r}: {t.monitors[r]} monitors, {t.downs[r]} DOWNs")


def used():
    """Of c, KiB: the pool of messages, all else; and its descriptors. What a link needed for a flood it gives back by
    its next beat."""
    samples = []
    for _ in range(15):
        pool, (memory, descriptors) = c.messages(), c.used()
        samples.append((memory - pool, pool, descriptors))
        time.sleep(0.1)
    rest, pool, descriptors = min(samples)
    return pool, rest, descriptors


def meet_the_worst():
    for rate, size in MAIL:
        lab.run(rate, size)
        time.sleep(1)
        c.freeze()
        time.sleep(9)
        c.thaw()
        lab.whole()
        lab.quiet()


def told():
    """Sums of all runs so far."""
    t = dict.fromkeys(totals, 0)
    for n in lab.nodes:
        _, sent, taken, dead = lab.balance(n)
        t["sent"] += sent
        t["acknowledged"] += taken
        t["dead"] += dead
        t["full"] += sum(sum(x.full) for _, x in runs(n))
        t["downs"] += sum(sum(x.downs) for _, x in runs(n))
        t["ups"] += sum(sum(x.ups) for _, x in runs(n))
        t["killed_sent"] += sum(sum(x.sent) for _, x in past[n.name])
        for life in range(1, n.life + 1):
            got = sum(x.got(n.number, life) for m in lab.nodes for _, x in runs(m))
            t["handled" if life == n.life else "killed_handled"] += got
    return t


say(f"SEED={seed}, {seconds:.0f} s, {'network namespaces' if netns else 'loopback'}")
lab.start()
meet_the_worst()
end, rounds, warm = time.monotonic() + seconds, 0, None
while time.monotonic() < end and not lab.failures:
    rate, size = chance.choice(MAIL)
    lab.run(rate, size)
    for _ in range(chance.randint(1, 5)):
        pause(0.5, 3)
        fault()
    lab.whole()
    pause(0.1, 1)
    lab.quiet()
    balance()
    rounds += 1
    if not warm and rounds >= 10 and time.monotonic() > end - seconds / 2:
        warm = used()
    if rounds % 10 == 0 or rounds == 1:
        say(f"round {rounds}: {told()} {faults} c: {used()}")
cold, sums = used(), told()
if warm and rounds > 20:
    for name, before, after, most in zip(("pool of messages", "all else", "descriptors"), warm, cold,
                                         (warm[0] * 1.5 + 4096, warm[1] * 1.25 + 2048, warm[2] + 3)):
        lab.check(after <= most, f"{name} of c: {before} at half time, {after} at the end")
say(f"{rounds} rounds, SEED={seed}; faults: " + ", ".join(f"{k} {v}" for k, v in faults.items()))
say(f"runs that lived: sent {sums['sent']} = acknowledged {sums['acknowledged']} + dead letters (node) {sums['dead']};"
    f" handled {sums['handled']} (also by runs that were killed before they said so)")
say(f"runs that were killed: sent {sums['killed_sent']}, handled of them {sums['killed_handled']};"
    f" in their mailboxes when they were killed, of runs that lived: {sum(unread.values())}")
say(f"refused at once (FULL) {sums['full']}; DOWNs {sums['downs']}, node ups {sums['ups']};"
    f" c (KiB of messages, of all else, descriptors): {warm} .. {cold}")
lab.end()
