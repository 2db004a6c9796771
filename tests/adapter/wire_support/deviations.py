"""Where a server does not permit what ``adapter-acceptance`` asks for: who does what, one entry for each behaviour.

Each entry is a strict expected failure of the tests it names, and a row in ``adapter/docs/conformance.md``; a test compares
the two. An adapter's bug never belongs here.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEVIATIONS", "Deviation"]

UVICORN_H11 = ("uvicorn-h11-asyncio", "uvicorn-h11-uvloop")
UVICORN_HTTPTOOLS = ("uvicorn-httptools-uvloop", "uvicorn-httptools-asyncio")
UVICORN = UVICORN_H11 + UVICORN_HTTPTOOLS
HYPERCORN = ("hypercorn-asyncio", "hypercorn-trio")
GRANIAN = ("granian",)


@dataclass(frozen=True, slots=True)
class Deviation:
    """One behaviour, of a server or of a neighbour in the same process, that stands in the way of one line.

    Parameters:
        line: the number of the acceptance line.
        who: the software, as the conformance page names it.
        behaviour: what it does, as the conformance page says it.
        test: the name of the test function that shows it.
        servers: names of the ServerKinds on which the test fails.
        cases: identifiers of the test's parameter sets that are concerned; none: the test has none, or all are.
    """

    line: int
    who: str
    behaviour: str
    test: str
    servers: tuple[str, ...]
    cases: tuple[str, ...] = ()

    def concerns(self, test: str, server: str, identifier: str) -> bool:
        """Whether a test item (function, server, the identifier of its whole parameter set) is to fail."""
        if test != self.test or server not in self.servers:
            return False
        return not self.cases or identifier in {f"{server}-{case}" for case in self.cases}


DEVIATIONS: tuple[Deviation, ...] = (
    Deviation(
        9,
        "uvicorn",
        "takes only ASCII in `--root-path`: with another one it drops every connection; percent-encode the root path",
        "test_009_root_path_not_ascii",
        UVICORN,
    ),
    Deviation(
        14,
        "uvicorn, hypercorn, granian",
        "answer 400 to bytes above 0x7F that are not percent-encoded in the request target",
        "test_014_raw_bytes_in_query",
        UVICORN + HYPERCORN + GRANIAN,
    ),
    Deviation(
        17,
        "uvicorn with httptools",
        "answers 400 to methods that its parser does not know",
        "test_017_unknown_method_is_kept",
        UVICORN_HTTPTOOLS,
    ),
    Deviation(
        27,
        "uvicorn with httptools",
        "answers 400 to a repeated Content-Length even if both fields are equal",
        "test_027_equal_content_lengths",
        UVICORN_HTTPTOOLS,
    ),
    Deviation(
        44,
        "hypercorn",
        "answers 400 to the request itself when more bytes than its Content-Length follow on a connection that is to be closed",
        "test_044_more_than_content_length",
        HYPERCORN,
    ),
    Deviation(
        53,
        "hypercorn",
        "sends 100 Continue by itself, before the application runs",
        "test_053_continue_only_when_the_application_reads",
        HYPERCORN,
    ),
    Deviation(
        53,
        "hypercorn",
        "sends 100 Continue by itself, even if the application never reads",
        "test_053_no_continue_when_the_application_does_not_read",
        HYPERCORN,
    ),
    Deviation(
        53,
        "hypercorn",
        "sends 100 Continue by itself, even for a body that is then refused with 413",
        "test_053_refused_without_continue",
        HYPERCORN,
    ),
    Deviation(
        66,
        "uvicorn",
        "closes the connection without an answer when a status is above 599",
        "test_066_status_above_599",
        UVICORN,
    ),
    Deviation(
        73,
        "hypercorn",
        "leaves the HTTP/2 stream of a response that was cut off open, without an end and without a reset",
        "test_073_short_body_resets_the_stream",
        HYPERCORN,
    ),
    Deviation(
        80,
        "hypercorn",
        "takes in any amount of a response for an HTTP/2 client that does not read it",
        "test_080_client_that_does_not_read_a_stream",
        HYPERCORN,
    ),
    Deviation(
        83,
        "granian",
        "offers no early hints, with HTTP/2 neither",
        "test_083_early_hints",
        GRANIAN,
    ),
    Deviation(
        86,
        "hypercorn",
        "leaves the HTTP/2 stream of a response that has failed open, without an end and without a reset",
        "test_086_failure_resets_the_stream",
        HYPERCORN,
    ),
    Deviation(
        88,
        "hypercorn's trio worker",
        "ends the whole worker process when a task is cancelled in the midst of its response start",
        "test_088_cancelled_while_the_start_is_sent",
        ("hypercorn-trio",),
    ),
    Deviation(
        92,
        "granian",
        "kills the worker after its `--workers-kill-timeout`, so `drain_timeout` never begins",
        "test_092_computation_is_finished_when_the_server_has_given_up",
        GRANIAN,
    ),
    Deviation(
        92,
        "granian",
        "waits without limit for requests under way, or kills the worker (`--workers-kill-timeout`): no lifespan shutdown, no close()",
        "test_092_endless_iteration_is_interrupted",
        GRANIAN,
        ("standalone", "mounted"),
    ),
    Deviation(
        100,
        "Starlette's BaseHTTPMiddleware",
        "ends a response that was cut off by an error as if it were whole, when it has no Content-Length",
        "test_100_failure_after_the_start",
        UVICORN + HYPERCORN + GRANIAN,
        ("base-http",),
    ),
)
