"""Conditions on a call's arguments under which a catalogued call blocks: the fixed vocabulary of the data's ``predicate``.

Pure functions over a neutral description of the arguments; True means "this call blocks". An argument that cannot be
read (a variable, ``*args``) is `Unknown`. Each function says what it makes of those: where the blocking form is the
ordinary one, unknown means it blocks (``queue.get(timeout=t)``); where the harmless form is, it means it does not.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["PREDICATES", "UNKNOWN", "Argument", "CallArguments", "Instance", "Predicate", "Symbol", "Unknown", "blocks"]


class Unknown(enum.Enum):
    """The type of `UNKNOWN`, an argument whose value is not written in the call."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN


@dataclass(frozen=True, slots=True)
class Symbol:
    """An argument that is a resolved dotted name, such as ``os.WNOHANG``."""

    name: str


@dataclass(frozen=True, slots=True)
class Instance:
    """An argument that is an object of a library's class, such as ``pathlib.Path``."""

    name: str


Argument = str | bytes | int | float | complex | bool | None | Symbol | Instance | Unknown
_ABSENT: Final = Symbol("")
_PATHS: Final = frozenset({"builtins.str", "pathlib.Path", "pathlib.PosixPath", "pathlib.WindowsPath"})
_FILES: Final = frozenset(
    {"io.TextIOWrapper", "io.BufferedReader", "io.BufferedWriter", "io.BufferedRandom", "io.FileIO"}
)


@dataclass(frozen=True, slots=True)
class CallArguments:
    """The arguments of a call, without any syntax tree.

    Attributes:
        positional: values of the positional arguments, up to the first ``*args``.
        keywords: values of the keyword arguments.
        has_star: the call has ``*args`` or ``**kwargs``, so that further arguments may be present.
    """

    positional: tuple[Argument, ...] = ()
    keywords: Mapping[str, Argument] = field(default_factory=dict[str, Argument])
    has_star: bool = False

    def get(self, position: int, keyword: str) -> Argument:
        """The argument at `position` (-1: cannot be passed by position) or named `keyword`.

        Returns the `Symbol` with the empty name when it is certainly absent, `UNKNOWN` when ``*args`` may hold it.
        """
        if keyword in self.keywords:
            return self.keywords[keyword]
        if 0 <= position < len(self.positional):
            return self.positional[position]
        return UNKNOWN if self.has_star else _ABSENT


Predicate = Callable[[CallArguments], bool]


def _is_zero(value: Argument) -> bool:
    # bool is an int: `timeout=False` is 0 to every one of these functions.
    return isinstance(value, int | float) and value <= 0


def _is_false(value: Argument) -> bool:
    return isinstance(value, int | float) and value == 0


def _waits(args: CallArguments, block: tuple[int, str], timeout: tuple[int, str]) -> bool:
    return not _is_false(args.get(*block)) and not _is_zero(args.get(*timeout))


def queue_get(args: CallArguments) -> bool:
    """``get(block=True, timeout=None)``: blocks unless told not to; unknown arguments block."""
    return _waits(args, (0, "block"), (1, "timeout"))


def queue_put(args: CallArguments) -> bool:
    """``put(item, block=True, timeout=None)``: blocks unless told not to; unknown arguments block."""
    return _waits(args, (1, "block"), (2, "timeout"))


def lock_acquire(args: CallArguments) -> bool:
    """``acquire(blocking=True, timeout=-1)``: blocks unless told not to; ``timeout=-1`` means for ever."""
    timeout = args.get(1, "timeout")
    if _is_false(args.get(0, "blocking")) or _is_false(args.get(-1, "block")):
        return False
    return not (isinstance(timeout, int | float) and timeout == 0)


def file_lock_acquire(args: CallArguments) -> bool:
    """``acquire(timeout=None, ..., blocking=None)`` of filelock: blocks unless told not to; a negative timeout waits for ever."""
    timeout = args.get(0, "timeout")
    return not _is_false(args.get(-1, "blocking")) and not (isinstance(timeout, int | float) and timeout == 0)


