"""What the core has to say: to who listens (Runtime.events), and what is worth it to `logging`: of an actor at
/svc/payment to "iris.svc.payment"."""
import logging

from ._events import dispatch

_LEVELS = {1: logging.DEBUG, 2: logging.INFO, 3: logging.WARNING, 4: logging.ERROR}
_WARN, _LOG = 3, 8


def on_event(runtime, kind, level, pid, path, text):
    dispatch(runtime, kind, level, pid, path, text)
    if level < _WARN and kind != _LOG:
        return
    name = "iris" + path.replace("/", ".") if path else "iris"
    who = path or (f"actor {pid}" if pid else "iris")
    logging.getLogger(name).log(_LEVELS.get(level, logging.WARNING), "%s: %s", who, text)
