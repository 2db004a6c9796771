"""Random requests to random applications: through the adapter on uvicorn and on waitress, the answers are the same.

Issue 3, section 1, last item. What differs has a row in ``adapter/docs/differences.md``, and nothing else may.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings

from asgiway.errors import AppValueError
from asgiway.response import encode_header
from tests.adapter.differential.exchange import Answer, Request, Server, normalised
from tests.adapter.differential.exemptions import RESPOND, Exemption, load
from tests.adapter.differential.strategies import conversations

pytestmark = pytest.mark.wire

EXEMPTIONS = load()
CALM = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


def _own_length(request: Request) -> bool:
    """Whether the application declares a Content-Length."""
    if request.program == "echo":
        return True
    starts: list[Any] = json.loads(request.plan)["starts"]
    return any(name.lower() == "content-length" for _, fields in starts[-1:] for name, _ in fields)


def answers(servers: tuple[Server, Server], request: Request, exemptions: list[Exemption]) -> tuple[Answer, Answer]:
    """Return what the adapter's answer has to be, and what it is."""
    reference, ours = servers
    asked = request
    for exemption in exemptions:
        asked = exemption.ask(asked)
    expected = reference.ask(asked)
    expected = normalised(expected, own_length=_own_length(asked))
    for exemption in exemptions:
        expected = exemption.adjust(request, expected)
    found = ours.ask(request)
    found = normalised(found, own_length=_own_length(asked))
    if 400 in (expected.status, found.status):
        # Only servers refuse requests; each has a page of its own for it.
        return Answer(expected.status), Answer(found.status)
    return expected, found


def compare(servers: tuple[Server, Server], conversation: list[Request]) -> None:
    for server in servers:
        server.hang_up()
    for request in conversation:
        expected, found = answers(servers, request, EXEMPTIONS)
        event(f"{request.program} {found.status}{'' if found.complete else ', cut'}")
        assert found == expected


@settings(max_examples=300, derandomize=True, database=None, deadline=None, suppress_health_check=CALM)
@given(conversation=conversations)
def test_300_random_conversations(servers: tuple[Server, Server], conversation: list[Request]) -> None:
    compare(servers, conversation)


@pytest.mark.long
@settings(max_examples=10_000, database=None, deadline=None, suppress_health_check=CALM, print_blob=True)
@given(conversation=conversations)
def test_10000_random_conversations(servers: tuple[Server, Server], conversation: list[Request]) -> None:
    compare(servers, conversation)


BLANKS = {"starts": [["200 OK", [["X-Blank", " a\t"], ["X-Empty", " "]]]], "chunks": [["x", 1]]}


def test_blanks_around_a_header_value_are_not_sent(servers: tuple[Server, Server]) -> None:
    """067: h11 would cut the connection; found by the random requests."""
    expected, found = answers(servers, RESPOND.planned(**BLANKS), EXEMPTIONS)
    assert found == expected == Answer(200, (("x-blank", "a"), ("x-empty", "")), b"x")


@pytest.mark.parametrize("value", ["a\vb", "a\fb", "a\x01b", "a\x7fb"])
def test_a_header_value_that_uvicorn_refuses_is_the_applications_error(
    servers: tuple[Server, Server], value: str
) -> None:
    """067: a 500 with a traceback that names the header, instead of a connection that is cut without a word."""
    _, found = answers(servers, RESPOND.planned(starts=[["200 OK", [["X-A", value]]]]), [])
    assert found.status == 500
    with pytest.raises(AppValueError, match="'X-A' contains a line break or NUL"):
        encode_header("X-A", value)


@pytest.mark.parametrize(
    ("exemption", "request_"),
    [
        pytest.param(entry, example, id=f"{entry.name}-{number}")
        for entry in EXEMPTIONS
        for number, example in enumerate(entry.examples)
    ],
)
def test_a_row_is_still_true_and_explains_its_examples(
    servers: tuple[Server, Server], exemption: Exemption, request_: Request
) -> None:
    others = [entry for entry in EXEMPTIONS if entry is not exemption]
    expected, found = answers(servers, request_, others)
    assert found != expected, f"no longer different: {exemption.name}"
    expected, found = answers(servers, request_, EXEMPTIONS)
    assert found == expected
