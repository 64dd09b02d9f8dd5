"""Runtime.events(): what happens in a runtime, for who wants to know."""
import asyncio
import collections
import re
import threading
import typing

_KINDS = ("started", "crashed", "restarted", "ended", "swapped", "swap_refused", "stuck", "exhausted", "log", "decided",
          "high_water", "rollback")
_LEVELS = {1: "debug", 2: "info", 3: "warning", 4: "error"}

_lock = threading.Lock()
_listeners = {}  # key of a runtime -> those of it


class Event(typing.NamedTuple):
    """Something that happened: to the actor `pid` at `path`, or to no actor (None)."""

    kind: str
    level: str
    pid: typing.Optional[int]
    path: typing.Optional[str]
    text: str


def _matcher(pattern):
    if pattern in (None, "**", "/**"):
        return lambda path: True
    parts = {"**": ".*", "*": "[^/]*"}
    words = re.split(r"(\*\*|\*)", pattern)
    return re.compile("".join(parts.get(word, re.escape(word)) for word in words)).fullmatch


class Events:
    """An endless list of events: `async for event in events`, or take() without asyncio. It holds the last
    65,536 that nobody has taken, and counts the others in `dropped`."""

    LIMIT = 65536

    def __init__(self, runtime, pattern=None):
        self._runtime, self._matches = runtime, _matcher(pattern)
        self._kept, self._told = collections.deque(), threading.Condition(_lock)
        self._waiting = []  # (loop, future)
        self.dropped, self.closed = 0, False
        self._key = runtime._hear(True)
        with _lock:
            _listeners.setdefault(self._key, []).append(self)

    def _add(self, event):
        if not self._matches(event.path or ""):
            return
        if len(self._kept) >= self.LIMIT:
            self._kept.popleft()
            self.dropped += 1
        self._kept.append(event)
        self._wake()

    def _wake(self):
        self._told.notify_all()
        waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            try:
                loop.call_soon_threadsafe(lambda f=future: f.done() or f.set_result(None))
            except RuntimeError:  # its loop is closed
                pass

    def take(self, timeout=None):
        """The next event. None: nothing happened within timeout seconds, or nothing will any more."""
        with _lock:
            self._told.wait_for(lambda: self._kept or self.closed, timeout)
            return self._kept.popleft() if self._kept else None

    def __aiter__(self):
        return self

    async def __anext__(self):
        while True:
            with _lock:
                if self._kept:
                    return self._kept.popleft()
                if self.closed:
                    raise StopAsyncIteration
                loop = asyncio.get_running_loop()
                future = loop.create_future()
                self._waiting.append((loop, future))
            await future

    def close(self):
        """No event comes any more."""
        with _lock:
            others = _listeners.get(self._key, [])
            if self in others:
                others.remove(self)
            last = not others and _listeners.pop(self._key, None) is not None
            self.closed = True
            self._wake()
        if last and not self._runtime.closed:
            self._runtime._hear(False)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()


def dispatch(key, kind, level, pid, path, text):
    if key not in _listeners:
        return
    event = Event(_KINDS[kind] if kind < len(_KINDS) else "other", _LEVELS.get(level, "info"), pid or None, path or None,
                  text)
    with _lock:
        for listener in _listeners.get(key, ()):
            listener._add(event)


def tell(runtime, event):
    """Of what the core does not know."""
    with _lock:
        for listener in [one for some in _listeners.values() for one in some if one._runtime is runtime]:
            listener._add(event)


def close_all(runtime):
    """Its runtime is closed."""
    with _lock:
        mine = [listener for some in _listeners.values() for listener in some if listener._runtime is runtime]
    for listener in mine:
        listener.close()
