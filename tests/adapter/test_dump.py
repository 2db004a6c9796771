"""Where stuck threads are: on demand and by signal, told without disturbing what runs."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import anyio
import httpx
import pytest

from asgiway import SettingsError, WSGIMiddleware
from asgiway.dump import dump_on_signal, dump_stuck, find_stuck
from asgiway.request_id import RequestIdMiddleware
from tests.adapter.server_process import serve_module
from tests.adapter.support import WAIT, Connection, call, http_scope, until

Environ = dict[str, Any]
USR2 = signal.SIGUSR2


class Holding:
    def __init__(self) -> None:
        self.release = threading.Event()
        self.entered = 0

    def __call__(self, environ: Environ, start_response: Any) -> Any:
        path = environ["PATH_INFO"]
        if path == "/quick":
            start_response("200 OK", [])
            return [b"quick"]
        self.entered += 1
        if path == "/stream":
            start_response("200 OK", [])
            return self.stream_slowly()
        self.wait_in_view()
        start_response("200 OK", [])
        return [b"held"]

    def wait_in_view(self) -> None:
        assert self.release.wait(WAIT)  # the line the dump has to show

    def stream_slowly(self) -> Iterator[bytes]:
        yield b"first"
        assert self.release.wait(WAIT)  # or this one


@pytest.fixture
def app() -> Iterator[Holding]:
    holding = Holding()
    yield holding
    holding.release.set()


@pytest.mark.anyio
async def test_what_is_told_of_a_stuck_thread(app: Holding) -> None:
    adapter = WSGIMiddleware(app, workers=3)
    site = RequestIdMiddleware(adapter)
    first, second = Connection(), Connection()
    async with anyio.create_task_group() as tasks:
        headers = [(b"x-request-id", b"id-1")]
        tasks.start_soon(site, http_scope(path="/a\nb", headers=headers), first.receive, first.send)
        await until(lambda: app.entered == 1)
        await anyio.sleep(0.3)
        tasks.start_soon(adapter, http_scope("POST", path="/stream"), second.receive, second.send)
        await until(lambda: second.body == b"first")
        assert (await call(adapter, path="/quick")).body == b"quick"

        (old,) = find_stuck(adapter, 0.25)
        assert (old.request, old.request_id, old.abandoned) == ("GET /a%0Ab", "id-1", False)
        assert old.thread.startswith("asgiway-")
        assert old.seconds >= 0.3
        assert "self.wait_in_view()" in old.stack
        assert "assert self.release.wait(WAIT)  # the line the dump has to show" in old.stack
        # It begins in the application: not in the interpreter's threads, not in the adapter.
        assert old.stack.splitlines()[0].startswith(f'  File "{__file__}"')

        both = find_stuck(adapter, 0)
        assert [stuck.request for stuck in both] == ["GET /a%0Ab", "POST /stream"]
        assert both[1].request_id is None
        assert "stream_slowly" in both[1].stack
        assert "# or this one" in both[1].stack
        assert find_stuck(adapter, 100) == []

        await until(lambda: adapter.snapshot().idle == 1)  # the quick one's
        text = dump_stuck(adapter, seconds=0.25)
        assert text.startswith(
            f"asgiway: 1 thread(s) at one request for 0.25 s or longer in {adapter!r}: 2 busy, 0 abandoned, 1 idle, 0 waiting\n"
        )
        assert re.search(r"^asgiway-\d+: \d+\.\d s at GET /a%0Ab, request id id-1\n  File ", text, re.M)
        assert "POST /stream" not in text
        app.release.set()
    assert dump_stuck(adapter, adapter.__class__(app)).count("asgiway: 0 thread(s)") == 2
    await adapter.aclose()


@pytest.mark.anyio
async def test_threads_that_were_given_up_are_told_too(app: Holding) -> None:
    adapter = WSGIMiddleware(app, workers=1, request_timeout=0.1)
    assert (await call(adapter)).status == 504
    (stuck,) = find_stuck(adapter, 0)
    assert stuck.abandoned
    assert re.search(r"s at GET /, given up\n  File ", dump_stuck(adapter, seconds=0))
    app.release.set()
    await until(lambda: find_stuck(adapter, 0) == [])
    await adapter.aclose()


def test_dumps_while_requests_come_and_go() -> None:
    """What is shown belongs together: no request with the stack of the next one on the same thread."""

    def alpha() -> None:
        threading.Event().wait(0.0005)

    def beta() -> None:
        threading.Event().wait(0.0005)

    def app(environ: Environ, start_response: Any) -> list[bytes]:
        (alpha if environ["PATH_INFO"] == "/alpha" else beta)()
        start_response("200 OK", [])
        return []

    adapter = WSGIMiddleware(app, workers=4)
    seen: set[str] = set()
    stop = threading.Event()
    wrong: list[str] = []

    def watch() -> None:
        while not stop.is_set():
            for stuck in find_stuck(adapter, 0):
                name = stuck.request.removeprefix("GET /")
                other = {"alpha": "in beta", "beta": "in alpha"}[name]
                if other in stuck.stack:
                    wrong.append(stuck.stack)
                if f"in {name}" in stuck.stack:
                    seen.add(name)

    async def main() -> None:
        with anyio.fail_after(WAIT):
            while seen != {"alpha", "beta"}:
                async with anyio.create_task_group() as tasks:
                    for path in ("/alpha", "/beta") * 20:
                        tasks.start_soon(call, adapter, "GET", path)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        anyio.run(main)
    finally:
        stop.set()
        watcher.join(WAIT)
    assert wrong == []


SERVED = """
import signal, threading
from asgiway import WSGIMiddleware
from asgiway.dump import dump_on_signal

