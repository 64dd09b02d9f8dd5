#!/usr/bin/env python3
"""Holds a text against the exposition format of Prometheus (version 0.0.4), strictly, and against what promtool
says: HELP and TYPE once and before the samples, families together, counters end in _total, no series twice; buckets of
a histogram rise to +Inf, which is its count."""
import re
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(r"(%s)(?:\{(%s(?:,%s)*)\})? (-?[0-9.]+(?:e[+-]?[0-9]+)?|\+Inf|NaN)" % (NAME, LABEL, LABEL))
PARTS = ("_bucket", "_sum", "_count")


def family_of(name, typed):
    """The family that a sample of this name is of."""
    for part in PARTS:
        if name.endswith(part) and typed.get(name[: -len(part)]) == "histogram":
            return name[: -len(part)]
    return name


class Histogram:
    """One of each set of labels but "le", in the order of the text."""

    def __init__(self):
        self.le, self.n, self.sum, self.count = [], [], None, None

    def take(self, part, le, value):
        if part == "_bucket":
            self.le.append(float(le))
            self.n.append(float(value))
        elif part == "_sum":
            self.sum = float(value)
        else:
            self.count = float(value)

    def hold(self):
        assert self.le and self.le == sorted(set(self.le)) and self.le[-1] == float("inf"), self.le
        assert self.n == sorted(self.n), "buckets count what is in those before: %s" % self.n
        assert self.count == self.n[-1] and self.sum is not None, "%s of %s" % (self.count, self.n)


def hold(text):
    assert text.endswith("\n"), "the last line has no end"
    helped, typed, done, series, histograms, family = {}, {}, set(), set(), {}, None
    for line in text[:-1].split("\n"):
        if line.startswith("# "):
            _, what, name, rest = line.split(" ", 3)
            table = {"HELP": helped, "TYPE": typed}[what]
            assert re.fullmatch(NAME, name) and name not in table, line
            assert rest and (what != "TYPE" or rest in ("counter", "gauge", "histogram")), line
            table[name] = rest
            if name != family:
                done.add(family)
                family = name
            assert name not in done, "%s: its lines are not together" % name
            continue
        found = SAMPLE.fullmatch(line)
        assert found, "no sample: %r" % line
        name = family_of(found[1], typed)
        assert name == family and name in helped and name in typed, "no HELP and TYPE before: %s" % line
        assert (typed[name] == "counter") == name.endswith("_total"), "a counter ends in _total: %s" % line
        key = (found[1], found[2])
        assert key not in series, "twice: %s" % line
        series.add(key)
        if typed[name] == "histogram":
            labels = re.findall(LABEL, found[2] or "")
            le = [one[4:-1] for one in labels if one.startswith("le=")]
            assert name != found[1] and (len(le) == 1) == found[1].endswith("_bucket"), line
            of = (name, tuple(one for one in labels if not one.startswith("le=")))
            histograms.setdefault(of, Histogram()).take(found[1][len(name) :], le[0] if le else None, found[3])
    assert set(helped) == set(typed)
    for one in histograms.values():
        one.hold()
    return series


if __name__ == "__main__":
    print(len(hold(sys.stdin.read())), "series")
