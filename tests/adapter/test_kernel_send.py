"""A file into a socket by the kernel: real sockets, asyncio and uvloop, clients that read, don't read, and leave."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import threading
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import uvloop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgiway import kernel_send
from asgiway.errors import ResponseTruncatedError
from asgiway.kernel_send import NotSendableError, Transfer, client_left, send_file
from tests.adapter.blocking import blocking_calls

WAIT = 20.0
MIB = 1024 * 1024
LARGE = os.urandom(MIB) * 20

Run = Callable[[Coroutine[Any, Any, Any]], Any]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine on a loop that must not be blocked."""

    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as first:
        first.run(asyncio.sleep(0))  # libuv keeps two descriptors from the first loop on

    def runner(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with blocking_calls() as seen, asyncio.Runner(loop_factory=factory) as one:
            result = one.run(asyncio.wait_for(coroutine, WAIT))
        assert seen == [], "called on the event loop"
        return result

    return runner


@pytest.fixture(scope="module")
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "file"
    file.write_bytes(LARGE)
    return str(file)


@contextlib.contextmanager
def no_descriptor_left() -> Generator[None]:
    """The last ones are closed by a thread, after the cancelled task has ended."""
    before = set(os.listdir("/proc/self/fd"))
    yield
    deadline = time.monotonic() + WAIT
    while len(os.listdir("/proc/self/fd")) > len(before):
        assert time.monotonic() < deadline, set(os.listdir("/proc/self/fd")) - before
        time.sleep(0.01)


@contextlib.asynccontextmanager
async def connected() -> AsyncGenerator[tuple[asyncio.Transport, socket.socket]]:
    """A transport, and the socket at the other end."""
    ours, theirs = socket.socketpair()
    theirs.settimeout(WAIT)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    try:
        yield transport, theirs
    finally:
        transport.abort()
        await asyncio.sleep(0)
        theirs.close()


def read(theirs: socket.socket, size: int, piece: int = 256 * 1024) -> bytes:
    found = bytearray()
    while len(found) < size and (more := theirs.recv(min(piece, size - len(found)))):
        found += more
    return bytes(found)


def reading(*arguments: Any) -> Awaitable[bytes]:
    return asyncio.get_running_loop().run_in_executor(None, read, *arguments)


def test_the_file_comes_after_what_was_written_before(run: Run, path: str, threads: ThreadPoolExecutor) -> None:
    async def main() -> None:
        async with connected() as (transport, theirs):
            head = b"head" * MIB  # far more than fits into the socket
            transport.write(head)
            read = reading(theirs, len(head) + len(LARGE) + 4)
            assert await send_file(transport, path, len(LARGE), threads)
            transport.write(b"tail")
            assert await read == head + LARGE + b"tail"

    with no_descriptor_left():
        run(main())


def test_a_file_that_has_grown_is_sent_up_to_what_was_promised(
    run: Run, path: str, threads: ThreadPoolExecutor
) -> None:
    async def main() -> None:
        async with connected() as (transport, theirs):
            assert await send_file(transport, path, 1000, threads)
            transport.write(b"tail")
            assert await reading(theirs, 1004) == LARGE[:1000] + b"tail"

    run(main())


def test_a_file_that_was_cut_is_an_error(run: Run, path: str, threads: ThreadPoolExecutor) -> None:
    async def main() -> None:
        async with connected() as (transport, theirs):
            read = reading(theirs, len(LARGE))
            with pytest.raises(
                ResponseTruncatedError, match=rf"ended after {len(LARGE)} bytes of the {len(LARGE) + 1}"
            ):
                await send_file(transport, path, len(LARGE) + 1, threads)
            assert await read == LARGE

    with no_descriptor_left():
        run(main())


def test_nothing_to_send(run: Run, path: str, threads: ThreadPoolExecutor) -> None:
    async def main() -> None:
        async with connected() as (transport, _):
            assert await send_file(transport, path, 0, threads)

    run(main())


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_an_error_and_never_a_wait(
    run: Run, kind: str, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    if kind == "folder":
        (tmp_path / "it").mkdir()
    elif kind == "pipe":
        os.mkfifo(tmp_path / "it")

    async def main() -> None:
        async with connected() as (transport, _):
            with pytest.raises(FileNotFoundError if kind == "missing" else OSError, match=r"it'$"):
                await send_file(transport, str(tmp_path / "it"), 1, threads)

    with no_descriptor_left():
        run(main())


def test_what_the_kernel_does_not_send(run: Run, threads: ThreadPoolExecutor) -> None:
    """Linux: files of /proc that are made while they are read have no pages to send."""

    async def main() -> None:
        async with connected() as (transport, _):
            with pytest.raises(NotSendableError, match="/proc/self/cmdline"):
                await send_file(transport, "/proc/self/cmdline", 10, threads)

    with no_descriptor_left():
        run(main())


@pytest.mark.parametrize("when", ["before", "half way", "while it waits"])
def test_the_client_leaves(run: Run, when: str, path: str, threads: ThreadPoolExecutor) -> None:
    async def main() -> None:
        async with connected() as (transport, theirs):
            if when == "before":
                transport.close()
                assert not await send_file(transport, path, len(LARGE), threads)
                return
            sending = asyncio.ensure_future(send_file(transport, path, len(LARGE), threads))
            if when == "half way":
                await reading(theirs, MIB)
            else:
                await asyncio.sleep(0.1)
            theirs.close()
            assert not await sending

    with no_descriptor_left():
        run(main())


def test_the_owner_closes_the_transport_while_the_client_reads_nothing(
    run: Run, path: str, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The duplicate keeps the connection open, so nobody would wake the transfer."""
    monkeypatch.setattr(kernel_send, "LOOK", 0.1)

    async def main() -> None:
        async with connected() as (transport, _):
            sending = asyncio.ensure_future(send_file(transport, path, len(LARGE), threads))
            await asyncio.sleep(0.1)
            assert not sending.done()
            transport.abort()
            assert not await sending

    with no_descriptor_left():
        run(main())


@pytest.mark.parametrize("client", ["reads", "waits"])
def test_cancelled(run: Run, client: str, path: str, threads: ThreadPoolExecutor) -> None:
    async def main() -> None:
        before = asyncio.all_tasks()
        for number in range(20):
            async with connected() as (transport, theirs):
                sending = asyncio.ensure_future(send_file(transport, path, len(LARGE), threads))
                if client == "reads":
                    await reading(theirs, number * MIB // 8)
                else:
                    await asyncio.sleep(number * 0.002)
                sending.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await sending
                assert asyncio.all_tasks() == before

    with no_descriptor_left():
        run(main())


def test_cancelled_while_no_thread_is_free(run: Run, path: str) -> None:
    go_on = threading.Event()

    async def main() -> None:
        with ThreadPoolExecutor(1) as one:
            one.submit(go_on.wait, WAIT)
            async with connected() as (transport, _):
                sending = asyncio.ensure_future(send_file(transport, path, len(LARGE), one))
                await asyncio.sleep(0.05)
                sending.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await sending
            go_on.set()

    with no_descriptor_left():
        run(main())


def test_clients_that_do_not_read_occupy_no_thread(run: Run, path: str) -> None:
    async def main() -> None:
        async with contextlib.AsyncExitStack() as stack:
            with ThreadPoolExecutor(1) as one:
                slow = [await stack.enter_async_context(connected()) for _ in range(20)]
                sending = [asyncio.ensure_future(send_file(ours, path, len(LARGE), one)) for ours, _ in slow]
                await asyncio.sleep(0.3)
                async with connected() as (transport, theirs):
                    read = reading(theirs, len(LARGE))
                    assert await send_file(transport, path, len(LARGE), one)
                    assert await read == LARGE
                assert not any(one.done() for one in sending)
                for _, theirs in slow:
                    assert await reading(theirs, len(LARGE), 1 << 20) == LARGE
                assert await asyncio.gather(*sending) == [True] * 20

    with no_descriptor_left():
        run(main())


def test_two_clients_share_one_thread(run: Run, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that reads all the time doesn't keep the thread for its whole file."""
    monkeypatch.setattr(kernel_send, "TURN", 0.0)
    monkeypatch.setattr(kernel_send, "SLICE", MIB)
    order: list[int] = []

    class Noted(Transfer):
        def turn(self) -> bool:
            order.append(self.socket)
            return super().turn()

    monkeypatch.setattr(kernel_send, "Transfer", Noted)

    async def main() -> None:
        with ThreadPoolExecutor(1) as one:
            async with connected() as (ours, theirs), connected() as (others, far):
                reads = [reading(theirs, len(LARGE)), reading(far, len(LARGE))]
                assert all(await asyncio.gather(*(send_file(each, path, len(LARGE), one) for each in (ours, others))))
                assert await asyncio.gather(*reads) == [LARGE, LARGE]

    run(main())
    changes = sum(1 for before, after in itertools.pairwise(order) if before != after)
    assert changes > 4, order


def test_errors_of_the_connection() -> None:
    assert client_left(BrokenPipeError())
    assert client_left(TimeoutError(110, "timed out"))
    assert not client_left(FileNotFoundError(2, "no such file"))
    assert not client_left(OSError(5, "Input/output error"))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    size=st.integers(0, 3 * MIB),
    head=st.integers(0, MIB),
    pieces=st.integers(4096, MIB),
    buffers=st.integers(2048, 500_000),
    slice_size=st.integers(1000, 4 * MIB),
)
def test_every_size_arrives_whole(
    size: int, head: int, pieces: int, buffers: int, slice_size: int, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    content = LARGE[: size + 1]  # a byte more than is asked for
    (tmp_path / "file").write_bytes(content)

    async def main() -> None:
        async with connected() as (transport, theirs):
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffers)
            transport.write(content[:head])
            read = reading(theirs, len(content[:head]) + size + 1, pieces)
            assert await send_file(transport, str(tmp_path / "file"), size, threads)
            transport.write(b"!")
            assert await read == content[:head] + content[:size] + b"!"

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kernel_send, "SLICE", slice_size)
        asyncio.run(asyncio.wait_for(main(), WAIT))
