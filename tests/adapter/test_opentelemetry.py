"""OpenTelemetry, with its SDK: the server's span is the parent of whatever the application starts, in all its phases.

Nothing in asgiway knows OpenTelemetry: it keeps its context in a context variable, and those reach the worker (issue 3,
section 4). On asyncio, uvloop and trio.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from opentelemetry import baggage, context, propagate, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from asgiway import WSGIMiddleware, request_id
from asgiway.request_id import RequestIdMiddleware
from tests.adapter.support import call

pytestmark = pytest.mark.anyio

Environ = dict[str, Any]
PHASES = ("call", "iteration", "close")


class Spans:
    """The SDK with everything kept in memory; a middleware and an application that make spans with it."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer = self.provider.get_tracer("test")
        self.threads: set[int] = set()

    def server(self, app: Any) -> Any:
        """What OpenTelemetry's ASGI middleware does: the client's context, and a span for the request."""

        async def middleware(scope: Any, receive: Any, send: Any) -> None:
            carrier = {name.decode(): value.decode() for name, value in scope["headers"]}
            token = context.attach(propagate.extract(carrier))
            try:
                with self.tracer.start_as_current_span("server " + scope["path"]):
                    await app(scope, receive, send)
            finally:
                context.detach(token)

        return middleware

    def app(self, environ: Environ, start_response: Any) -> Any:
        self.phase("call", environ)
        start_response("200 OK", [])
        return Pieces(self, environ)

    def phase(self, name: str, environ: Environ) -> None:
        with self.tracer.start_as_current_span(f"{name} {environ['PATH_INFO']}") as span:
            span.set_attribute("customer", str(baggage.get_baggage("customer")))
            self.threads.add(threading.get_ident())

    def found(self, name: str) -> ReadableSpan:
        (span,) = [span for span in self.exporter.get_finished_spans() if span.name == name]
        return span


class Pieces:
    """A body whose iteration and close() make spans."""

    def __init__(self, spans: Spans, environ: Environ) -> None:
        self._spans = spans
        self._environ = environ

    def __iter__(self) -> Iterator[bytes]:
        yield b"first"
        self._spans.phase("iteration", self._environ)
        yield b"second"

    def close(self) -> None:
        self._spans.phase("close", self._environ)


@pytest.fixture
def spans() -> Spans:
    return Spans()


def ids(span: ReadableSpan) -> trace.SpanContext:
    found = span.get_span_context()
    assert found is not None
    return found


async def test_093_call_iteration_and_close_are_children_of_the_servers_span(spans: Spans) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = [
        (b"traceparent", f"00-{trace_id}-00f067aa0ba902b7-01".encode()),
        (b"baggage", b"customer=c1"),
    ]
    await call(spans.server(WSGIMiddleware(spans.app)), path="/x", headers=headers)
    server = spans.found("server /x")
    assert server.parent is not None
    assert f"{server.parent.span_id:016x}" == "00f067aa0ba902b7"
    for phase in PHASES:
        span = spans.found(f"{phase} /x")
        assert span.parent is not None, phase
        assert span.parent.span_id == ids(server).span_id, phase
        assert f"{ids(span).trace_id:032x}" == trace_id
        assert dict(span.attributes or {}) == {"customer": "c1"}
    assert threading.get_ident() not in spans.threads  # it was a worker's, and there the context had to be brought
    assert trace.get_current_span() is trace.INVALID_SPAN


async def test_requests_at_the_same_time_keep_their_traces_apart(spans: Spans) -> None:
    app = spans.server(WSGIMiddleware(spans.app, workers=3))
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(call, app, "GET", f"/{number}")
    traces: set[int] = set()
    for number in range(20):
        server = spans.found(f"server /{number}")
        traces.add(ids(server).trace_id)
        for phase in PHASES:
            parent = spans.found(f"{phase} /{number}").parent
            assert parent is not None
            assert (parent.trace_id, parent.span_id) == (ids(server).trace_id, ids(server).span_id)
    assert len(traces) == 20


async def test_093_what_the_application_attaches_does_not_leak(spans: Spans) -> None:
    """An application that never detaches: neither the loop nor the thread's next request sees it."""
    seen: list[object] = []

    def careless(environ: Environ, start_response: Any) -> list[bytes]:
        seen.append(baggage.get_baggage("left"))
        context.attach(baggage.set_baggage("left", "behind"))
        start_response("200 OK", [])
        return []

    adapter = WSGIMiddleware(careless, workers=1)
    await call(adapter)
    assert baggage.get_baggage("left") is None
    await call(adapter)
    assert seen == [None, None]


async def test_the_request_id_is_the_trace_id(spans: Spans) -> None:
    got: list[str | None] = []

    def app(environ: Environ, start_response: Any) -> Any:
        got.append(request_id.current())
        return spans.app(environ, start_response)

    trace_id = "0af7651916cd43dd8448eb211c80319c"
    headers = [(b"traceparent", f"00-{trace_id}-b7ad6b7169203331-01".encode())]
    await call(RequestIdMiddleware(spans.server(WSGIMiddleware(app))), headers=headers)
    assert got == [trace_id]
    assert f"{ids(spans.found('call /')).trace_id:032x}" == trace_id
