"""A file on its way into a socket without passing through the process: os.sendfile on threads, driven from asyncio.

The calls are made on threads because they read the disk: a file that is not in the page cache would hold up the loop, and
everybody on it. A client that reads as fast as it is sent keeps its thread for a turn; one that doesn't is waited for on the
loop, so that slow clients occupy no thread.
"""

from __future__ import annotations

import asyncio
import errno
import os
import select
import stat
import time
from concurrent.futures import Executor, Future

from asgiway.errors import ResponseTruncatedError

__all__ = ["HAS_SENDFILE", "NotSendableError", "Transfer", "send_file"]

HAS_SENDFILE = hasattr(os, "sendfile")

SLICE = 4 * 1024 * 1024  # bytes for one call; it ends earlier when the socket's buffer is full
TURN = 0.05  # seconds after which a thread looks whether others wait for one
LINGER = 0.01  # seconds that a thread waits for a full socket: most clients are back sooner, and a hand-over costs more
LOOK = 1.0  # seconds after which a client that reads nothing is looked at, in case that it has left

_CANT = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}
_LEFT = {errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}


class NotSendableError(Exception):
    """The kernel does not send this kind of file; nothing has been sent, and reading may do."""


class Transfer:
    """One file and one socket; each method says which thread calls it.

    Parameters:
        socket: descriptor of a non-blocking stream socket. A duplicate is used: the owner may close it at any time, and its
            number go to somebody else's file, while a thread is still in the middle of a call.
        path: the file.
        size: bytes to send. A longer file is sent up to there: it has grown since its length was promised.
    """

    def __init__(self, socket: int, path: str, size: int) -> None:
        self._path = path
        self._size = size
        self._sent = 0
        self._file = -1
        self.socket: int = os.dup(socket)
        self.linger: float = LINGER
        self.full: bool = False
        """The last turn ended because the client does not keep up."""
        self.stopped: bool = False
        """Set on the loop: end the turn soon."""

    def close(self) -> None:
        """Let go of both descriptors. Any thread, once, with no turn() under way."""
        os.close(self.socket)
        if self._file >= 0:
            os.close(self._file)

    def turn(self) -> bool:
        """Send for a while, on a thread; True when all is sent.

        Raises:
            NotSendableError: the kernel can't; see there.
            ResponseTruncatedError: the file is shorter than promised, and has been sent.
            OSError: the file can't be opened or read, or the client has left (see `client_left`).
        """
        if self.stopped:
            return False
        if self._file < 0:
            self._file = self._open()
        until = time.monotonic() + TURN
        poll: select.poll | None = None
        self.full = False
        while self._sent < self._size:
            asked = min(SLICE, self._size - self._sent)
            count = self._send(asked)
            self._sent += count
            if count < asked:
                # The socket is full, or the file at its end, which the next call will tell.
                if poll is None:
                    poll = select.poll()
                    poll.register(self.socket, select.POLLOUT)
                if not poll.poll(self.linger * 1000):
                    self.full = True
                    return False
            if self.stopped or time.monotonic() > until:
                return self._sent == self._size
        return True

    def _send(self, count: int) -> int:
        """One call; how many bytes the socket took."""
        try:
            taken = os.sendfile(self.socket, self._file, self._sent, count)
        except BlockingIOError:
            return 0
        except OSError as exc:
            if exc.errno in _CANT and not self._sent:
                raise NotSendableError(f"{self._path}: {exc.strerror}") from exc
            raise
        if not taken:
            raise ResponseTruncatedError(
                f"{self._path} ended after {self._sent} bytes of the {self._size} that Content-Length promises: it was cut "
                "while it was being sent; replace files by renaming new ones over them"
            )
        return taken

    def _open(self) -> int:
        # Without O_NONBLOCK the open of a pipe would wait for somebody who writes to it.
        file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError(errno.EINVAL, "Only a regular file can be sent by its name", self._path)
        except BaseException:
            os.close(file)
            raise
        return file


def client_left(exc: OSError) -> bool:
    """Whether the error of a transfer is about the connection, not about the file."""
    return isinstance(exc, ConnectionError) or exc.errno in _LEFT


async def send_file(transport: asyncio.WriteTransport, path: str, size: int, threads: Executor) -> bool:
    """Send a file after what the transport has yet to send; False when the client left before the end. asyncio only.

    Nothing else may be written to the transport meanwhile. It must not be encrypted: the kernel would send the plain text.

    Parameters:
        transport: of a stream socket.
        path: the file.
        size: bytes to send.
        threads: where the calls that may wait for the disk are made.

    Raises:
        NotSendableError, ResponseTruncatedError, OSError: as Transfer.turn(), but not for a client that has left.
    """
    pause = 0.0
    while not transport.is_closing() and transport.get_write_buffer_size():
        await asyncio.sleep(pause)
        pause = min(pause + 0.001, 0.05)
    if transport.is_closing():
        return False
    transfer = Transfer(transport.get_extra_info("socket").fileno(), path, size)
    turn: Future[bool] | None = None
    try:
        while True:
            turn = threads.submit(transfer.turn)
            try:
                if await asyncio.wrap_future(turn):
                    return True
            except OSError as exc:
                if client_left(exc):
                    return False
                raise
            if transfer.full:
                waited = await _writable(transfer.socket)
                transfer.linger = LINGER if waited < LINGER else 0.0
            if transport.is_closing():
                return False
    finally:
        transfer.stopped = True
        if turn is None:
            transfer.close()
        else:  # cancelled, the thread may still use the descriptors; at any other time it is done, and this is now
            turn.add_done_callback(lambda _: transfer.close())


async def _writable(socket: int) -> float:
    """Wait until a socket takes more, but not longer than LOOK; how many seconds it was."""
    loop = asyncio.get_running_loop()
    since = loop.time()
    woken: asyncio.Future[None] = loop.create_future()
    loop.add_writer(socket, _wake, woken)
    timer = loop.call_later(LOOK, _wake, woken)
    try:
        await woken
    finally:
        timer.cancel()
        loop.remove_writer(socket)
    return loop.time() - since


def _wake(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