def legacy(environ, start_response):
    if environ["PATH_INFO"] == "/stuck":
        hang_here()
    if environ["PATH_INFO"] == "/release":
        release.set()
    start_response("200 OK", [])
    return [b"fine"]

release = threading.Event()

def hang_here():
    release.wait(60)

def earlier(signum, frame):
    print("the earlier handler runs too", flush=True)

signal.signal(signal.SIGUSR2, earlier)
app = WSGIMiddleware(legacy, drain_timeout=0.1)
dump_on_signal(signal.SIGUSR2, app, seconds=0)
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_by_signal_on_a_server_that_has_nothing_else_to_do(loop: str, tmp_path: Path) -> None:
    with serve_module(tmp_path, SERVED, "--loop", loop) as server:
        client = threading.Thread(target=httpx.get, args=(server.address + "/stuck",), kwargs={"timeout": WAIT})
        client.start()
        # Asked again until the request has reached its thread; each time the loop sleeps and has to be woken.
        log, asked = "", 0
        while "hang_here" not in log:
            assert asked < 100, log
            asked += 1
            server.signal(USR2)
            log = server.wait_for_log("the earlier handler runs too", asked)
            threading.Event().wait(0.05)
        assert re.search(r"^asgiway-1: \d\.\d s at GET /stuck\n  File .*served\.py.*\n    hang_here\(\)\n", log, re.M)
        assert log.index("asgiway: ") < log.index("the earlier handler")
        assert httpx.get(server.address + "/release").text == "fine"
        client.join(WAIT)
        assert not client.is_alive()
        server.signal(USR2)
        assert "asgiway: 0 thread(s) at one request for 0 s" in server.wait_for_log("the earlier", asked + 1)


@pytest.fixture
def untouched() -> Iterator[None]:
    before = signal.getsignal(USR2)
    yield
    signal.signal(USR2, before)


