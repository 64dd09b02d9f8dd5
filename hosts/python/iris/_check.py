"""Other distributions call their module `iris` too."""
import os
import sys


def _namesakes():
    own = os.path.dirname(os.path.abspath(__file__))
    for entry in sys.path:
        other = os.path.join(entry or os.curdir, "iris")
        for file in (os.path.join(other, "__init__.py"), other + ".py"):
            if os.path.isfile(file) and os.path.realpath(os.path.dirname(file)) != os.path.realpath(own):
                yield file


def refuse_namesakes():
    """Told, not refused: what was imported is this one, but another program may have meant the other."""
    for file in _namesakes():
        import warnings

        warnings.warn(
            f"there is another module called iris: {file}; this one is {__file__}. Whichever comes first on "
            "sys.path is imported: uninstall one, or use a venv", RuntimeWarning, stacklevel=3)
