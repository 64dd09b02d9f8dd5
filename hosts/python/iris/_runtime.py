"""The runtime's calls: what is not as fast as C must be is here."""
import asyncio
import atexit
import functools
import os
import subprocess
import sys
import time

from . import _iris, _log
from ._events import Events, close_all
from ._buffer import take_buffer
from ._iris import Error, NoSuchActor
from ._mesh import Mesh

_PUSH, _PULL, _OBSERVED = 0, 1, 2


def _setting(name, default):
    text = os.environ.get(name)
    if text is None:
        return default
    if not text.isdigit():
        raise ValueError(f"{name} must be a number, not {text!r}")
    return int(text)


_POOL_SIZE = _setting("IRIS_GIL_POOL_SIZE", 8)
_iris._set_release_gil_limits(_setting("IRIS_MAX_RELEASE_GIL_THREADS", 256), _POOL_SIZE)


_IS_HOST = not hasattr(_iris, "_closes_at_exit")  # `iris run`: settings are the manifest's
_NOBODY = 1  # a pid that no actor has


def _nothing(msg):
    pass


def _check(timeout):
    if timeout is not None and not timeout >= 0:
        raise ValueError(f"timeout must be 0 or more seconds, or None, not {timeout}")


def _end(timeout):
    return None if timeout is None else time.monotonic() + timeout


def _left(end):
    return None if end is None else max(0.0, end - time.monotonic())


