"""How worrying was it? A rule that one wants to change while the log is followed: edit WEIGHTS, and save."""
import iris

WEIGHTS = {"install": 1, "upgrade": 1, "remove": 3, "purge": 5, "malformed": 10}

rt = iris.Runtime()


def counts(totals):
    """"lines 273  install 63  ..." -> {"lines": 273, "install": 63, ..}"""
    for entry in totals.decode().split("  "):
        name, _, n = entry.rpartition(" ")
        yield name, int(n)


async def on_msg(msg):
    totals = await rt.ask(rt.whereis("/logwatch/counter"), b"totals")
    score = sum(WEIGHTS.get(name, 0) * n for name, n in counts(totals))
    return f"score {score}"
