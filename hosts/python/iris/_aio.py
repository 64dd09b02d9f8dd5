"""The asyncio side of async def handlers: see async.h."""
import asyncio
import os
import threading
import time
import types

from ._iris import _Box

SLICE = 0.002  # seconds until the loop's other callbacks get their turn


class Loop:
    """One asyncio loop on a thread of its own, which drains an executor of the core."""

    def __init__(self, bell, drain):
        self.bell, self.drain = bell, drain
        self.loop = asyncio.new_event_loop()
        self.tasks = set()  # asyncio itself holds tasks only weakly
        self.thread = threading.Thread(target=self._run, name="iris-async", daemon=True)
        self.thread.start()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.add_reader(self.bell, self._woken)
        try:
            self.loop.run_forever()
            self.loop.remove_reader(self.bell)
            rest = asyncio.all_tasks(self.loop)
            for task in rest:
                task.cancel()
            self.loop.run_until_complete(asyncio.gather(*rest, return_exceptions=True))
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            self.loop.close()

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        if threading.current_thread() is not self.thread:
            self.thread.join(5)

    def _woken(self):
        try:
            os.read(self.bell, 8)
        except BlockingIOError:
            pass
        self._begin()

    def _begin(self):
        task = self.loop.create_task(self._lane())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _lane(self):
        drain, now = self.drain, time.monotonic
        end = now() + SLICE
        while True:
            what = drain()
            if what is None:
                return
            if what is not True:
                break
            if now() > end:
                self.loop.call_soon(self._begin)
                return
        coroutine, future, context, pending = what
        self.loop.call_soon(self._begin)  # the others go on
        pending.task = asyncio.current_task()
        try:
            after = pending.done(await _go_on(coroutine, future, context))
            while after is not None:  # it has returned for a swap
                after = pending.done(await after)
        except BaseException as error:
            pending.failed(_without_us(error))
        pending.task = None


def _without_us(error):
    """Its traceback begins where the handler does."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return error.with_traceback(trace)


@types.coroutine
def _go_on(coroutine, future, context):
    """Waits for what the coroutine waits for already, then runs it to its end, in its own context."""
    while True:
        try:
            yield future
        except BaseException as error:
            step, what = coroutine.throw, error
        else:
            step, what = coroutine.send, None
        try:
            future = context.run(step, what)
        except StopIteration as stop:
            return stop.value


class AsyncMailbox(_Box):
    """What an async pull actor takes its messages from."""

    async def recv(self, timeout=None):
        """The next message: bytes, or a PySystemMessage. None: nothing came within timeout seconds, or nothing
        will come any more."""
        msg = self._take(None)
        if msg is not None or self.closed:
            return msg
        return await self._wait(None, timeout)

    async def selective_recv(self, matcher, timeout=None):
        """The first message for which matcher(message) is true; the others stay, in order."""
        msg = self._take(matcher)
        if msg is not None or self.closed:
            return msg
        return await self._wait(matcher, timeout)

    async def _wait(self, matcher, timeout):
        if timeout is not None and timeout < 0:
            raise ValueError(f"timeout must be 0 or more seconds, or None, not {timeout}")
        loop = asyncio.get_running_loop()
        end = None if timeout is None else loop.time() + timeout
        while True:
            future = loop.create_future()
            self._await(future)
            if end is None:
                await future
            else:
                await asyncio.wait([future], timeout=max(0, end - loop.time()))
            msg = self._take(matcher)
            if msg is not None or self.closed or (end is not None and loop.time() >= end):
                return msg

    async def _go_on(self):
        """The handler has returned for a swap: what runs next, once that is decided."""
        while (coroutine := self._next()) is False:
            future = asyncio.get_running_loop().create_future()
            self._await(future)
            await future
        return coroutine and await coroutine

    def __aiter__(self):
        return self

    async def __anext__(self):
        msg = await self.recv()
        if msg is None:
            raise StopAsyncIteration
        return msg