@pytest.mark.usefixtures("untouched")
def test_undone_it_leaves_the_earlier_handler(app: Holding) -> None:
    calls: list[str] = []

    def earlier(signum: int, frame: FrameType | None) -> None:
        calls.append("earlier")

    signal.signal(USR2, earlier)
    adapter = WSGIMiddleware(app)
    undo = dump_on_signal(USR2, adapter, write=lambda text: calls.append(text[:18]))
    signal.raise_signal(USR2)
    assert calls == ["asgiway: 0 thread(", "earlier"]
    undo()
    assert signal.getsignal(USR2) is earlier
    undo()
    # Undone when somebody has put a handler on top: that one stays, the dump ends, the chain holds.
    undo = dump_on_signal(USR2, adapter, write=lambda text: calls.append("dump"))
    below: Any = signal.getsignal(USR2)

    def on_top(signum: int, frame: FrameType | None) -> None:
        calls.append("top")
        below(signum, frame)

    signal.signal(USR2, on_top)
    undo()
    calls.clear()
    signal.raise_signal(USR2)
    assert calls == ["top", "earlier"]


@pytest.mark.usefixtures("untouched")
def test_two_can_share_a_signal(app: Holding) -> None:
    written: list[str] = []
    dump_on_signal(USR2, WSGIMiddleware(app), write=lambda text: written.append("first"))
    dump_on_signal(USR2, WSGIMiddleware(app), write=lambda text: written.append("second"))
    signal.raise_signal(USR2)
    assert written == ["second", "first"]


@pytest.mark.usefixtures("untouched")
def test_a_failing_dump_is_told_and_does_not_come_out_of_the_main_thread(
    app: Holding, capfd: pytest.CaptureFixture[str]
) -> None:
    def failing(text: str) -> None:
        raise RuntimeError("no disk")

    dump_on_signal(USR2, WSGIMiddleware(app), write=failing)
    signal.raise_signal(USR2)
    error = capfd.readouterr().err
    assert error.startswith("asgiway: the dump on SIGUSR2 failed:\nTraceback")
    assert "RuntimeError: no disk" in error


def test_only_in_the_main_thread(app: Holding) -> None:
    errors: list[BaseException] = []

    def elsewhere() -> None:
        try:
            dump_on_signal(USR2, WSGIMiddleware(app))
        except SettingsError as exc:
            errors.append(exc)

    thread = threading.Thread(target=elsewhere, name="elsewhere")
    thread.start()
    thread.join(WAIT)
    assert str(errors[0]) == (
        "dump_on_signal was called in thread 'elsewhere', but only the main thread can install signal handlers; call it at "
        "import, where the adapter is made"
    )


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (signal.SIGKILL, r"SIGKILL can't be caught \(.*\); choose another signal, such as SIGUSR2"),
        (signal.SIGTERM, "SIGTERM ends the process and belongs to the server"),
        (signal.SIGINT, "SIGINT ends the process and belongs to the server"),
        (12345, "12345 is no signal of this system"),
    ],
)
def test_signals_that_cannot_be(number: int, sentence: str, app: Holding) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SettingsError, match=sentence):
        dump_on_signal(number, WSGIMiddleware(app))
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(sys.platform != "linux", reason="the program has Linux's number of SIGUSR2 in it")
def test_a_handler_that_is_not_pythons_is_not_overwritten() -> None:
    """In a process of its own, since Python asks the system for handlers only once, when the signal module is loaded."""
    program = """
import ctypes, sys
handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda signum: None)
libc = ctypes.CDLL(None)
libc.signal.argtypes = [ctypes.c_int, type(handler)]
libc.signal.restype = ctypes.c_void_p
libc.signal(12, handler)
sys.modules.pop("_signal", None)
import signal
if signal.getsignal(signal.SIGUSR2) is not None:
    sys.exit("the handler is not seen")
from asgiway import SettingsError, WSGIMiddleware
from asgiway.dump import dump_on_signal
try:
    dump_on_signal(signal.SIGUSR2, WSGIMiddleware(lambda environ, start_response: []))
except SettingsError as exc:
    print(exc)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == (
        "SIGUSR2 has a handler that was not installed by Python code and would be lost; choose another signal\n"
    ), done.stderr


def test_what_it_is_given(app: Holding) -> None:
    for function in (dump_stuck, lambda: dump_on_signal(USR2)):
        with pytest.raises(SettingsError, match="has no adapter to look at"):
            function()
    with pytest.raises(TypeError, match="dump_stuck needs the WSGIMiddleware of each mount"):
        dump_stuck(app)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
