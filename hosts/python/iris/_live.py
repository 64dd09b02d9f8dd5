"""Modules that handlers under `iris run` import from beside them: compiled from the bytes of their file, never from a
.pyc (which tells two versions of one size within one second apart by nothing), and imported anew by the next
load of a handler once they, or what they import from there, have changed. What runs keeps those it has."""
import ast
import importlib.machinery
import os
import sys

_directories = set()
_loaded = {}  # name of a module -> (its file, its bytes, the top-level modules that it imports)


def _top(name):
    return name.partition(".")[0]


def _imports(tree):
    """One too many only means that a module is imported anew too often."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (_top(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield _top(node.module)


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname):
        data = self.get_data(self.path)
        _loaded[fullname] = self.path, data, set(_imports(ast.parse(data, self.path)))
        return compile(data, self.path, "exec", dont_inherit=True)


def _hook(path):
    """Directories of handlers, and packages in them."""
    if not any(path == one or path.startswith(one + "/") for one in _directories):
        raise ImportError(path)
    extensions = importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES
    return importlib.machinery.FileFinder(path, extensions, (_Loader, [".py"]))


def _has_changed(name):
    path, data, _ = _loaded[name]
    try:
        with open(path, "rb") as file:
            return file.read() != data
    except OSError:
        return True


def _is_namespace(module):
    return hasattr(module, "__path__") and getattr(module, "__file__", None) is None


def _forget_changed():
    """A package goes as a whole: it and what is in it hold on to each other, and what runs keeps all of the old one."""
    stale = {_top(name) for name in _loaded if _has_changed(name)}
    before = -1
    while len(stale) != before:
        before = len(stale)
        stale |= {_top(name) for name, (_, _, imports) in _loaded.items() if not stale.isdisjoint(imports)}
    for name in {*_loaded, *sys.modules}:
        if _top(name) in stale and (name in _loaded or _is_namespace(sys.modules[name])):
            sys.modules.pop(name, None)
            _loaded.pop(name, None)
    for finder in list(sys.path_importer_cache.values()):
        if stale and hasattr(finder, "invalidate_caches"):
            finder.invalidate_caches()


def begin(directory):
    """Before a handler of this directory is loaded."""
    if directory not in _directories and "/site-packages" not in directory:
        _directories.add(directory)
        if _hook not in sys.path_hooks:
            sys.path_hooks.insert(0, _hook)
        sys.path_importer_cache.pop(directory, None)
    _forget_changed()


# ---- what a handler is made of ----

_trees = {}  # a file -> (its bytes, the top-level modules that it imports)


def _imports_of(path):
    """Also what is imported inside functions, when they run."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        if path not in _trees or _trees[path][0] != data:
            _trees[path] = data, set(_imports(ast.parse(data, path)))
        return _trees[path][1]
    except (OSError, SyntaxError, ValueError):
        return set()


def _files_of(directory, name):
    """A module, or all of a package, as it is renewed as a whole."""
    here = os.path.join(directory, name)
    if os.path.isfile(here + ".py"):
        yield here + ".py"
    for at, directories, files in os.walk(here):
        directories[:] = [one for one in directories if one.isidentifier() and one != "__pycache__"]
        yield from (os.path.join(at, one) for one in files if one.endswith(".py"))


def files(path, directory):
    """All files that this handler is made of, as far as they are beside it or in packages there."""
    top = os.path.relpath(path, directory).split(os.sep)
    places = dict.fromkeys((directory, os.path.dirname(path)))
    found = {path: None}
    if len(top) > 1:  # inside a package, which may import its relatives
        found.update(dict.fromkeys(_files_of(directory, top[0])))
    ahead = list(found)
    for one in ahead:
        for name in _imports_of(one):
            for file in (file for place in places for file in _files_of(place, name) if file not in found):
                found[file] = None
                ahead.append(file)
    return list(found)
