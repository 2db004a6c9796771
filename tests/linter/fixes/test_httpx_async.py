"""The synchronous half of httpx -> its asynchronous one: the same against a real server, the text, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import dedent, indent

import pytest

from asgiway_lint.fixes.model import Fix
from tests.linter.fixes.httpx_support import Server, fixed, offers, refusals, running_server, same


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


def program(body: str, library: str = "httpx") -> str:
    text = indent(dedent(body).strip("\n"), "    ")
    return f"import {library}\n\n\nasync def main(url):\n{text}\n".replace("httpx.", f"{library}.")


PROGRAMS = [
    "return httpx.get(f'{url}/json', timeout=9).json()",
    "r = httpx.post(f'{url}/x', data={'a': '1'}, headers={'X-A': 'b'})\nreturn r.json(), r.is_error, r.elapsed is not None",
    "return [httpx.get(f'{url}/x/{n}', follow_redirects=True).json()['target'] for n in range(2)]",
    "return httpx.get(f'{url}/redirect/1').status_code, httpx.request('DELETE', f'{url}/x', content=b'1').json()",
    "r = httpx.get(f'{url}/cookies', cookies={'a': '1'}, timeout=9, verify=False, trust_env=False)\nreturn r.json()",
    "return httpx.get(f'{url}/basic', auth=('ann', 'secret')).json(), httpx.head(url, auth=httpx.DigestAuth('a', 'b')).text",
    "try:\n    httpx.get(f'{url}/status/404').raise_for_status()\nexcept httpx.HTTPStatusError as error:\n    return error.response.json()",
    """
    with httpx.Client(base_url=url, headers={"A": "b"}, auth=("a", "b")) as client:
        client.headers["X-More"] = "c"
        client.get("/setcookie")
        first = client.get("/cookies").json()
        return first, dict(client.cookies), client.post("/x", json={"a": 1}).status_code
    """,
]


@pytest.mark.parametrize("library", ["httpx", "httpx2"])
@pytest.mark.parametrize("body", PROGRAMS)
def test_a_program_does_the_same(body: str, library: str, server: Server) -> None:
    new, outcome = same(program(body, library), server, fixer="httpx-async")
    assert not outcome.raised
    assert f"async with {library}.AsyncClient(" in new


def test_the_text_around_stays() -> None:
    before = """
import httpx
async def f(url):
    # ask
    first = httpx.get(url, verify=False, timeout=3).text  # now
    with httpx.Client(timeout=3) as client:  # mine
        second = client.get(url).text
    return first + second
"""
    after = """
import httpx
async def f(url):
    # ask
    async with httpx.AsyncClient(verify=False) as http_client:
        first = (await http_client.get(url, timeout=3)).text  # now
    async with httpx.AsyncClient(timeout=3) as client:  # mine
        second = (await client.get(url)).text
    return first + second
"""
    assert fixed(before, fixer="httpx-async") == after


REFUSED = {
    "return httpx.get(url, auth=url)": "authenticate synchronously",
    "return httpx.post(url, content=open(url))": "cannot send",
    "return httpx.post(url, **url)": "hides what it is called with",
    "return httpx.get(verify=False, url=url)": "first argument would move",
    "return httpx.get(url, verify=ssl())": "worked out on the spot",
    "for u in url:\n    httpx.get(u, verify=False)": "which other requests use, too",
    "r = httpx.get(url)\nr.close()": "is synchronous",
    "return any(httpx.get(u) for u in url)": "inside a generator expression",
    "with httpx.stream('GET', url) as r:\n    return r.read()": "no rewrite is known",
    "return httpx.Client().get(url)": "made on the spot",
    "client = httpx.Client()\nreturn client.get(url)": "not made by a `with`",
    "with httpx.Client(transport=url) as client:\n    return client.get(url)": "may be synchronous",
    "with httpx.Client(**url) as client:\n    return client.get(url)": "hides its arguments",
    "with httpx.Client() as client:\n    client.get(url)\n    other(client)": "is handed on",
    "with httpx.Client() as client:\n    client.get(url)\n    client.build_request('GET', url)": "stays synchronous",
    "with httpx.Client() as client, open(url):\n    client.get(url)": "a `with` of its own",
    "get = httpx.get\nreturn get(url)": "may be something else",
}


@pytest.mark.parametrize("body", REFUSED)
def test_refusals(body: str) -> None:
    found = refusals(program(body), fixer="httpx-async")
    assert REFUSED[body] in found[0], found


def test_what_the_fix_says() -> None:
    (offer,) = offers(program("return [httpx.get(u).text for u in url]"), fixer="httpx-async")
    assert isinstance(offer, Fix)
    assert offer.applicability == "unsafe"
    assert any("cookies" in note for note in offer.notes)
    assert offer.title == "Use an `httpx.AsyncClient` in `main`"
