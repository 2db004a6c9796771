"""What the Requests fixer leaves alone, and the reason that it gives (linter-acceptance 5.1 and 5.4, what is refused of it)."""

from __future__ import annotations

from textwrap import dedent, indent

import pytest

from asgiway_lint.config import NamePattern
from asgiway_lint.fixes.model import Fix, Refusal
from asgiway_lint.fixes.plan import fixes_for
from tests.linter.fixes.httpx_support import PATH, find, offers, only_fix, refusals, settings

HEAD = """\
import asyncio
import contextlib
import threading

import requests
import tenacity
import urllib3
from requests.adapters import HTTPAdapter

from .errors import NETWORK_ERRORS, OwnError

LOCK = threading.Lock()
SHARED = requests.Session()


class Mine(requests.HTTPError):
    pass


ERRORS = (requests.ConnectionError, requests.Timeout)
"""


def function(body: str, *, signature: str = "async def main(self, url, q, client: requests.Session):") -> str:
    return f"{HEAD}\n\n{signature}\n" + indent(dedent(body).strip("\n"), "    ") + "\n"


ARGUMENTS = {
    'requests.get(url, params={"q": "1"})': "query of its own",
    'requests.get("http://h/?a=1", params={"q": "1"})': "query of its own",
    'requests.get(f"http://h/{q}{url}", params={"q": "1"})': "query of its own",
    'requests.get("http://h/", params={"q": q})': "`q` in `params` may be None",
    'requests.get("http://h/", params={"q": None})': "may be None",
    'requests.get("http://h/", params={**q})': "not written out",
    'requests.get("http://h/", params=q)': "not written out",
    'requests.get("http://h/", params="a=1")': "not written out",
    'requests.get("http://h/", params=[("a", "1")])': "a list of pairs",
    'requests.get("http://h/", params={"q": [q]})': "may be None",
    'requests.get("http://h/", params={"q": b"1"})': "is bytes",
    'requests.post("http://h/", data=[("a", "1")])': "a list of pairs",
    'requests.post("http://h/", data=q)': "may be a form, text or a file",
    'requests.post("http://h/", data=open("f", "rb"))': "may be a form, text or a file",
    'requests.post("http://h/", data={"a": q})': "may be None",
    'requests.post("http://h/", data={"a": "1"}, json={})': "both `data` and `json`",
    'requests.post("http://h/", data="x", files={"f": ("n", b"x")})': "a body and files",
    'requests.post("http://h/", files={"f": open("f")})': "text mode",
    'requests.post("http://h/", files={"f": b"x"})': "text mode, or have no name",
    'requests.post("http://h/", files=q)': "`files` is not written out",
    'requests.get("http://h/", headers={"X": None})': "may be None, which httpx refuses",
    'requests.get("http://h/", headers={"X": q.get("x")})': "may be None, which httpx refuses",
    'requests.get("http://h/", headers={"X": 1})': "is no text",
    'requests.get("http://h/", headers={"X": "é"})': "not ASCII",
    'requests.get("http://h/", headers=self.headers)': "`headers` is not written out",
    'requests.get("http://h/", auth=q)': "class of Requests",
    'requests.get("http://h/", auth=HTTPAdapter())': "class of Requests",
    'requests.get("http://h/", verify="/ca.pem")': "file of certificates",
    'requests.get("http://h/", verify=q)': "file of certificates",
    'requests.get("http://h/", cert="/me.pem")': "client certificate",
    'requests.get("http://h/", proxies={"https": "http://p"})': "proxies when a client is made",
    'requests.get("http://h/", hooks={"response": print})': "event hooks",
    'requests.get("http://h/", stream=q)': "whether it streams",
    'requests.get("http://h/", timeout=urllib3.Timeout(3))': "object of urllib3",
    'requests.get("http://h/", nonsense=1)': "no argument `nonsense`",
    'requests.get("http://h/", **q)': "hides what it is called with",
    "requests.get(*q)": "hides what it is called with",
    'requests.get(b"http://h/")': "URL is bytes",
    'requests.get("http://h/",  # where\n        stream=False,  # no\n        timeout=1)': "comment at an argument",
}


@pytest.mark.parametrize("call", ARGUMENTS)
def test_arguments_without_an_exact_counterpart(call: str) -> None:
    (reason,) = refusals(function(f"return {call}.status_code"))
    assert ARGUMENTS[call] in reason


