"""What the core has to say goes to `logging`: of an actor at /svc/payment to "iris.svc.payment"."""
import logging

_LEVELS = {1: logging.DEBUG, 2: logging.INFO, 3: logging.WARNING, 4: logging.ERROR}


def on_event(kind, level, pid, path, text):
    name = "iris" + path.replace("/", ".") if path else "iris"
    who = path or (f"actor {pid}" if pid else "iris")
    logging.getLogger(name).log(_LEVELS.get(level, logging.WARNING), "%s: %s", who, text)