class PyRuntime(Mesh, _iris.PyRuntime):
    """A runtime, by the names that the original's compiled class has. Runtime adds friendlier ones."""

    def __init__(self, *, mesh=None, **options):  # no arguments by place
        super().__init__(**options)
        if mesh is not None and not _IS_HOST:
            try:
                self._mesh_begin(mesh)
            except BaseException:
                super().close(0.0)
                raise

    # ---- spawning ----

    def spawn_py_handler(self, py_callable, budget=100, release_gil=None):
        if not release_gil:
            return self._spawn_plain(py_callable, budget)
        return self._spawn(py_callable, _PUSH, budget, True, False, 0, 0, None)

    def spawn_py_handler_bounded(self, py_callable, budget, capacity, release_gil=None):
        if capacity <= 0:
            raise ValueError(f"capacity must be 1 or more, not {capacity}")
        return self._spawn(py_callable, _PUSH, budget, bool(release_gil), False, capacity, 0, None)

    def spawn_with_mailbox(self, py_callable, budget=100):
        return self._spawn(py_callable, _PULL, budget, False, False, 0, 0, None)

    def spawn_child(self, parent, py_callable, budget=100, release_gil=None):
        return self._spawn_child(parent, py_callable, _PUSH, 100 if budget is None else budget, bool(release_gil))

    def _spawn_child(self, parent, handler, kind, budget, release_gil=False):
        try:
            return self._spawn(handler, kind, budget, release_gil, False, 0, parent or _NOBODY, None)
        except NoSuchActor:  # as the original has it: who is born to the dead ends at once
            pid = self._spawn_plain(_nothing, 1)
            self.kill(pid)
            return pid

    def spawn_child_py_handler(self, parent, py_callable, budget, release_gil=None):
        return self.spawn_child(parent, py_callable, budget, release_gil)

    def spawn_child_with_mailbox(self, parent, py_callable, budget=100):
        return self._spawn_child(parent, py_callable, _PULL, budget)

    def spawn_child_pool(self, parent, py_callable, workers, budget=100, release_gil=False):
        return [self.spawn_child(parent, py_callable, budget, release_gil) for _ in range(workers)]

    def spawn_virtual_py_handler(self, py_callable, budget=100, idle_timeout_ms=None):
        return self._spawn(py_callable, _PUSH, budget, False, False, 0, 0, None, True, idle_timeout_ms or 0)

    def spawn_virtual(self, handler, budget=100, idle_timeout_ms=None):
        """As spawn(), but a class is instantiated with the first message only; after idle_timeout_ms without
        one it goes, and a new one is made with the next message."""
        return self.spawn_virtual_py_handler(handler, budget, idle_timeout_ms)

    def spawn_observed_handler(self, budget=100):
        return self._spawn_observed(budget, None)

    def spawn_with_path_observed(self, budget, path):
        return self._spawn_observed(budget, path)

    # ---- observed actors ----

    async def selective_recv(self, pid, matcher, timeout=None):
        """The first message of an observed actor that matches, which is removed; None: not within timeout
        seconds, or it keeps no messages."""
        _check(timeout)
        end = _end(timeout)
        found, what = self._take(pid, matcher, 0)
        while not found:
            came = await self._arrival(pid, what, _left(end))
            found, what = self._take(pid, matcher, what)  # also after the time: one may have come at the very end
            if not came:
                break
        return what if found else None

    def _arrival(self, pid, start, timeout):
        """A future: whether one of this number came in time."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def settle(came):
            if not future.done():
                future.set_result(came)

        self._arrived(pid, start, timeout, lambda came: loop.call_soon_threadsafe(settle, came))
        return future

    def selective_recv_observed_py(self, pid, matcher, timeout=None):
        return self.selective_recv(pid, matcher, timeout)

    def selective_recv_blocking(self, pid, matcher, timeout=None):
        """The same without asyncio."""
        _check(timeout)
        end = _end(timeout)
        found, what = self._take(pid, matcher, 0)
        while not found:
            came = self._await_arrival(pid, what, _left(end))
            found, what = self._take(pid, matcher, what)
            if not came:
                break
        return what if found else None

    # ---- messages ----

    def send_buffer(self, pid, buffer_id):
        """Sends what was written into a buffer of allocate_buffer(), without a copy."""
        return self.send(pid, take_buffer(buffer_id))

    def set_overflow_policy(self, pid, policy, target=None):
        """What a bounded mailbox does when it is full, from now on: "dropnew" (send says False), "dropold" (the
        oldest goes), "block" (send waits), "redirect" (target gets it instead), "spill" (target gets a copy,
        and send waits). A mailbox without bounds is never full."""
        names = {"dropnew": 0, "dropold": 1, "block": 2, "redirect": 3, "spill": 4}
        number = names.get(str(policy).lower())
        if number is None:
            raise ValueError(f"invalid policy: {policy!r}; expected {', '.join(names)}")
        if number >= 3 and target is None:
            raise ValueError(f"{policy} requires target")
        self._set_policy(pid, number, target if number >= 3 else 0)

    # ---- versions ----

    def rollback_behavior(self, pid, steps=1):
        """Back to the handler of `steps` swaps before; its behavior_version then."""
        try:
            self._rollback(pid, steps, 30.0)
        except Error as error:
            raise type(error)(f"rollback failed: {str(error).removeprefix('rollback: ')}") from None
        return self.behavior_version(pid)

    # ---- limits ----

    def set_release_gil_limits(self, max_threads, pool_size=None, *, gil_pool_size=None):
        """How many actors with release_gil=True have a thread of their own, and how many threads the others
        share. For the whole process; see also IRIS_MAX_RELEASE_GIL_THREADS and IRIS_GIL_POOL_SIZE."""
        size = pool_size if pool_size is not None else gil_pool_size
        _iris._set_release_gil_limits(max_threads, _POOL_SIZE if size is None else size)


class _Inner:
    """What Runtime._inner is: calls of PyRuntime on that runtime."""

    __slots__ = ("_runtime",)
    __class__ = property(lambda self: PyRuntime)

    def __init__(self, runtime):
        self._runtime = runtime

    def __getattr__(self, name):
        return getattr(super(Runtime, self._runtime), name)

    def __dir__(self):
        return dir(PyRuntime)

    def __eq__(self, other):
        return self._runtime is getattr(other, "_runtime", other)

    def __hash__(self):
        return hash(self._runtime)

    def __repr__(self):
        return f"<_inner of {self._runtime!r}>"


def _in_context(handler, context):
    if isinstance(handler, type) or not callable(handler):
        raise TypeError("context= wants a handler that is a function; a class can keep what it needs")
    if not asyncio.iscoroutinefunction(handler):
        return functools.partial(context.run, handler)

    async def run(msg):
        return await asyncio.get_running_loop().create_task(handler(msg), context=context)

    return functools.update_wrapper(run, handler)


class Supervisor:
    """Runtime.supervisor(path): the calls of a path supervisor, as an object."""

    def __init__(self, runtime, path, strategy, intensity, period):
        self._runtime, self.path, self.strategy = runtime, path, strategy
        runtime.create_path_supervisor(path, strategy, intensity, period)

    def watch(self, target):
        """The actor begins again, with the same pid, when it crashes."""
        self._runtime.path_supervisor_watch(self.path, self._runtime._pid_of(target))

    def supervise(self, target, factory):
        """Whenever the actor ends, factory() makes another one, and gives its pid."""
        self._runtime.path_supervise_with_factory(self.path, self._runtime._pid_of(target), factory, self.strategy)

    @property
    def children(self):
        """The pids that it watches."""
        return self._runtime.path_supervisor_children(self.path)

    def remove(self):
        """Its actors live on, supervised no more."""
        self._runtime.remove_path_supervisor(self.path)


_KINDS = {"push": _PUSH, "pull": _PULL, "observed": _OBSERVED}


class Runtime(PyRuntime):
    """A runtime of actors.

    workers: threads for native actors (by default one for each core). turn_limit: seconds after which a
    handler that has not returned is interrupted with iris.Interrupted (by default never). swap_wait: seconds
    that a pull handler has to return after HOT_SWAP (by default 5); then the swap is refused. mesh: settings of
    the network, with the keys of a manifest's "mesh": {"node": "a", "listen": "127.0.0.1:9000", ..}.

    It is a context manager, which closes it by close(). Without that it ends with the interpreter, which waits
    for up to 2 s: a program that leaves more work than that behind calls close(timeout) itself."""

    @property
    def _inner(self):
        """The original's compiled object: the same runtime, by the calls and argument names of PyRuntime."""
        return _Inner(self)

    def close(self, timeout=5.0):
        """Ends all actors, and the runtime. What they were sent before is handled first, for up to three quarters
        of timeout (seconds); then they end at once. What has not come back within timeout is left behind."""
        if not self.closed:
            self._mesh_end()
        super().close(timeout)
        close_all(self)

    def __enter__(self):
        return self

    def __exit__(self, *what):
        self.close()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *what):
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def spawn(self, handler, budget=100, release_gil=False, *, path=None, name=None, parent=None, mailbox=None,
              kind="push", view=False, context=None):
        """Starts an actor and gives its pid.

        handler: called with each message; what it returns answers an ask. A class is instantiated for the
        actor, and its on_msg() or __call__() is called. async def may await. budget: messages before others
        get their turn. release_gil: on a thread of its own. mailbox: how many messages may wait (None:
        any number). kind: "push", or "pull" for a handler that is called once, with a PyMailbox. view:
        messages come as read-only memoryviews, without a copy. context: the handler runs in a copy of this
        contextvars.Context, as with asyncio.create_task()."""
        if context is not None:
            handler = _in_context(handler, context.copy())
        if path is name is parent is mailbox is None and kind == "push" and not release_gil and not view:
            return self._spawn_plain(handler, budget)
        if mailbox is not None and mailbox <= 0:
            raise ValueError(f"mailbox must be 1 or more messages, or None, not {mailbox}")
        if kind not in _KINDS:
            raise ValueError(f"kind must be one of {', '.join(_KINDS)}, not {kind!r}")
        pid = self._spawn(handler, _KINDS[kind], budget, release_gil, view, mailbox or 0, parent or 0, path)
        if name is not None:
            try:
                self.register(name, pid)
            except BaseException:
                self.kill(pid)
                raise
        return pid

    def spawn_py_handler_bounded(self, handler, budget, capacity, release_gil=False):
        """As spawn(), with room for `capacity` messages; what comes beyond is not accepted."""
        return super().spawn_py_handler_bounded(handler, budget, capacity, release_gil)

    def spawn_with_mailbox(self, handler, budget=100):
        """A pull actor: handler(mailbox) runs once, on a thread of its own, and takes its messages itself."""
        return super().spawn_with_mailbox(handler, budget)

    def spawn_child(self, parent, handler, budget=100, release_gil=False):
        """As spawn(); it ends with its parent."""
        return super().spawn_child(parent, handler, budget, release_gil)

    def spawn_child_with_mailbox(self, parent, handler, budget=100):
        """As spawn_with_mailbox(); it ends with its parent."""
        return super().spawn_child_with_mailbox(parent, handler, budget)

    def spawn_child_pool(self, parent, handler, workers, budget=100, release_gil=False):
        """So many children of one kind; their pids."""
        return super().spawn_child_pool(parent, handler, workers, budget, release_gil)

    def supervise_with_factory(self, pid, factory, strategy="restart_one"):
        """Whenever the actor ends, factory() makes another one, and gives its pid. strategy: "restart_one", or
        "restart_all": the others end and are made anew too."""
        super().supervise_with_factory(pid, factory, strategy)

    def path_supervise_with_factory(self, path, pid, factory, strategy="restart_one"):
        """The same, by the supervisor of this path."""
        super().path_supervise_with_factory(path, pid, factory, strategy)

    # ---- friendlier names ----

    async def ask(self, pid, data, timeout=5.0):
        """Sends, and gives the answer: what the handler returned. TimeoutError, iris.NoSuchActor (also when
        it crashed on this message), iris.MailboxFull. Without asyncio: ask_wait()."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()

        def settle(answer, error):
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(answer)

        self._ask(pid, data, timeout, lambda *what: loop.call_soon_threadsafe(settle, *what))
        return await future

    call = ask

    def swap(self, target, handler, *, now=False, timeout=30.0, migrate=None):
        """Replaces the handler of a pid, path or name, and waits until it has: messages sent before are the
        old one's, messages sent after the new one's (now: so are those that wait). Raises SwapRejected
        where it is refused, and the old one goes on. Its version then. migrate(saved, from_version) turns what
        the old one's __iris_save__ gave into what the new one's __iris_upgrade__ takes."""
        pid = self._pid_of(target)
        self._swap(pid, handler, migrate, now, timeout)
        return self.behavior_version(pid)

    def rollback(self, target, steps=1, *, timeout=30.0):
        """Back to an earlier handler; its version then."""
        pid = self._pid_of(target)
        self._rollback(pid, steps, timeout)
        return self.behavior_version(pid)

    def version(self, target):
        """As behavior_version(), of a pid, path or name."""
        return self.behavior_version(self._pid_of(target))

    def supervisor(self, path, strategy="restart_one", intensity=3, period=5.0):
        """A supervisor for what is below this path: at most `intensity` restarts in `period` seconds."""
        return Supervisor(self, path, strategy, intensity, period)

    def events(self, pattern=None):
        """What happens from now on: `async for event in rt.events("/svc/**")`. * is one level of a path, ** any
        number; without a pattern also of actors without a path."""
        return Events(self, pattern)

    def _pid_of(self, target):
        if isinstance(target, int):
            return target
        pid = self.whereis(target)
        if pid is None:
            raise NoSuchActor(f"nobody is called {target}")
        return pid


# Threads of Iris take no signals, and a program that is started from one would inherit that: after a fork
# the child sets it right, after a vfork it cannot. (Python 3.13 prefers posix_spawn, which is one.)
subprocess._USE_VFORK = subprocess._USE_POSIX_SPAWN = False
_iris._on_event(_log.on_event)
if hasattr(_iris, "_closes_at_exit"):
    atexit.register(_iris._close_all)
    sys.setswitchinterval(min(sys.getswitchinterval(), 0.0005))