RESPONSES = {
    "return requests.get(url)": "is returned in line",
    "answers.append(requests.get(url))": "is handed on in line",
    "r = requests.get(url)\nreturn r": "is returned in line 25",
    "r = requests.get(url)\nother = r\nreturn other.text": "is handed on",
    "r = requests.get(url)\nr = r.json()\nreturn r": "`r` is something else, too, in line 25",
    "for r in q:\n    r = requests.get(url)\n    r.json()": "`r` is something else, too",
    "r = q\nr = requests.get(url)\nr.json()": "something else",
    "def f():\n    nonlocal r\n    r = 1\nr = requests.get(url)\nr.json()": "shared with a nested function",
    "global r\nr = requests.get(url)\nr.json()": "outside of the function",
    "self.r = requests.get(url)": "is handed on",
    "a = b = requests.get(url)\nreturn a.text": "is handed on",
    "r = requests.get(url)\nreturn r.apparent_encoding": "guesses no encoding",
    "r = requests.get(url)\nreturn r.raw.read()": "urllib3",
    "r = requests.get(url)\nreturn r.next": "prepared request",
    "r = requests.get(url)\nreturn r.request.url": "another class",
    "r = requests.get(url)\nreturn r.connection": "nothing is known about `.connection`",
    "r = requests.get(url)\nreturn dict(r.headers)": "lower case",
    "r = requests.get(url)\nreturn r.headers.items()": "lower case",
    "r = requests.get(url)\nreturn r.cookies": "another class",
    "r = requests.get(url)\nreturn r.history[0].url": "holds responses of httpx",
    "r = requests.get(url)\nreturn r.encoding": "None in Requests",
    "r = requests.get(url)\nr.encoding = 'latin-1'\nreturn r.text": "something else than UTF-8",
    "r = requests.get(url)\nx = r.text\nr.encoding = 'utf-8'\nreturn r.text": "after `.text` was read",
    "r = requests.get(url)\nr.status_code = 3": "changes `.status_code`",
    "r = requests.get(url)\nx = r.raise_for_status()": "returns the response",
    "r = requests.get(url)\nf'{r.ok=}'": "source text with `=`",
    "r = requests.get(url)\nfor line in r.iter_lines():\n    print(line)": "gives bytes",
    "r = requests.get(url)\nreturn getattr(r, q)": "is handed on",
    "r = requests.get(url)\nreturn r and r.json()": "is handed on",
    "r = requests.get(url)\nreturn r == 1": "is handed on",
    "r = requests.get(url, allow_redirects=q)\nx = [r.raise_for_status(), 1]": "returns the response",
    "r = requests.get(url, allow_redirects=q)\nr.raise_for_status(); x = 1": "also raises for redirects and 304",
    "with requests.get(url) as r:\n    pass": "no context manager",
    "r = requests.get(url, stream=True)\nreturn r.text": "without `with`",
    "with requests.get(url, stream=True) as r, LOCK:\n    pass": "other context managers",
    "with requests.get(url, stream=True):\n    pass": "names no response",
    "with requests.get(url, stream=True) as r:\n    x = r.content": "aread",
    "with requests.get(url, stream=True) as r:\n    x = b''.join(r.iter_content(9))": "`async for`",
    "with requests.get(url, stream=True) as r:\n    for x in r.iter_content():\n        pass": "single bytes",
    "with requests.get(url, stream=True) as r:\n    for x in r.iter_content(9, True):\n        pass": "single bytes",
    "with requests.get(url, stream=True) as r:\n    for x in r.iter_lines():\n        pass": "gives bytes",
}


@pytest.mark.parametrize("body", RESPONSES)
def test_responses_that_others_would_see_or_that_differ(body: str) -> None:
    found = refusals(function(body))
    assert RESPONSES[body] in found[0], found


