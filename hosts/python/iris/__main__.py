"""python -m iris run app.json: the `iris` program that belongs to this package."""
import os
import sys


def program():
    here = os.path.dirname(os.path.abspath(__file__))
    for up in ("../../../../bin/iris", "bin/iris"):  # PREFIX/lib/iris/python/iris, or inside a wheel
        path = os.path.normpath(os.path.join(here, up))
        if os.access(path, os.X_OK):
            return path
    return None


def main():
    path = program()
    if path is None:
        sys.exit("iris: the program is not installed beside this package; build it with `make`, or install Iris")
    os.execv(path, [path] + sys.argv[1:])


if __name__ == "__main__":
    main()
