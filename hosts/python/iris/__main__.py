"""python -m iris run app.json: the `iris` program that belongs to this package."""
import os
import sys


def program():
    """Inside a wheel, or PREFIX/bin beside PREFIX/lib/iris/python. (In a wheel's venv, bin/iris is a script
    that calls us.)"""
    here = os.path.dirname(os.path.abspath(__file__))
    for place in ("bin/iris", "../../../../bin/iris"):
        path = os.path.normpath(os.path.join(here, place))
        if os.access(path, os.X_OK) and open(path, "rb").read(4) == b"\x7fELF":
            return path
    return None


def main():
    path = program()
    if path is None:
        sys.exit("iris: the program is not installed beside this package; build it with `make`, or install Iris")
    os.execv(path, [path] + sys.argv[1:])


if __name__ == "__main__":
    main()
