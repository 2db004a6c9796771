"""What the bridge needs of an event loop, for asyncio (uvloop) and trio: be woken by a worker, wait, run something beside.

A ``LoopPort`` belongs to one running loop. Workers ``post`` exchanges to it from their threads; the port wakes the loop
once for all that were posted since it last looked, and calls ``ready()`` of each on the loop. Waking goes through an
eventfd where there is one: it costs a quarter less than ``call_soon_threadsafe``, which serves elsewhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Protocol

from anyio.lowlevel import current_token

if TYPE_CHECKING:
    import trio

__all__ = ["Background", "LoopPort", "Postable", "current_port"]

HAS_EVENTFD = hasattr(os, "eventfd")
"""Switched off by tests that check the way without it."""


class Postable(Protocol):
    """What can be posted to a loop."""

    def ready(self) -> None:
        """Called on the loop, soon after the post. Must not raise."""


class Background(ABC):
    """A coroutine that runs beside a request and ends with it."""

    @abstractmethod
    async def cancel(self) -> None:
        """Cancel it and wait until it has ended."""


class Waiter(Protocol):
    """What one task awaits and a callback on the loop ends: the part of asyncio.Future that the bridge uses."""

    def done(self) -> bool: ...

    def set_result(self, result: None, /) -> None: ...

    def __await__(self) -> Generator[Any, Any, None]: ...


class LoopPort(ABC):
    """A loop as seen by the workers and by the bridge. Created by ``current_port``, one for each running loop."""

    __slots__ = ("__weakref__", "_posted", "_signaled", "new_waiter", "token")

    def __init__(self, new_waiter: Callable[[], Waiter]) -> None:
        self.new_waiter: Callable[[], Waiter] = new_waiter
        """Makes something to await, whose ``set_result(None)`` ends the wait. An attribute: each request needs one."""
        self._posted: deque[Postable] = deque()
        self._signaled = False
        self.token: object = current_token()
        """What ``anyio.from_thread.run(..., token=)`` takes, to call this loop from another thread."""

    def post(self, item: Postable) -> None:
        """From any thread: have ``item.ready()`` called on the loop."""
        self._posted.append(item)
        if not self._signaled:
            self._signaled = True
            self._wake()

    def _deliver(self) -> None:
        # Cleared before the queue is emptied: what is posted from here on wakes the loop again.
        self._signaled = False
        posted = self._posted
        while posted:
            posted.popleft().ready()

    @abstractmethod
    def _wake(self) -> None:
        """From any thread: have ``_deliver`` called on the loop."""

    @abstractmethod
    async def turn(self) -> None:
        """Let everything else that is ready on the loop run once."""

    @abstractmethod
    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Background:
        """Run a coroutine that handles its own exceptions beside the current task."""

    @abstractmethod
    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        """Call `callback` on the loop after that many seconds, unless the loop ends before."""

    @abstractmethod
    def ended(self) -> bool:
        """Whether the loop will not run again; asked from its own thread."""


class _Task(Background):
    __slots__ = ("_task",)

    def __init__(self, task: asyncio.Task[None]) -> None:
        self._task = task

    async def cancel(self) -> None:
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait((self._task,))


class AsyncioPort(LoopPort):
    """asyncio and every loop with its interface (uvloop, winloop)."""

    __slots__ = ("_close_fd", "_fd", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop.create_future)
        self._loop = loop
        self._fd = -1
        if HAS_EVENTFD:
            fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            try:
                loop.add_reader(fd, self._on_readable)
            except NotImplementedError:  # ProactorEventLoop and others without add_reader
                os.close(fd)
            else:
                self._fd = fd
                self._close_fd = weakref.finalize(self, os.close, fd)

    @property
    def has_descriptor(self) -> bool:
        """Whether waking goes through an eventfd."""
        return self._fd >= 0

    def _wake(self) -> None:
        if self._fd >= 0:
            try:  # not contextlib.suppress, here and below: each wake would make an object for nothing
                os.eventfd_write(self._fd, 1)
            except BlockingIOError:
                return  # a full counter wakes the loop just as well
            return
        # A closed loop has nobody left who waits for the answer.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._deliver)

    def _on_readable(self) -> None:
        try:
            os.eventfd_read(self._fd)
        except BlockingIOError:  # somebody has read it already; there may be something posted all the same
            self._deliver()
            return
        self._deliver()

    async def turn(self) -> None:
        await asyncio.sleep(0)

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Background:
        return _Task(self._loop.create_task(coroutine))

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        self._loop.call_later(seconds, callback)

    def ended(self) -> bool:
        return self._loop.is_closed()


class TrioWaiter:
    """The part of asyncio.Future that the bridge uses, over a trio.Event."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        import trio

        self._event = trio.Event()

    def done(self) -> bool:
        return self._event.is_set()

    def set_result(self, result: None, /) -> None:
        self._event.set()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._event.wait().__await__()


