"""What `iris run` starts this interpreter with: `hosts.python` of the manifest, as JSON. The interpreter runs, but
`site` has not been imported: which site-packages there are is decided here. This file is executed before the
package is imported, and stands alone."""
import sys


class Refused(Exception):
    """ "KEY: why", which the launcher shows at that key of the manifest."""


def _options(options, limits):
    known = {"max_release_gil_threads": (int, 0), "gil_pool_size": (int, 1), "switch_interval": ((int, float), 1e-6)}
    for name, value in options.items():
        if name.startswith(("//", "x-")):
            continue
        if name not in known:
            raise Refused(f"options.{name}: unknown option; this host has {', '.join(sorted(known))}")
        kind, least = known[name]
        if not isinstance(value, kind) or isinstance(value, bool) or value < least:
            what = "a whole number" if kind is int else "a number of seconds"
            raise Refused(f"options.{name}: found {value!r}; expected {what}, {least} or more")
    if "switch_interval" in options:
        sys.setswitchinterval(options["switch_interval"])
    if "max_release_gil_threads" in options or "gil_pool_size" in options:
        limits(options.get("max_release_gil_threads", 256), options.get("gil_pool_size", 8))


def _python_of(lines):
    for line in lines:
        key, _, value = line.partition("=")
        if key.strip().lower() in ("version", "version_info"):
            return ".".join(value.strip().split(".")[:2])
    return None


def _venv(directory):
    """site.main() finds the packages by sys.executable, as it does for the venv's own program."""
    program, own = directory + "/bin/python3", "%d.%d" % sys.version_info[:2]
    make = f"make one: {sys.executable} -m venv {directory}"
    try:
        with open(directory + "/pyvenv.cfg", encoding="utf-8") as file:
            python = _python_of(file)
    except OSError:
        raise Refused(f"venv: {directory} has no pyvenv.cfg, so it is no virtual environment; {make}") from None
    if python != own:
        raise Refused(f"venv: {directory} is of Python {python}; expected {own}, which this host is built for; {make}")
    sys.executable = program


def start(config, limits):
    """None, or why not."""
    import json

    settings = json.loads(config) if config else {}
    try:
        if "venv" in settings:
            _venv(settings["venv"])
        _options(settings.get("options", {}), limits)
    except Refused as why:
        return str(why)
    import os
    import site

    os.environ.update(settings.get("env", {}))
    site.main()
    sys.path[:0] = settings.get("search", [])
    if "cwd" in settings:
        os.chdir(settings["cwd"])
    return None


def again(config):
    """Another runtime of this process, whose interpreter has been started: it cannot have another environment."""
    import json

    settings = json.loads(config) if config else {}
    for key in ("venv", "cwd"):
        if key in settings:
            return f"{key}: the interpreter of this process was started without it"
    sys.path[:0] = [one for one in settings.get("search", []) if one not in sys.path]
    return None
