"""What ends a server, or must not end it, in servers of their own: line 92 of the acceptance list, and a part of 88.

Starting and ending servers is mostly waiting, so all of it happens at the same time, once for each kind of server; each
test then reports one outcome.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.adapter.wire.conftest import Fleet
from tests.adapter.wire_support.servers import ServerProcess

APPS = ["standalone", "mounted", "mounted_without_recipe"]

Outcomes = dict[str, "Future[None]"]


@contextmanager
def running(fleet: Fleet, app: str, *options: str) -> Generator[ServerProcess]:
    server = ServerProcess(fleet.kind, f"shutdown_apps:{app}", fleet.folder, options)
    try:
        yield server
    finally:
        server.kill()


def finish_requests(fleet: Fleet, app: str) -> None:
    key = uuid.uuid4().hex
    with running(fleet, app) as server, server.connect() as computing, server.connect() as streaming:
        computing.send(headers=server.headers("hold", f"{key}-1"))
        streaming.send(headers=server.headers("hold_while_streaming", f"{key}-2"))
        server.control.wait(f"{key}-1", "entered")
        assert streaming.body_until(6) == b"first "
        server.terminate()
        server.let_it_notice()
        server.control.release(f"{key}-1")
        server.control.release(f"{key}-2")
        assert computing.finish().body == b"held"
        assert streaming.finish().body == b"first last"
        assert computing.reply.complete
        assert streaming.reply.complete
        server.wait()
        server.log.check()


def finish_computation(fleet: Fleet, app: str) -> None:
    key = uuid.uuid4().hex
    with running(fleet, app, *fleet.kind.short_grace) as server, server.connect() as connection:
        server.log.allow_noise()
        connection.send(headers=server.headers("hold_until_shutdown", key))
        server.control.wait(key, "entered")
        server.terminate()
        # The server's second, then the one that the adapter gives an interrupted request; a drain lasts longer.
        time.sleep(2.6)
        assert server.alive(), "the process has ended under the application"
        server.control.release(key)
        server.wait()
        assert f"closed at shutdown: {key}" in server.log.text()
        server.log.check()


def interrupt_stream(fleet: Fleet, app: str) -> None:
    key = uuid.uuid4().hex
    with running(fleet, app, *fleet.kind.short_grace) as server, server.connect() as connection:
        server.log.allow_noise()
        connection.send(headers=server.headers("endless_until_shutdown", key))
        connection.body_until(10)
        server.terminate()
        assert not connection.finish().complete
        server.wait()
        # Without the recipe nobody waits for the application; that the process ends is all there is to say.
        assert app == "mounted_without_recipe" or f"closed at shutdown: {key}" in server.log.text()
        server.log.check()


def cancel_the_start(fleet: Fleet, app: str) -> None:
    with running(fleet, app) as server:
        server.log.allow_noise()
        assert b"hello" not in server.try_to_ask(host="cancelled.test").body
        assert server.try_to_ask(host="other.test").body == b"hello"
        server.terminate()
        server.wait()


def end_with_a_stuck_worker(fleet: Fleet, app: str) -> None:
    key = uuid.uuid4().hex
    with running(fleet, app, *fleet.kind.short_grace) as server, server.connect() as connection:
        server.log.allow_noise()
        connection.send(headers=server.headers("stuck_in_c", key))
        server.control.wait(key, "entered")
        server.terminate()
        server.wait()
        if fleet.kind.name != "granian":  # it has killed its worker
            assert "shutdown leaves a request running: GET /" in server.log.text()
        server.log.check()


@pytest.fixture(scope="module")
def outcomes(fleet: Fleet) -> Outcomes:
    """Return how each scenario went."""
    scenarios: list[tuple[Callable[[Fleet, str], None], str]] = [
        *((scenario, app) for app in APPS for scenario in (finish_requests, interrupt_stream)),
        *((finish_computation, app) for app in APPS[:2]),
        (cancel_the_start, "cancelled_start"),
        (end_with_a_stuck_worker, "stuck"),
    ]
    with ThreadPoolExecutor(len(scenarios)) as threads:
        return {f"{run.__name__} {app}": threads.submit(run, fleet, app) for run, app in scenarios}


@pytest.mark.parametrize("app", APPS)
def test_092_requests_under_way_are_finished(outcomes: Outcomes, app: str) -> None:
    """One that computes and one that streams; then the process ends by itself, with nothing left to say."""
    outcomes[f"finish_requests {app}"].result()


@pytest.mark.parametrize("app", APPS[:2])
def test_092_computation_is_finished_when_the_server_has_given_up(outcomes: Outcomes, app: str) -> None:
    """The server has cancelled the request, but the adapter waits for its end, up to drain_timeout."""
    outcomes[f"finish_computation {app}"].result()


@pytest.mark.parametrize("app", APPS)
def test_092_endless_iteration_is_interrupted(outcomes: Outcomes, app: str) -> None:
    """When the server's own time for requests under way is over, the stream ends, its close() runs, and the process ends."""
    outcomes[f"interrupt_stream {app}"].result()


def test_088_cancelled_while_the_start_is_sent(outcomes: Outcomes) -> None:
    """A request may be cut off like that, but only that one."""
    outcomes["cancel_the_start cancelled_start"].result()


def test_092_worker_stuck_in_c(outcomes: Outcomes) -> None:
    """The process ends all the same, and the log names the request that was left."""
    outcomes["end_with_a_stuck_worker stuck"].result()