class _SystemTask(Background):
    __slots__ = ("_ended", "_scope")

    def __init__(self) -> None:
        import trio

        self._scope = trio.CancelScope()
        self._ended = trio.Event()

    async def run(self, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            with self._scope:
                await coroutine
        finally:
            self._ended.set()

    async def cancel(self) -> None:
        import trio

        self._scope.cancel()
        with trio.CancelScope(shield=True):
            await self._ended.wait()


class TrioPort(LoopPort):
    """trio: the same behaviour; speed is secondary here."""

    __slots__ = ("_trio_token",)

    def __init__(self) -> None:
        import trio

        super().__init__(TrioWaiter)
        self._trio_token: trio.lowlevel.TrioToken = trio.lowlevel.current_trio_token()

    def _wake(self) -> None:
        import trio

        with contextlib.suppress(trio.RunFinishedError):
            self._trio_token.run_sync_soon(self._deliver)

    async def turn(self) -> None:
        import trio

        await trio.lowlevel.checkpoint()

    def spawn(self, coroutine: Coroutine[Any, Any, None]) -> Background:
        import trio

        background = _SystemTask()
        trio.lowlevel.spawn_system_task(background.run, coroutine)
        return background

    def call_later(self, seconds: float, callback: Callable[[], None]) -> None:
        import trio

        async def wait_and_call() -> None:
            await trio.sleep(seconds)
            callback()

        self.spawn(wait_and_call())

    def ended(self) -> bool:
        return True  # asked only while another loop runs in this thread, and trio runs once for each token


class _Ports(threading.local):
    def __init__(self) -> None:
        self.by_loop: dict[object, LoopPort] = {}


# By thread, because a loop runs in one thread at a time, and so needs no lock. The entries of ended loops go when the
# next loop of the thread gets its port; a port's descriptor is closed when nothing refers to the port any more, not
# earlier: a worker that is still busy may post to it, and its number must not belong to another file by then.
_ports = _Ports()


def current_port() -> LoopPort:
    """The port of the running loop.

    Raises:
        RuntimeError: neither asyncio nor trio is running in this thread.
    """
    ports = _ports.by_loop
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return _trio_port(ports)
    port = ports.get(loop)
    if port is None:
        _forget_ended(ports)
        port = ports[loop] = AsyncioPort(loop)
    return port


def _trio_port(ports: dict[object, LoopPort]) -> LoopPort:
    trio = sys.modules.get("trio")
    if trio is None or not trio.lowlevel.in_trio_run():
        raise RuntimeError("asgiway needs a running event loop: asyncio or trio")
    key = trio.lowlevel.current_trio_token()
    port = ports.get(key)
    if port is None:
        _forget_ended(ports)
        port = ports[key] = TrioPort()
    return port


def _forget_ended(ports: dict[object, LoopPort]) -> None:
    for key, port in list(ports.items()):
        if port.ended():
            del ports[key]
