"""Buffers that become messages without a copy."""
import itertools
import threading

_numbers = itertools.count(1)
_buffers = {}
_lock = threading.Lock()


class _Capsule:
    """While this lives, so does the buffer; when it goes unsent, the memory goes too."""

    def __init__(self, number):
        self.number = number

    def __del__(self):
        _buffers.pop(self.number, None)


def allocate_buffer(size):
    """(id, memoryview, capsule): memory to write a message into, for Runtime.send_buffer(pid, id). Keep the
    capsule until then. Once it is sent the memoryview is released: a message does not change."""
    from ._iris import _new_bytes

    if size < 0:
        raise ValueError(f"size must be 0 or more, not {size}")
    number = next(_numbers)
    draft, view = _new_bytes(size)
    with _lock:
        _buffers[number] = draft, view
    return number, view, _Capsule(number)


def take_buffer(number):
    """The bytes, which nobody can write to any more."""
    with _lock:
        found = _buffers.pop(number, None)
    if found is None:
        raise ValueError("invalid buffer id or already taken")
    draft, view = found
    try:
        view.release()
    except BufferError:  # numpy, say, still stands on it, and could write: it is copied
        pass
    return draft.take()
