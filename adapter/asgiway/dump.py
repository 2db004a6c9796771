"""Where the threads are that have been busy for too long: on demand, and when a signal comes.

``dump_stuck`` answers from any thread. ``dump_on_signal`` installs a handler for a signal of the user's choice, and nothing
here does so unasked. A handler runs between two bytecodes of the main thread, which may hold any lock, the logging
module's or a stream's included; so it writes to file descriptor 2 by itself and not to the log.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from asgiway.errors import SettingsError
from asgiway.middleware import WSGIMiddleware
from asgiway.mounts import name_mounts
from asgiway.observe import Running
from asgiway.printable import printable
from asgiway.request_id import ENVIRON_KEY

__all__ = ["DEFAULT_SECONDS", "Stuck", "dump_on_signal", "dump_stuck", "find_stuck"]

DEFAULT_SECONDS = 10.0
_STDERR = 2
_OWN_FILES = str(Path(__file__).parent) + os.sep
_ENDING = frozenset({signal.SIGTERM, signal.SIGINT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuck:
    """A worker that has been at one request for long.

    Parameters:
        thread: its name.
        seconds: for how long.
        request: method and path, escaped.
        request_id: see ``asgiway.request_id``; None without it.
        abandoned: it was given up after ``request_timeout``.
        stack: where it is, as text, from the application's first frame on.
    """

    thread: str
    seconds: float
    request: str
    request_id: str | None
    abandoned: bool
    stack: str


def find_stuck(adapter: WSGIMiddleware, seconds: float = DEFAULT_SECONDS) -> list[Stuck]:
    """The workers of `adapter` that have been at one request for at least `seconds`, the longest first."""
    before = [running for running in adapter.running() if running.seconds >= seconds]
    if not before:
        return []
    frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage] - documented
    # A worker that has gone on to its next request meanwhile is not stuck, and its frame is that of the next one.
    still = {running.thread: running.scope for running in adapter.running()}
    return [
        _describe(running, frames.get(running.thread.ident or 0))
        for running in before
        if still.get(running.thread) is running.scope
    ]


def _describe(running: Running, frame: FrameType | None) -> Stuck:
    scope = running.scope
    return Stuck(
        thread=running.thread.name,
        seconds=running.seconds,
        request=f"{printable(scope['method'])} {printable(scope['path'])}",
        request_id=scope.get(ENVIRON_KEY),
        abandoned=running.abandoned,
        stack="" if frame is None else _stack(frame),
    )


def _stack(frame: FrameType) -> str:
    frames = traceback.extract_stack(frame)
    begin = 0
    while begin < len(frames) and (
        frames[begin].filename == threading.__file__ or frames[begin].filename.startswith(_OWN_FILES)
    ):
        begin += 1
    return "".join(traceback.format_list(frames[begin:] or frames))


def dump_stuck(*adapters: WSGIMiddleware, seconds: float = DEFAULT_SECONDS) -> str:
    """A text that tells where the threads are that have been at one request for at least `seconds`.

    Parameters:
        adapters: whose threads; at least one.
        seconds: default 10; 0 for all that are busy.

    Raises:
        SettingsError: no adapter. TypeError: an adapter is no WSGIMiddleware.
    """
    lines: list[str] = []
    for adapter in name_mounts(adapters, None, "dump_stuck").values():
        found = find_stuck(adapter, seconds)
        snapshot = adapter.snapshot()
        lines.append(
            f"asgiway: {len(found)} thread(s) at one request for {seconds:g} s or longer in {adapter!r}: "
            f"{snapshot.busy} busy, {snapshot.abandoned} abandoned, {snapshot.idle} idle, {snapshot.queued} waiting\n"
        )
        for stuck in found:
            known = f", request id {stuck.request_id}" if stuck.request_id is not None else ""
            given_up = ", given up" if stuck.abandoned else ""
            lines.append(f"{stuck.thread}: {stuck.seconds:.1f} s at {stuck.request}{known}{given_up}\n{stuck.stack}")
    return "".join(lines)


def dump_on_signal(
    signum: int,
    *adapters: WSGIMiddleware,
    seconds: float = DEFAULT_SECONDS,
    write: Callable[[str], object] | None = None,
) -> Callable[[], None]:
    """Dump when the process gets `signum`: ``dump_on_signal(signal.SIGUSR2, legacy)``; then ``kill -USR2 PID``.

    A handler that was there before is called afterwards; ``faulthandler.register``, of which Python cannot tell, has to come
    later and with ``chain=True``. Call this in the main thread, where the adapters are made. A
    main thread that is itself stuck in C code runs no Python handler; the ``faulthandler`` module is for that.

    Parameters:
        signum: a signal that the server does not use.
        adapters: whose threads; at least one.
        seconds: default 10.
        write: receives the text, and must take no lock that the main thread may hold; None: file descriptor 2.

    Returns a callable that undoes it.

    Raises:
        SettingsError: not called in the main thread; a signal that can't be caught, that ends the process, or whose
            handler is not Python's and so can't be called afterwards; no adapter.
        TypeError: an adapter is no WSGIMiddleware.
    """
    name_mounts(adapters, None, "dump_on_signal")
    number = _usable(signum)
    previous = signal.getsignal(number)
    if previous is None:
        raise SettingsError(
            f"{number.name} has a handler that was not installed by Python code and would be lost; choose another signal"
        )
    dump: Callable[[str], object] = _write if write is None else write
    active = True

    def handle(received: int, frame: FrameType | None) -> None:
        if active:
            # Whatever is raised here would come out of any line of the main thread.
            try:
                dump(dump_stuck(*adapters, seconds=seconds))
            except Exception:
                _write(f"asgiway: the dump on {number.name} failed:\n{traceback.format_exc()}")
        if callable(previous):
            previous(received, frame)

    def undo() -> None:
        nonlocal active
        active = False
        if signal.getsignal(number) is handle:
            signal.signal(number, previous)

    try:
        signal.signal(number, handle)
    except (OSError, ValueError) as exc:
        raise SettingsError(f"{number.name} can't be caught ({exc}); choose another signal, such as SIGUSR2") from None
    return undo


def _usable(signum: int) -> signal.Signals:
    if threading.current_thread() is not threading.main_thread():
        raise SettingsError(
            f"dump_on_signal was called in thread {threading.current_thread().name!r}, but only the main thread can install "
            "signal handlers; call it at import, where the adapter is made"
        )
    try:
        number = signal.Signals(signum)
    except ValueError:
        raise SettingsError(f"{signum!r} is no signal of this system; use one such as signal.SIGUSR2") from None
    if number in _ENDING:
        raise SettingsError(f"{number.name} ends the process and belongs to the server; use one such as signal.SIGUSR2")
    return number


def _write(text: str) -> None:
    data = memoryview(text.encode("utf-8", "backslashreplace"))
    with contextlib.suppress(OSError):  # closed, or full and not to be waited for: nobody is left to tell
        while data:
            data = data[os.write(_STDERR, data) :]
