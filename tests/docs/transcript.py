#!/usr/bin/env python3
"""Runs what a Markdown file shows and compares what it prints: transcript.py FILE.md

Every block marked ```console is run, in order, by sh in the working directory, on a terminal as a
reader has it. Lines that begin with "$ " are commands, the others what they print. A comment before
a block says what is special about it:

    <!-- docs: skip -->              not run
    <!-- docs: terminal -->          runs beside the blocks that follow; a block of this kind without a
                                     command shows what it has printed since
    <!-- docs: mask REGEX -->        what it matches may differ
    <!-- docs: any order -->         the lines may come in another order
    <!-- docs: await -->             a command that prints something else is run again: what it asks for
                                     takes its time, and a reader types more slowly than this
    <!-- docs: file NAME -->         a block of any language: what it shows becomes this file

Times, pids, sockets and whole lines "..." may always differ: a line "..." stands for any number of lines."""
import os
import pty
import re
import select
import subprocess
import sys
import time

PATIENCE = 60  # seconds: a busy machine, and a sanitizer
MASKS = [
    (r"\b[0-9.]+ (ns|us|µs|ms|s|min|h|d)\b", "TIME"),
    (r"\b[0-9]+[dhms]( [0-9]+[hms])*\b", "TIME"),
    (r"\bpid [0-9]+", "pid PID"),
    (r"\bsocket \S+", "socket SOCKET"),
    (r" {2,}", "  "),
    (r" +$", ""),
]


class Block:
    def __init__(self, line, directives, lines):
        self.line, self.directives, self.steps, self.lead = line, directives, [], []
        for text in lines:
            if text.startswith("$ "):
                self.steps.append((text[2:], []))
            elif self.steps and self.steps[-1][0].endswith("\\"):  # a command over several lines
                self.steps[-1] = (self.steps[-1][0] + "\n" + text, [])
            else:
                (self.steps[-1][1] if self.steps else self.lead).append(text)
        self.masks = [(d[5:], "MASKED") for d in directives if d.startswith("mask ")] + MASKS

    def normal(self, lines):
        out = []
        for text in lines:
            for pattern, name in self.masks:
                text = re.sub(pattern, name, text)
            out.append(text)
        while out and not out[-1]:
            out.pop()
        return sorted(out) if "any order" in self.directives else out

    def agrees(self, expected, found):
        expected, found = self.normal(expected), self.normal(found)
        pattern = "".join("(?:.*\n)*" if t == "..." else re.escape(t) + "\n" for t in expected)
        return re.fullmatch(pattern, "".join(t + "\n" for t in found)) is not None


def blocks(path):
    directives, body, start = [], None, 0
    for number, text in enumerate(open(path, encoding="utf-8"), 1):
        text = text.rstrip("\n")
        comment = re.fullmatch(r"\s*<!-- docs: (.*) -->", text)
        if body is not None:
            if text.strip() == "```":
                yield Block(start, directives, body)
                directives, body = [], None
            else:
                body.append(text)
        elif comment:
            directives.append(comment.group(1))
        elif text.startswith("```") and any(d.startswith("file ") for d in directives):
            body, start = [], number
        elif text.strip() == "```console":
            body, start = [], number
        elif text.strip():
            directives = []


class Terminal:
    """A command on a terminal of its own, without colours."""

    def __init__(self, command):
        self.master, slave = pty.openpty()
        self.lines, self.rest, self.seen = [], b"", 0
        env = dict(os.environ, TERM="dumb", NO_COLOR="1", COLUMNS="120")
        self.process = subprocess.Popen(["sh", "-c", command], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave, env=env)
        os.close(slave)

    def read(self, wait):
        """False: it has printed its last."""
        if not select.select([self.master], [], [], wait)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:  # what a terminal says when nobody has it open any more
            data = b""
        *lines, self.rest = (self.rest + data.replace(b"\r", b"")).split(b"\n")
        self.lines += [line.decode("utf-8", "replace") for line in lines]
        return bool(data)

    def fresh(self):
        return self.lines[self.seen:]

    def await_end(self):
        end = time.monotonic() + PATIENCE
        while self.read(0.1):
            if time.monotonic() > end:
                self.process.kill()
                return False
        self.process.wait()
        return True

    def await_lines(self, holds):
        end = time.monotonic() + PATIENCE
        while not holds(self.fresh()) and time.monotonic() < end:
            if not self.read(0.1):
                break


def differ(path, block, command, expected, found):
    print(f"{path}:{block.line}: {command or 'what the other terminal prints'}", file=sys.stderr)
    for name, lines in (("expected", expected), ("found", found)):
        print(f"  {name}:", *("    " + t for t in lines), sep="\n", file=sys.stderr)
    return 1


def run_beside(path, block, beside):
    for command, _ in block.steps:
        beside.append(Terminal(command))
    terminal = beside[-1]
    expected = block.steps[-1][1] if block.steps else block.lead
    terminal.await_lines(lambda found: block.agrees(expected, found))
    found = terminal.fresh()
    terminal.seen = len(terminal.lines)
    return 0 if block.agrees(expected, found) else differ(path, block, None, expected, found)


def run_step(path, block, command, expected):
    end = time.monotonic() + ("await" in block.directives) * PATIENCE
    while True:
        terminal = Terminal(command)
        ended = terminal.await_end()
        if ended and block.agrees(expected, terminal.lines):
            return 0
        if time.monotonic() >= end:
            return differ(path, block, command, expected, terminal.lines)
        time.sleep(0.05)


def run(path, block, beside):
    if "skip" in block.directives:
        return 0
    for name in (d[5:] for d in block.directives if d.startswith("file ")):
        with open(name, "w", encoding="utf-8") as file:
            file.writelines(text + "\n" for text in block.lead)
        return 0
    if "terminal" in block.directives:
        return run_beside(path, block, beside)
    return sum(run_step(path, block, command, expected) for command, expected in block.steps)


def main():
    path, beside, failures, n = sys.argv[1], [], 0, 0
    for block in blocks(path):
        failures += run(path, block, beside)
        n += 1
    for terminal in beside:
        if not terminal.await_end():
            print(f"{path}: a command in the other terminal did not end", file=sys.stderr)
            failures += 1
    if not n:
        sys.exit(f"{path}: no block marked ```console")
    sys.exit(failures > 0)


main()
