#!/usr/bin/env python3
"""Holds a text against the exposition format of Prometheus (version 0.0.4), strictly, and against what promtool
says: HELP and TYPE once and before the samples, families together, counters end in _total, no series twice."""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|\+Inf|NaN)" % (NAME, LABEL, LABEL))


def hold(text):
    assert text.endswith("\n"), "the last line has no end"
    helped, typed, done, series, family = {}, {}, set(), set(), None
    for line in text[:-1].split("\n"):
        if line.startswith("# "):
            _, what, name, rest = line.split(" ", 3)
            table = {"HELP": helped, "TYPE": typed}[what]
            assert re.fullmatch(NAME, name) and name not in table, line
            assert rest and (what != "TYPE" or rest in ("counter", "gauge")), line
            table[name] = rest
            if name != family:
                done.add(family)
                family = name
            assert name not in done, "%s: its lines are not together" % name
            continue
        found = SAMPLE.fullmatch(line)
        assert found, "no sample: %r" % line
        name = found[1]
        assert name == family and name in helped and name in typed, "no HELP and TYPE before: %s" % line
        assert (typed[name] == "counter") == name.endswith("_total"), "a counter ends in _total: %s" % line
        key = (name, found[2])
        assert key not in series, "twice: %s" % line
        series.add(key)
    assert set(helped) == set(typed)
    return series


if __name__ == "__main__":
    print(len(hold(sys.stdin.read())), "series")
