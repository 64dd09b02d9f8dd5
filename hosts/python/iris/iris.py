"""The original's compiled module: its classes, and the functions that it has beside their methods."""
from . import PyMailbox, PyRuntime, PySystemMessage, allocate_buffer, version


def _function(name):
    def function(rt, *args, **named):
        return getattr(rt, name)(*args, **named)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"rt.{name}(..)"
    return function


_NAMES = ("register_path", "unregister_path", "whereis_path", "list_children", "list_children_direct", "watch_path",
          "spawn_with_path_observed", "create_path_supervisor", "remove_path_supervisor", "path_supervisor_watch",
          "path_supervisor_children")
for _name in _NAMES:
    globals()[_name] = _function(_name)

__all__ = ["PyRuntime", "PyMailbox", "PySystemMessage", "allocate_buffer", "version", *_NAMES]
