"""Extension modules inside handlers, and what `import iris` says of a namesake."""
import os
import tempfile
import unittest

from helpers import run_python
import iris

try:
    import numpy
except ImportError:
    numpy = None


def use_all(msg):
    import _ctypes
    import asyncio
    import ctypes
    import decimal
    import sqlite3
    import ssl

    with sqlite3.connect(":memory:") as base:
        (n,) = base.execute("select 40 + 2").fetchone()
    ssl.create_default_context()
    size = _ctypes.sizeof(ctypes.c_int64)
    return f"{n} {decimal.Decimal('0.1') * 3} {size} {asyncio.__name__}"


def total(msg):
    return str(int(numpy.frombuffer(msg, numpy.uint8).sum()))


class Modules(unittest.TestCase):
    def test_extension_modules_in_a_handler(self):
        with iris.Runtime() as rt:
            self.assertEqual(rt.ask_wait(rt.spawn(use_all), b"", timeout=30.0), b"42 0.3 8 asyncio")
            self.assertEqual(rt.ask_wait(rt.spawn(use_all, release_gil=True), b"", timeout=30.0), b"42 0.3 8 asyncio")

    @unittest.skipIf(numpy is None, "python3-numpy is not installed")
    def test_numpy_in_a_handler(self):
        with iris.Runtime() as rt:
            for view in (False, True):
                pid = rt.spawn(total, view=view)
                self.assertEqual(rt.ask_wait(pid, bytes(range(100)) * 100, timeout=30.0), b"495000")

    def test_a_namesake_is_told(self):
        own = os.path.dirname(os.path.dirname(iris.__file__))
        with tempfile.TemporaryDirectory() as other:
            os.mkdir(os.path.join(other, "iris"))
            open(os.path.join(other, "iris", "__init__.py"), "w").close()
            status, out, err = run_python("import iris; print(iris.version())", env={"PYTHONPATH": f"{own}:{other}"})
            self.assertEqual((status, out), (0, iris.version() + "\n"), err)
            self.assertIn("there is another module called iris: " + other, err)
            self.assertIn("use a venv", err)


if __name__ == "__main__":
    unittest.main()
