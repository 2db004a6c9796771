"""Real ASGI servers in processes of their own: how each is started, found, asked to stop, and what it wrote to its log."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.adapter.wire_support.control import CONTROL_VARIABLE, Control
from tests.adapter.wire_support.journal import PATIENCE
from tests.adapter.wire_support.raw_client import Address, Header, RawConnection, Reply

__all__ = ["KINDS", "ServerKind", "ServerLog", "ServerProcess"]

ROOT = Path(__file__).parents[3]

# The last ones come from asyncio, trio and the interpreter: whatever a test provokes, they must never appear.
TROUBLE = re.compile(r"^(?:ERROR|WARNING|CRITICAL|\[ERROR\]|\[WARNING\]|Traceback)|\[(?:ERROR|WARNING)\]", re.MULTILINE)
NEVER = re.compile(
    r"ResourceWarning|was never awaited|Task was destroyed|exception was never retrieved|Exception ignored|Fatal Python"
    r"|InvalidStateError|DeprecationWarning|Exception in thread"
)


@dataclass(frozen=True, slots=True)
class ServerKind:
    """A way to run an ASGI application.

    Parameters:
        name: what tests and documents call it.
        module: what follows ``python -m``.
        options: what it takes besides application and address.
        root_path: its option for a root path, to be followed by the value.
        short_grace: its options for giving requests one second to end at shutdown.
    """

    name: str
    module: str
    options: tuple[str, ...]
    root_path: str
    short_grace: tuple[str, ...]

    def command(self, app: str, address: Address, options: Sequence[str]) -> list[str]:
        """The command line that serves `app` on a port of 127.0.0.1, or on a unix socket."""
        match self.module, address:
            case "hypercorn", str():
                place = ["--bind", f"unix:{address}"]
            case "hypercorn", (host, port):
                place = ["--bind", f"{host}:{port}"]
            case _, str():
                place = ["--uds", address]
            case _, (host, port):
                place = ["--host", host, "--port", str(port)]
        return [sys.executable, "-W", "error", "-m", self.module, *self.options, *options, *place, app]


def _uvicorn(http: str, loop: str) -> ServerKind:
    options = ("--http", http, "--loop", loop, "--lifespan", "on", "--no-access-log", "--log-level", "warning")
    grace = ("--timeout-graceful-shutdown", "1")
    return ServerKind(f"uvicorn-{http}-{loop}", "uvicorn", (*options, "--ws", "wsproto"), "--root-path", grace)


def _hypercorn(worker: str) -> ServerKind:
    options = ("--worker-class", worker, "--log-level", "WARNING", "--graceful-timeout", "20")
    return ServerKind(f"hypercorn-{worker}", "hypercorn", options, "--root-path", ("--graceful-timeout", "1"))


KINDS: dict[str, ServerKind] = {
    kind.name: kind
    for kind in (
        _uvicorn("h11", "asyncio"),
        _uvicorn("httptools", "uvloop"),
        _hypercorn("asyncio"),
        _hypercorn("trio"),
        ServerKind(
            "granian",
            "granian",
            ("--interface", "asgi", "--workers", "1", "--log-level", "warning", "--no-access-log"),
            "--url-path-prefix",
            ("--workers-kill-timeout", "1"),
        ),
        # The remaining pairs of uvicorn's parsers and loops, for the long run.
        _uvicorn("h11", "uvloop"),
        _uvicorn("httptools", "asyncio"),
    )
}


class ServerLog:
    """What a server's processes wrote to standard output and standard error."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._start = 0
        self._noisy = False

    def begin(self) -> None:
        """From here on is what this test caused."""
        self._start = self._path.stat().st_size
        self._noisy = False

    def text(self) -> str:
        """What was written since ``begin``."""
        with self._path.open("rb") as file:
            file.seek(self._start)
            return file.read().decode("utf-8", "replace")

    def wait_for(self, pattern: str) -> str:
        """Wait until a line matches; such a test may leave errors and warnings in the log."""
        self._noisy = True
        deadline = time.monotonic() + PATIENCE
        while not re.search(pattern, self.text(), re.MULTILINE):
            assert time.monotonic() < deadline, f"{pattern!r} is not in the server's log:\n{self.text()}"
            time.sleep(0.005)
        return self.text()

    def allow_noise(self) -> None:
        """This test may leave errors and warnings in the log, of a kind that differs between servers."""
        self._noisy = True

    def _settle(self) -> None:
        """Wait until nothing has been added for a while: servers report an error after the application's own lines."""
        size, since = self._path.stat().st_size, time.monotonic()
        while time.monotonic() - since < 0.15:
            time.sleep(0.01)
            if (grown := self._path.stat().st_size) != size:
                size, since = grown, time.monotonic()

    def check(self) -> None:
        """Fail for what must not be there."""
        if self._noisy:
            self._settle()  # or the rest would count for the next test
        text = self.text()
        found = NEVER.search(text) or (None if self._noisy else TROUBLE.search(text))
        assert found is None, f"unexpected in the server's log: {found.group()!r}\n{text}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """A running server.

    Parameters:
        kind: which one.
        app: the ASGI application, as ``module:name``; modules are taken from this package.
        folder: for its log and its control socket.
        options: for the server's command line, besides those of its kind.
        unix: listen on a unix socket in `folder` instead of a port.
        variables: for its environment.
    """

    def __init__(
        self,
        kind: ServerKind,
        app: str,
        folder: Path,
        options: Sequence[str] = (),
        *,
        unix: bool = False,
        **variables: str,
    ) -> None:
        self.kind = kind
        self.port = _free_port()
        self.address: Address = str(folder / f"{self.port}-http.sock") if unix else ("127.0.0.1", self.port)
        log_path = folder / f"{kind.name}-{self.port}.log"
        control_path = folder / f"{self.port}.sock"
        environment = {
            **os.environ,
            CONTROL_VARIABLE: str(control_path),
            # CGI leftovers in the process's environment are none of the application's business.
            "SCRIPT_NAME": "/from-the-process",
            "PATH_INFO": "/from-the-process",
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
            "PYTHONUNBUFFERED": "1",
            **variables,
        }
        with log_path.open("wb") as log:
            self._process = subprocess.Popen(
                kind.command(f"tests.adapter.wire_support.{app}", self.address, options),
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.log = ServerLog(log_path)
        self.control = Control(control_path)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=PATIENCE)
        try:
            self._wait_until(self._answers, "the server answers")
        except BaseException:
            self.kill()
            raise

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise AssertionError(f"{self.kind.name} ended at once:\n{self.log.text()}")
        # hypercorn listens before it has loaded the application, granian loads it before it listens.
        try:
            self.control.pid()
            self.connect().close()
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        return True

    def _wait_until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"still not so: {what}\n{self.log.text()}"
            time.sleep(0.01)

    def connect(self, receive_buffer: int = 0) -> RawConnection:
        """A new connection; see RawConnection."""
        return RawConnection(self.address, receive_buffer)

    def ask(
        self,
        program: str | None = None,
        target: str | bytes = "/",
        *,
        key: str = "",
        method: str = "GET",
        headers: Iterable[Header] = (),
        body: bytes = b"",
        host: str = "wire.test",
    ) -> Reply:
        """Run one of the programs on a connection of its own; a body gets its Content-Length."""
        with self.connect() as connection:
            connection.send(method, target, self.headers(program, key, headers, body), body, host=host)
            return connection.finish()

    def try_to_ask(self, *, host: str) -> Reply:
        """Like ``ask`` without a program; an empty reply when there is nobody to connect to."""
        try:
            return self.ask(host=host)
        except ConnectionError:
            return Reply()

    @staticmethod
    def headers(
        program: str | None = None, key: str = "", headers: Iterable[Header] = (), body: bytes = b""
    ) -> list[Header]:
        """Request headers that choose a program and its key, and frame a body."""
        fields: list[Header] = list(headers)
        if program is not None:
            fields.append(("X-Program", program))
        if key:
            fields.append(("X-Key", key))
        if body:
            fields.append(("Content-Length", str(len(body))))
        return fields

    def wait_for_pool(self, name: str, **expected: int) -> None:
        """Wait until an adapter's pool is in that state (threads, idle, queued, in_flight)."""
        self._wait_until(
            lambda: all(self.control.pool(name)[key] == value for key, value in expected.items()),
            f"{name}: {expected}, is {self.control.pool(name)}",
        )

    def settled(self, key: str, event: str, limit: int = 2000) -> int:
        """Wait until an event that keeps happening has stopped; how often it has happened.

        Fails at `limit` times: an application that nothing holds back would fill the memory first.
        """
        deadline = time.monotonic() + PATIENCE
        before, now = -1, 0
        while now > before or not now:
            assert time.monotonic() < deadline, f"{event} happened {now} times"
            time.sleep(0.1)
            before, now = now, len(self.control.values(key, event))
            assert now < limit, f"nothing holds the application back: {event} {now} times"
        return now

    def check_idle(self) -> None:
        """Fail unless every adapter comes to rest: no request in flight, each thread waiting for work."""

        def at_rest() -> bool:
            return all(
                pool["in_flight"] == 0 and pool["queued"] == 0 and pool["idle"] == pool["threads"]
                for pool in self.control.pools().values()
            )

        self._wait_until(at_rest, f"all adapters are at rest: {self.control.pools()}")

    def terminate(self) -> None:
        """Ask it to end, as an init system does."""
        self.http.close()
        self._process.send_signal(signal.SIGTERM)

    def alive(self) -> bool:
        """Whether the process that runs the application can still be asked."""
        try:
            return self.control.pid() > 0
        except (ConnectionError, EOFError, FileNotFoundError):
            return False

    def let_it_notice(self) -> None:
        """After ``terminate``: wait until it takes no more connections, or for half a second.

        hypercorn's parent process keeps the listening socket open to its end, so there is nothing to be seen from outside.
        """
        deadline = time.monotonic() + 0.5
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), PATIENCE).close()
            except (ConnectionRefusedError, ConnectionResetError):
                return
            time.sleep(0.02)

    def wait(self) -> int:
        """Wait for its end; the exit code. Ends it by force, and fails, when it does not come."""
        try:
            return self._process.wait(PATIENCE * 2)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.kind.name} did not end after SIGTERM\n{self.log.text()}") from None

    def kill(self) -> None:
        """End it and its workers by force. It is the leader of a process group that nothing else belongs to."""
        self.http.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
