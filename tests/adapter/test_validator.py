"""033: conforming applications see nothing of the adapter that wsgiref.validate would complain of, on every event loop.

Those with bodies, with write(), with generators, with errors: the same ones that the wire tests run behind servers.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.validate import validator

import pytest

from asgiway import WSGIMiddleware
from tests.adapter.support import call
from tests.adapter.wire_support import programs_lifecycle, programs_neighbours, programs_request, programs_response
from tests.adapter.wire_support.conforming import CONFORMING
from tests.adapter.wire_support.programs import conformance_app

pytestmark = pytest.mark.anyio

assert [programs_lifecycle, programs_neighbours, programs_request, programs_response]


def headers_of(program: str, body: bytes) -> list[tuple[bytes, bytes]]:
    headers = [(b"host", b"test"), (b"x-program", program.encode()), (b"x-key", b"validator")]
    return [*headers, (b"content-length", b"%d" % len(body))] if body else headers


@pytest.mark.parametrize("program", CONFORMING)
async def test_033_programs_pass_the_validator(program: str) -> None:
    method, target, body = CONFORMING[program]
    path, _, query = target.partition("?")
    scope: dict[str, Any] = {
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": headers_of(program, body),
    }
    plain = await call(WSGIMiddleware(conformance_app), method, body=(body,), **scope)
    checked = await call(WSGIMiddleware(validator(conformance_app)), method, body=(body,), **scope)
    assert checked.complete
    assert (checked.status, checked.body) == (plain.status, plain.body) or program in ("environ", "digest")
    assert checked.status == (500 if program == "exc_info_replaces" else 201 if program == "lazy" else 200)


async def test_033_the_validator_is_really_there() -> None:
    with pytest.raises(AssertionError):
        await call(WSGIMiddleware(validator(conformance_app)), headers=headers_of("never_started", b""))