def first_timeout(args: CallArguments) -> bool:
    """``wait(timeout=None)``, ``join(timeout)``, ``result(timeout)``: blocks unless the timeout is a literal 0."""
    return not _is_zero(args.get(0, "timeout"))


def second_timeout(args: CallArguments) -> bool:
    """``wait_for(predicate, timeout=None)``, ``wait(fs, timeout)``: blocks unless the timeout is a literal 0."""
    return not _is_zero(args.get(1, "timeout"))


def fourth_timeout(args: CallArguments) -> bool:
    """``select.select(r, w, x, timeout)``: blocks unless the timeout is a literal 0 (negative: for ever)."""
    return not _is_false(args.get(3, "timeout"))


def poll_timeout(args: CallArguments) -> bool:
    """``poll(timeout=None)``, ``selector.select(timeout=None)``: blocks unless the timeout is a literal 0 (``poll``: negative is for ever)."""
    return not _is_false(args.get(0, "timeout"))


def consume_timeout(args: CallArguments) -> bool:
    """``consume(num_messages=1, timeout=-1)`` of confluent_kafka: blocks unless the timeout is a literal 0 (negative: for ever)."""
    return not _is_false(args.get(1, "timeout"))


def asynchronous_false(args: CallArguments) -> bool:
    """``commit(message=None, offsets=None, asynchronous=True)`` of confluent_kafka: blocks only with a literal False."""
    return _is_false(args.get(2, "asynchronous"))


def async_argument_missing(args: CallArguments) -> bool:
    """``expect(..., async_=False)`` of pexpect: blocks unless ``async_`` is given and not a literal false."""
    value = args.get(-1, "async_")
    return value == _ABSENT or _is_false(value)


def zmq_recv_waits(args: CallArguments) -> bool:
    """``recv(flags=0)`` of pyzmq: waits without flags; ``zmq.NOBLOCK`` and unknown ones do not."""
    return args.get(0, "flags") in (0, _ABSENT)


def zmq_send_waits(args: CallArguments) -> bool:
    """``send(data, flags=0)`` of pyzmq: as `zmq_recv_waits`."""
    return args.get(1, "flags") in (0, _ABSENT)


def redis_message(args: CallArguments) -> bool:
    """``get_message(ignore_subscribe_messages=False, timeout=0.0)``: blocks only for a timeout that is given and not 0."""
    value = args.get(1, "timeout")
    return value != _ABSENT and not (args.has_star and value is UNKNOWN) and not _is_false(value)


def wait_true(args: CallArguments) -> bool:
    """``shutdown(wait=True)``: blocks unless told not to wait."""
    return not _is_false(args.get(0, "wait"))


def interval_given(args: CallArguments) -> bool:
    """``psutil.cpu_percent(interval=None)``: sleeps only for an interval that is given and not 0 or None."""
    value = args.get(0, "interval")
    return value is not None and value != _ABSENT and not _is_zero(value) and not (args.has_star and value is UNKNOWN)


def host_given(args: CallArguments) -> bool:
    """``smtplib.SMTP(host="")``: connects in the constructor only when a host is given."""
    value = args.get(0, "host")
    if args.has_star and value is UNKNOWN:
        return False
    return value != _ABSENT and value not in ("", None)


def auto_bind(args: CallArguments) -> bool:
    """``ldap3.Connection(..., auto_bind=...)``: connects in the constructor only when asked to."""
    value = args.get(3, "auto_bind")
    if value in (_ABSENT, UNKNOWN, None) or isinstance(value, Instance):
        return False
    if isinstance(value, Symbol):
        return value.name.endswith(("_NO_TLS", "_BEFORE_BIND", "_AFTER_BIND"))
    return not _is_false(value) and value not in ("DEFAULT", "NONE")


def options_zero(args: CallArguments) -> bool:
    """``os.waitpid(pid, options)``: blocks when the options are a literal 0; ``os.WNOHANG`` and unknown ones do not."""
    return _is_false(args.get(1, "options"))


def wait3_options_zero(args: CallArguments) -> bool:
    """``os.wait3(options)``: as for ``os.waitpid``."""
    return _is_false(args.get(0, "options"))


