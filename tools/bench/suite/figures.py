"""What was measured: of each figure the values of all runs, by who did the work."""
import collections
import statistics

# title and measured name a figure, as "ping-pong, 1 pair" and "handled".
Key = collections.namedtuple("Key", "title measured")


class Figures:
    def __init__(self):
        self.units = {}  # Key -> (unit, less is better); in the order of the page
        self.values = collections.defaultdict(list)  # (Key, who) -> of each run
        self.costs = collections.defaultdict(list)  # (Key, who) -> (cores, MB) of each run
        self.ratios = collections.defaultdict(list)  # (Key, who) -> to the floor of the same run, more is better
        self.words = {}  # (Key, who) -> what is said instead of a figure
        self.versions = {}  # who, or of what -> version
        self.failures = []

    def add(self, title, measured, unit, is_less, who, value, cost=None, ratio=None):
        key = Key(title, measured)
        self.units.setdefault(key, (unit, is_less))
        self.values[key, who].append(value)
        if cost:
            self.costs[key, who].append(cost)
        if ratio:
            self.ratios[key, who].append(ratio)

    def say(self, title, measured, who, word):
        self.words[Key(title, measured), who] = word

    def median(self, key, who):
        return statistics.median(self.values[key, who]) if self.values.get((key, who)) else None

    def ratio(self, key, who):
        return statistics.median(self.ratios[key, who]) if self.ratios.get((key, who)) else None

    def cost(self, key, who):
        """(cores, MB), or None."""
        all_ = self.costs.get((key, who))
        return tuple(statistics.median(c[i] for c in all_) for i in (0, 1)) if all_ else None

    def who(self, key):
        both = list(self.values) + list(self.words)
        return list(dict.fromkeys(who for k, who in both if k == key))

    def best(self, key, among):
        """The best median of these, and whose; (None, None): there is none."""
        found = [(self.median(key, who), who) for who in among if self.median(key, who) is not None]
        if not found:
            return None, None
        return (min if self.units[key][1] else max)(found)


def number(v):
    digits = 0 if abs(v) >= 100 else 1 if abs(v) >= 10 else 2
    return f"{v:,.{digits}f}"
