"""Iris: actors, in this process.

    import iris

    with iris.Runtime() as rt:
        pid = rt.spawn(lambda msg: print("got", msg))
        rt.send(pid, b"hello")

Inside a handler that `iris run` has loaded, Runtime() is the runtime that runs it."""
from ._check import refuse_namesakes

refuse_namesakes()

from ._iris import (
    Error,
    Interrupted,
    MailboxFull,
    NoSuchActor,
    PyMailbox,
    PySystemMessage,
    Reason,
    SwapRejected,
    _version,
    ready,
)
from ._aio import AsyncMailbox
from ._buffer import allocate_buffer
from ._events import Event, Events
from ._mesh import NodeDown
from ._runtime import PyRuntime, Runtime, Supervisor

SystemMessage = PySystemMessage
Mailbox = PyMailbox
__version__ = _version


def version() -> str:
    """Of the library: "0.1.0"."""
    return _version


__all__ = [
    "Runtime", "PyRuntime", "PyMailbox", "Mailbox", "AsyncMailbox", "PySystemMessage", "SystemMessage", "Reason",
    "Supervisor", "Event", "Events", "allocate_buffer", "version", "ready",
    "Error", "NoSuchActor", "MailboxFull", "NodeDown", "SwapRejected", "Interrupted",
]