def waitid_waits(args: CallArguments) -> bool:
    """``os.waitid(idtype, id, options)``: blocks unless the options may contain ``os.WNOHANG``."""
    value = args.get(2, "options")
    return isinstance(value, Symbol) and value.name in ("os.WEXITED", "os.WSTOPPED", "os.WCONTINUED")


def spawn_waits(args: CallArguments) -> bool:
    """``os.spawnv(mode, ...)``: waits for the child unless the mode is ``os.P_NOWAIT``."""
    mode = args.get(0, "mode")
    return mode in (0, Symbol("os.P_WAIT"))


def lock_mode_waits(args: CallArguments) -> bool:
    """``fcntl.flock(f, operation)``: waits for a plain LOCK_EX or LOCK_SH; with LOCK_NB, LOCK_UN or an unknown one it does not."""
    mode = args.get(1, "operation")
    if mode == _ABSENT:
        mode = args.get(1, "cmd")
    return isinstance(mode, Symbol) and mode.name in ("fcntl.LOCK_EX", "fcntl.LOCK_SH")


def os_lock_mode_waits(args: CallArguments) -> bool:
    """``os.lockf(fd, cmd, length)``: waits for ``os.F_LOCK``."""
    return args.get(1, "command") == Symbol("os.F_LOCK")


def false_argument(args: CallArguments) -> bool:
    """``socket.setblocking(flag)``: the flag is a literal false (used by ``silenced_by``)."""
    return _is_false(args.get(0, "flag"))


def zero_argument(args: CallArguments) -> bool:
    """``socket.settimeout(value)``: the value is a literal 0 (used by ``silenced_by``)."""
    return _is_false(args.get(0, "value"))


def file_argument(args: CallArguments) -> bool:
    """``yaml.safe_load(stream)``: reads a file only when it is given one that is open; a text is in memory, and so may be the unknown."""
    value = args.get(0, "stream")
    return isinstance(value, Instance) and value.name in _FILES


def second_file_argument(args: CallArguments) -> bool:
    """``yaml.dump(data, stream=None)``: writes a file only when it is given one that is open."""
    value = args.get(1, "stream")
    return isinstance(value, Instance) and value.name in _FILES


def path_argument(args: CallArguments) -> bool:
    """``discord.File(fp)``: opens the file when it is given a path; what is open or in memory already it keeps, and the unknown may be."""
    value = args.get(0, "fp")
    return isinstance(value, str) or (isinstance(value, Instance) and value.name in _PATHS)


PREDICATES: Final[Mapping[str, Predicate]] = {
    "async-argument-missing": async_argument_missing,
    "asynchronous-false": asynchronous_false,
    "auto-bind": auto_bind,
    "consume-timeout": consume_timeout,
    "false-argument": false_argument,
    "file-argument": file_argument,
    "file-lock-acquire": file_lock_acquire,
    "first-timeout": first_timeout,
    "fourth-timeout": fourth_timeout,
    "host-given": host_given,
    "interval-given": interval_given,
    "lock-acquire": lock_acquire,
    "lock-mode-waits": lock_mode_waits,
    "options-zero": options_zero,
    "os-lock-mode-waits": os_lock_mode_waits,
    "path-argument": path_argument,
    "poll-timeout": poll_timeout,
    "queue-get": queue_get,
    "queue-put": queue_put,
    "redis-message": redis_message,
    "second-file-argument": second_file_argument,
    "second-timeout": second_timeout,
    "spawn-waits": spawn_waits,
    "wait-true": wait_true,
    "wait3-options-zero": wait3_options_zero,
    "waitid-waits": waitid_waits,
    "zero-argument": zero_argument,
    "zmq-recv-waits": zmq_recv_waits,
    "zmq-send-waits": zmq_send_waits,
}


def blocks(predicate: str, arguments: CallArguments) -> bool:
    """Whether a call with these `arguments` blocks.

    Args:
        predicate: an entry's `predicate`; ``""`` always blocks.
        arguments: the call's arguments.

    Raises:
        KeyError: no such predicate; the loader rejects such data, so this is a bug of the caller.
    """
    return not predicate or PREDICATES[predicate](arguments)