HANDLERS = {
    "except requests.exceptions.SSLError: pass": "a refused connection differently",
    "except requests.exceptions.RetryError: pass": "nothing like",
    "except NETWORK_ERRORS: pass": "cannot be resolved",
    "except self.errors: pass": "cannot be resolved",
    "except ERRORS: pass": "cannot be resolved",
    "except urllib3.exceptions.HTTPError: pass": "about another library",
    "except requests.HTTPError as e: return e.request.url": "is another thing in httpx",
    "except requests.RequestException as e: return e.response.status_code": "is another thing in httpx",
    "except requests.RequestException as e: return e": "is handed on in line",
    "except requests.RequestException as e: return isinstance(e, requests.Timeout)": "used for something else",
    "except (requests.Timeout,  # slow\n            requests.ConnectionError): pass": "comment among the classes",
    "except Mine: pass": "cannot be resolved",
    "except url.Error.lower(): pass": "cannot be resolved",
    "except OwnError: pass\n    except requests.exceptions.SSLError: pass": "a refused connection differently",
    "except requests.HTTPError as e: return e.response": "is another thing in httpx",
    "except requests.HTTPError as e: return e.response.headers": "is another thing in httpx",
    "except requests.HTTPError as e: report(e)": "is handed on in line",
    "except Exception as e: return e.response": "is another thing in httpx",
    "except* requests.RequestException: pass": "`except*`",
    "except requests.exceptions.MissingSchema: pass": "a URL with another scheme differently",
    "except requests.Timeout: pass\n    except requests.exceptions.ChunkedEncodingError: pass": "closed without an answer differently",
}


@pytest.mark.parametrize("handler", HANDLERS)
def test_handlers_that_cannot_be_the_same(handler: str) -> None:
    head = HEAD if "ERRORS: pass" in handler and "NETWORK" not in handler else HEAD.replace("ERRORS = (requests", "# (")
    source = function(
        f"try:\n    r = requests.get(url)\n    r.raise_for_status()\n{handler.replace(chr(10) + '    ', chr(10))}"
    )
    reasons = refusals(source.replace(HEAD, head))
    assert HANDLERS[handler] in reasons[0], reasons


PLACES = {
    "f = lambda: requests.get(url).text": [],
    "return any(requests.get(u).ok for u in url)": ["inside a generator expression"],
    "with LOCK:\n    return requests.get(url).text": ["inside `with LOCK`"],
    "try:\n    pass\nfinally:\n    requests.get(url)": ["in a `finally` block"],
    "self.total += requests.get(url).json()": ["read before the `await`"],
    "send = requests.get\nreturn send(url).text": ["may be something else"],
    "return SHARED.get(url).text": ["is shared: the session is made outside"],
    "return self.session.get(url).text": [],
    "return client.get(url).text": ["is a parameter"],
    "s = requests.Session()\nself.s = s\nreturn s.get(url).text": ["is handed on in line"],
    "s = requests.Session()\nreturn helper(s, s.get(url).text)": ["is handed on in line"],
    "s = requests.Session()\ns.mount('https://', HTTPAdapter(max_retries=3))\nreturn s.get(url).text": ["`s.mount`"],
    "s = requests.Session()\ns.verify = False\nreturn s.get(url).text": ["`s.verify` has no counterpart"],
    "s = requests.Session()\ns.proxies = q\nreturn s.get(url).text": ["`s.proxies` has no counterpart"],
    "s = requests.Session()\ns.params = q\nreturn s.get(url).text": ["`s.params` has no counterpart"],
    "s = requests.Session()\ns.headers.update(q)\nreturn s.get(url).text": [
        "headers of the session are not written out"
    ],
    "s = requests.Session()\ns.auth = q\nreturn s.get(url).text": ["class of Requests"],
    "s = requests.Session()\ntry:\n    s.get(url)\nfinally:\n    s.close()": ["has to be awaited in a `finally`"],
    "if q:\n    s = requests.Session()\nreturn s.get(url).text": ["outside of the block that makes it"],
    "s = requests.Session() if q else None\nreturn s.get(url).text": ["nothing shows that"],
    "with requests.Session() as s, open(q):\n    return s.get(url).text": ["other context managers"],
    "with requests.Session() as s:\n    pass\nreturn s.get(url).text": ["after its `with`"],
    "for u in url:\n    requests.get(u, cookies=q)": ["cookies per client"],
    "requests.get(url, cookies=q)\nrequests.get(url)": ["cookies per client", "FIX"],
    "requests.get(url, verify=False)\nrequests.get(url)": ["`verify` per client", "FIX"],
}


@pytest.mark.parametrize("body", PLACES)
def test_places_and_sessions(body: str) -> None:
    source = function(body, signature="async def main(self, url, q, client: requests.Session):")
    if not PLACES[body]:
        assert not [offer for offer in offers(source) if isinstance(offer, Fix)]
        return
    found = refusals(source)
    assert len(found) == len(PLACES[body])
    for wanted, reason in zip(PLACES[body], found, strict=True):
        assert wanted in reason, found


