"""What the tests here share. Nothing waits for a time: for something to be true, and not for ever."""
import contextlib
import os
import subprocess
import sys
import time
import unittest

import iris

PATIENCE = 120 if "LD_PRELOAD" in os.environ else 30  # a sanitizer is preloaded: it takes its time


def eventually(is_true, what="something"):
    end = time.monotonic() + PATIENCE
    while True:
        value = is_true()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited too long for {what}")
        time.sleep(0.001)


def run_python(source, *args, timeout=PATIENCE, env=None):
    """A program of its own: (status, stdout, stderr)."""
    done = subprocess.run([sys.executable, "-c", source, *args], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **(env or {})})
    return done.returncode, done.stdout, done.stderr


class RuntimeTest(unittest.TestCase):
    """Each test has a runtime of its own, and leaves nothing of it behind."""

    options = {}

    def setUp(self):
        self.rt = iris.Runtime(**self.options)
        self.addCleanup(self.rt.close)

    @contextlib.contextmanager
    def assertLogs(self, *args, **options):
        """The log is told by a thread of its own: soon, not at once."""
        with super().assertLogs(*args, **options) as logged:
            yield logged
            eventually(lambda: logged.output, "the log")

    def collector(self, **options):
        """An actor that keeps what it gets, and the list."""
        got = []
        return self.rt.spawn(got.append, **options), got

    def ends(self, pid):
        eventually(lambda: not self.rt.is_alive(pid), f"the end of {pid}")
