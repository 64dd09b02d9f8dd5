"""The figures as text: a page in Markdown, which is the table too."""
import json
import os
import statistics

from figures import Key, number
from rows import BOTH, TARGETS
from who import BARE

BEGIN, END = "<!-- make bench: all from here is made by it -->", "<!-- make bench: until here -->"


def table(head, rows):
    lines = [head, ["---"] * len(head)] + rows
    return "\n".join("| " + " | ".join(line) + " |" if line is not lines[1] else "|" + "|".join(line) + "|" for line in lines)


# ---- targets ----

def is_peer(who):
    return not who.startswith("Iris") and not who.startswith(BARE) and who != "machine"


def measured(figures, t):
    """What is held against the target: (value, whose), (None, None) where it was not measured."""
    key = Key(t.title, t.measured)
    if t.rule == "libuv":
        ratio = figures.ratio(key, t.who[0])
        return (1 / ratio, t.who[0]) if ratio else (None, None)
    if t.rule == "futex":
        wake = figures.median(Key("wake a thread by futex, one way", "p50"), "machine")
        took = figures.median(key, t.who[0])
        return (took / wake, t.who[0]) if wake and took else (None, None)
    there = [who for who in t.who if figures.median(key, who) is not None]
    if not there:
        return None, None
    is_less = figures.units[key][1]
    pick = min if is_less != (t.rule == BOTH) else max
    value, who = pick((figures.median(key, who), who) for who in there)
    return value * t.factor, who


def is_less(figures, t):
    return t.rule in ("libuv", "futex") or figures.units[Key(t.title, t.measured)][1]


def reaches(value, aim, less):
    """To three digits, as what is shown."""
    rounded = float(f"{value:.3g}")
    return rounded <= aim if less else rounded >= aim


def verdict(value, t, less):
    if value is None:
        return "not measured"
    if t.stretch is not None and reaches(value, t.stretch, less):
        return "met, stretch too"
    if t.at_least is None:
        return "given"
    if reaches(value, t.at_least, less):
        return "met"
    return f"missed: {100 * (t.at_least / value if less else value / t.at_least):.0f} %"


def best_peer(figures, t):
    key = Key(t.title, t.measured)
    if t.rule in ("libuv", "futex") or key not in figures.units:
        return ""
    value, who = figures.best(key, [who for who in figures.who(key) if is_peer(who)])
    return f"{who} {number(value * t.factor)}" if who else ""


def target_row(figures, t):
    value, who = measured(figures, t)
    less = value is not None and is_less(figures, t)
    floor = figures.ratio(Key(t.title, t.measured), who) if who else None
    aims = [number(a) if a is not None else "" for a in (t.at_least, t.stretch)]
    text = "" if value is None else number(value) + (f" ({who[6:]})" if len(t.who) > 1 else "")
    return [t.text, t.unit, text, f"{100 * floor:.0f} %" if floor else "", *aims, verdict(value, t, less),
            best_peer(figures, t), t.known]


def targets(figures):
    head = ["workload", "unit", "Iris", "of the floor", "at least", "stretch", "", "best peer in this run", "known before"]
    return table(head, [target_row(figures, t) for t in TARGETS])


# ---- all ----

def figure_row(figures, key, who, title):
    unit = figures.units[key][0]
    values, cost, ratio = figures.values.get((key, who), []), figures.cost(key, who), figures.ratio(key, who)
    middle = number(statistics.median(values)) if values else figures.words.get((key, who), "")
    between = f"{number(min(values))} to {number(max(values))}" if values else ""
    return [title, key.measured, unit, who, middle, between, str(len(values)), f"{100 * ratio:.0f} %" if ratio else "",
            f"{cost[0]:.2f}" if cost else "", f"{cost[1]:.0f}" if cost else ""]


def order(who):
    return (2 if is_peer(who) else 1 if not who.startswith("Iris") else 0, who)


def all_figures(figures):
    head = ["workload", "measured", "unit", "who", "median", "range", "runs", "of the floor", "cores used", "peak MB"]
    rows, last = [], None
    for key in figures.units:
        for who in sorted(figures.who(key), key=order):
            rows.append(figure_row(figures, key, who, key.title if key.title != last else ""))
            last = key.title
    return table(head, rows)


def page(figures, head):
    lines = [f"- {text}" for text in head] + ["", "### What should be, and is", "", targets(figures), "", "### All figures", "",
                                              all_figures(figures)]
    return "\n".join(lines)


def write_between(file, text):
    """What was between the two marks is gone, the rest stays as it is."""
    with open(file, encoding="utf-8") as f:
        whole = f.read()
    if whole.count(BEGIN) != 1 or whole.count(END) != 1 or whole.index(BEGIN) > whole.index(END):
        raise SystemExit(f"bench: {file} has not one line {BEGIN!r} and one line {END!r} behind it; the figures go between them")
    before, rest = whole.split(BEGIN)
    with open(file + ".new", "w", encoding="utf-8") as f:
        f.write(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.split(END)[1]}")
    os.replace(file + ".new", file)


def write_json(file, figures, head):
    rows = [{"title": key.title, "measured": key.measured, "unit": figures.units[key][0], "who": who, "values": values,
             "ratios": figures.ratios.get((key, who), []), "cost": figures.cost(key, who)}
            for (key, who), values in figures.values.items()]
    met = [{"target": t.text, "unit": t.unit, "value": measured(figures, t)[0], "at_least": t.at_least, "stretch": t.stretch}
           for t in TARGETS]
    with open(file, "w", encoding="utf-8") as f:
        json.dump({"schema": "iris-suite/1", "head": head, "rows": rows, "targets": met, "failures": figures.failures}, f, indent=1)