def test_a_session_of_the_object_stays() -> None:
    source = """
import requests


class Desk:
    def __init__(self):
        self.session = requests.Session()

    async def ask(self, url):
        return self.session.get(url).text
"""
    assert "`self.session` is shared" in refusals(source)[0]


def test_refused_and_allowed_requests_part_company_where_they_can() -> None:
    source = function(
        """
        first = requests.get(url)
        second = requests.get(url, proxies=q)
        return first.text, second.text
        """
    )
    fix, refusal = offers(source)
    assert isinstance(fix, Fix)
    assert len(fix.removes) == 1
    assert isinstance(refusal, Refusal)


@pytest.mark.parametrize(
    "body",
    [
        "if q:\n    r = requests.get(url)\nelse:\n    r = requests.get(url, proxies=q)\nreturn r.text",
        "try:\n    requests.get(url)\n    requests.get(url, proxies=q)\nexcept requests.Timeout:\n    pass",
        "with requests.Session() as s:\n    s.get(url)\n    s.get(url, proxies=q)",
    ],
)
def test_what_shares_a_variable_a_handler_or_a_session_stays_together(body: str) -> None:
    found = refusals(function(body))
    assert len(found) == 2
    (because,) = [reason for reason in found if not reason.startswith("httpx takes")]
    assert any(text in because for text in ("goes together with line", "something else, too", "stays, under the same"))


def test_a_helper_under_the_same_handler_keeps_its_exceptions() -> None:
    source = """
import requests


def helper(url):
    return requests.get(url).text


async def main(url):
    try:
        return requests.get(url).text + helper(url)
    except requests.Timeout:
        return ""
"""
    assert "through a helper, under the same handlers" in refusals(source)[0]


def test_a_call_that_somebody_has_accepted_is_not_touched() -> None:
    source = """
import requests


async def main(url):
    try:
        first = requests.get(url).text
        return first + requests.get(url).text  # noqa: AW102
    except requests.Timeout:
        return ""
"""
    findings = [finding for finding in find(source) if finding.line == 7]
    ((finding, found),) = fixes_for(source.encode(), PATH, settings(), findings).items()
    assert finding.line == 7
    (refusal,) = (offer for offer in found if offer.name == "httpx")
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "line 8 stays, under the same handlers"


@pytest.mark.parametrize(
    "around",
    [
        "async def other(url):\n    try:\n        return await main(url)\n    except requests.RequestException:\n        return None",
        "class A:\n    async def f(self, url):\n        with contextlib.suppress(requests.Timeout):\n            await self.main(url)",
    ],
)
def test_callers_that_catch_the_exceptions_of_requests(around: str) -> None:
    source = f"{HEAD}\n\nasync def main(url):\n    return requests.get(url).text\n\n\n{around}\n".replace(
        "ERRORS = (requests", "# ("
    )
    assert "its caller catches" in refusals(source)[0]


def test_decorators_that_know_the_exceptions_of_requests() -> None:
    source = function(
        "return requests.get(url).text",
        signature="@tenacity.retry(retry=tenacity.retry_if_exception_type(requests.Timeout))\nasync def main(url):",
    ).replace("ERRORS = (requests", "# (")
    assert "used for something else than to catch it" in refusals(source)[0]


@pytest.mark.parametrize("client", ["aiohttp", "niquests"])
def test_other_clients_are_only_named(client: str) -> None:
    assert f"the settings choose {client}" in refusals(function("return requests.get(url).text"), http_client=client)[0]


def test_a_replacement_of_the_project_is_respected() -> None:
    source = function("return requests.get(url).text")
    found = refusals(source, replacements=(NamePattern("requests.*", "acme.http.client"),))
    assert "the settings name `acme.http.client`" in found[0]


def test_a_fix_says_why_it_is_unsafe_what_it_needs_and_what_to_look_at() -> None:
    fix = only_fix(function("answer = requests.post(url, json=q)\nreturn answer.text"))
    assert fix.applicability == "unsafe"
    assert "requests.RequestException" in fix.reason
    assert fix.requires == ("httpx",)
    notes = "\n".join(fix.notes)
    assert "there is still no timeout" in notes
    assert "signature" in notes
    assert "UTF-8" in notes
    assert "`requests.post`" in fix.title
