"""Random requests to random applications: through the adapter on uvicorn, on waitress and on gunicorn, the answers are the same.

Issue 3, section 1, last item. What differs has a row in ``adapter/docs/differences.md``, and nothing else may.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from asgiway.errors import AppValueError
from asgiway.response import encode_header
from tests.adapter.differential.conftest import PARSERS, REFERENCES
from tests.adapter.differential.exchange import Answer, Request, Server, normalised
from tests.adapter.differential.exemptions import RESPOND, Exemption, page_rows
from tests.adapter.differential.from_gunicorn import FROM_GUNICORN
from tests.adapter.differential.from_waitress import FROM_WAITRESS
from tests.adapter.differential.strategies import conversations

pytestmark = pytest.mark.wire

Processes = dict[str, Server]

EXEMPTIONS = {"waitress": FROM_WAITRESS, "gunicorn": FROM_GUNICORN}
CALM = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large]


def _own_length(request: Request) -> bool:
    """Whether the application declares a Content-Length."""
    if request.program == "echo":
        return request.method != "HEAD"  # the length of what can't be seen, and be adjusted
    starts: list[Any] = json.loads(request.plan)["starts"]
    return any(name.lower() == "content-length" for _, fields in starts[-1:] for name, _ in fields)


def answers(reference: Server, ours: Server, request: Request, exemptions: list[Exemption]) -> tuple[Answer, Answer]:
    """Return what the adapter's answer has to be, and what it is."""
    exemptions = [entry for entry in exemptions if ours.name in entry.parsers]
    asked = request
    for exemption in exemptions:
        asked = exemption.ask(asked)
    expected = reference.ask(asked)
    expected = normalised(expected, asked, own_length=_own_length(asked))
    for exemption in exemptions:
        expected = exemption.adjust(request, expected)
    found = ours.ask(request)
    found = normalised(found, request, own_length=_own_length(asked))
    if 400 in (expected.status, found.status):
        # Only servers refuse requests; each has a page of its own for it.
        return Answer(expected.status), Answer(found.status)
    return expected, found


def compare(processes: Processes, reference: str, parser: str, conversation: list[Request]) -> None:
    servers = processes[reference], processes[parser]
    for server in servers:
        server.hang_up()
    for request in conversation:
        expected, found = answers(*servers, request, EXEMPTIONS[reference])
        event(f"{request.program} {found.status}{'' if found.complete else ', cut'}")
        assert found == expected


@settings(max_examples=300, derandomize=True, database=None, deadline=None, suppress_health_check=CALM)
@given(parser=st.sampled_from(list(PARSERS)), conversation=conversations)
def test_300_random_conversations(processes: Processes, parser: str, conversation: list[Request]) -> None:
    compare(processes, "waitress", parser, conversation)


@settings(max_examples=100, derandomize=True, database=None, deadline=None, suppress_health_check=CALM)
@given(parser=st.sampled_from(list(PARSERS)), conversation=conversations)
def test_random_conversations_beside_gunicorn(processes: Processes, parser: str, conversation: list[Request]) -> None:
    compare(processes, "gunicorn", parser, conversation)


@pytest.mark.long
@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("reference", REFERENCES)
@settings(max_examples=10_000, database=None, deadline=None, suppress_health_check=CALM, print_blob=True)
@given(conversation=conversations)
def test_10000_random_conversations(
    processes: Processes, reference: str, parser: str, conversation: list[Request]
) -> None:
    compare(processes, reference, parser, conversation)


BLANKS = {"starts": [["200 OK", [["X-Blank", " a\t"], ["X-Empty", " "]]]], "chunks": [["x", 1]]}


@pytest.mark.parametrize("parser", PARSERS)
def test_blanks_around_a_header_value_are_not_sent(processes: Processes, parser: str) -> None:
    """067: h11 would cut the connection; found by the random requests."""
    expected, found = answers(processes["waitress"], processes[parser], RESPOND.planned(**BLANKS), FROM_WAITRESS)
    assert found == expected == Answer(200, (("x-blank", "a"), ("x-empty", "")), b"x")


@pytest.mark.parametrize("value", ["a\vb", "a\fb", "a\x01b", "a\x7fb"])
@pytest.mark.parametrize("parser", PARSERS)
def test_a_header_value_that_uvicorn_refuses_is_the_applications_error(
    processes: Processes, parser: str, value: str
) -> None:
    """067: a 500 with a traceback that names the header, instead of a connection that is cut without a word."""
    found = processes[parser].ask(RESPOND.planned(starts=[["200 OK", [["X-A", value]]]]))
    assert found.status == 500
    with pytest.raises(AppValueError, match="'X-A' contains a line break or NUL"):
        encode_header("X-A", value)


@pytest.mark.parametrize("reference", REFERENCES)
def test_the_page_has_the_rows_that_are_applied(reference: str) -> None:
    assert sorted(page_rows()[reference]) == sorted(entry.name for entry in EXEMPTIONS[reference])


@pytest.mark.parametrize(
    ("reference", "parser", "exemption", "request_"),
    [
        pytest.param(reference, parser, entry, example, id=f"{reference}-{parser}-{entry.name}-{number}")
        for reference in REFERENCES
        for entry in EXEMPTIONS[reference]
        for parser in entry.parsers
        for number, example in enumerate(entry.examples)
    ],
)
def test_a_row_is_still_true_and_explains_its_examples(
    processes: Processes, reference: str, parser: str, exemption: Exemption, request_: Request
) -> None:
    servers = processes[reference], processes[parser]
    others = [entry for entry in EXEMPTIONS[reference] if entry is not exemption]
    expected, found = answers(*servers, request_, others)
    assert found != expected, f"no longer different: {exemption.name}"
    expected, found = answers(*servers, request_, EXEMPTIONS[reference])
    assert found == expected
