"""Programs that use Requests, and the same ones after the fix, against a real server: both do the same (issue 5, row by row of 5.1)."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pytest
import trio

from tests.linter.fixes.httpx_support import Server, closed_port, fixed, run, running_server, same


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


def program(body: str, *, head: str = "") -> str:
    return (
        f"import requests\n{dedent(head)}\n\nasync def main(url: str):\n"
        + indent(dedent(body).strip("\n"), "    ")
        + "\n"
    )


ROWS = {
    "redirects are followed": """
        answer = requests.get(f"{url}/redirect/3", timeout=5)
        return answer.status_code, answer.url, len(answer.history), answer.json()["target"]
    """,
    "redirects are not followed when it says so": """
        answer = requests.get(f"{url}/redirect/3", timeout=5, allow_redirects=False)
        return answer.status_code, answer.is_redirect, answer.headers["Location"], bool(answer.history)
    """,
    "redirects keep or change the method": """
        found = []
        for status in (301, 302, 303, 307, 308):
            answer = requests.post(f"{url}/redirect/1?status={status}", data={"a": "1"}, timeout=5)
            found.append((answer.status_code, answer.json()["method"], answer.json()["body"]))
        return found
    """,
    "head does not follow redirects": """
        first = requests.head(f"{url}/redirect/1", timeout=5)
        second = requests.head(f"{url}/redirect/1", timeout=5, allow_redirects=True)
        third = requests.get(f"{url}/redirect/1", timeout=5)
        return first.status_code, second.status_code, third.status_code
    """,
    "request follows redirects also with HEAD": """
        answer = requests.request("HEAD", f"{url}/redirect/1", timeout=5)
        return answer.status_code
    """,
    "no timeout": """
        return requests.get(f"{url}/slow/0.05").json()
    """,
    "a timeout of two numbers": """
        return requests.get(f"{url}/json", timeout=(3.05, 27)).json()
    """,
    "a timeout of None": """
        return requests.get(f"{url}/json", timeout=None).json()
    """,
    "delete with a body": """
        return requests.delete(f"{url}/things", json={"ids": [1, 2]}, timeout=5).json()["method"]
    """,
    "get with a form": """
        answer = requests.get(f"{url}/things", data={"a": "1"}, timeout=5)
        return answer.json()
    """,
    "options": """
        return requests.options(f"{url}/things", timeout=5).json()
    """,
    "a body of text": """
        return requests.post(f"{url}/x", data="plain text, äöü", timeout=5).json()
    """,
    "a body of bytes": """
        return requests.put(f"{url}/x", b"\\x00\\xff", timeout=5).json()
    """,
    "a body made by json.dumps": """
        import json

        return requests.post(
            f"{url}/x", data=json.dumps({"a": 1}), headers={"Content-Type": "application/json"}, timeout=5
        ).json()
    """,
    "a form": """
        return requests.post(f"{url}/x", data={"a": "b c", "d": "ä&", "n": 1, "many": ["x", "y"]}, timeout=5).json()
    """,
    "booleans in forms and params": """
        first = requests.post(f"{url}/x", data={"on": True, "off": False}, timeout=5).json()
        second = requests.get(f"{url}/x", params={"on": True}, timeout=5).json()
        return first, second
    """,
    "params": """
        return requests.get(f"{url}/x", params={"q": "a b&c", "n": 1, "f": 1.5, "l": ["1", "2"]}, timeout=5).json()["target"]
    """,
    "positional params": """
        return requests.get(f"{url}/x", {"q": "a"}, timeout=5).json()["target"]
    """,
    "no params at all": """
        return requests.get(f"{url}/x", params=None, timeout=5).json()["target"]
    """,
    "headers": """
        token = "abc"
        return requests.get(f"{url}/x", headers={"Authorization": f"Bearer {token}", "X-One": "1"}, timeout=5).json()
    """,
    "json": """
        return requests.post(f"{url}/x", json={"a": [1, None, "ü"]}, timeout=5).status_code
    """,
    "positional data and json": """
        return requests.post(f"{url}/x", None, {"a": 1}, timeout=5).status_code
    """,
    "a request by the name of its method": """
        return requests.request("patch", f"{url}/x", data={"a": "1"}, timeout=5).json()["method"]
    """,
    "keywords for everything": """
        return requests.request(method="PUT", url=f"{url}/x", data=b"1", timeout=5).json()
    """,
    "ok": """
        found = []
        for status in (200, 204, 302, 304, 400, 404, 500):
            answer = requests.get(f"{url}/status/{status}", timeout=5)
            found.append((answer.ok, not answer.ok, [answer.ok, 1], answer.ok == True))
            if answer.ok and status:
                found.append("fine")
            found.append("yes" if not answer.ok else "no")
        return found
    """,
    "ok of a call": """
        return [requests.get(f"{url}/status/{status}", timeout=5).ok for status in (200, 500)]
    """,
    "responses as truth values": """
        found = []
        for status in (200, 404):
            answer = requests.get(f"{url}/status/{status}", timeout=5)
            if answer:
                found.append("true")
            if not answer:
                found.append("false")
            found.append(1 if answer and status else 0)
            found.append(bool(answer))
            if requests.get(f"{url}/status/{status}", timeout=5):
                found.append("true at once")
            if not requests.get(f"{url}/status/{status}", timeout=5):
                found.append("false at once")
            assert answer or status == 404
        return found
    """,
    "None or a response": """
        answer = None
        if url:
            answer = requests.get(f"{url}/json", timeout=5)
        return answer is not None and answer.json()
    """,
    "a named expression": """
        if (answer := requests.get(f"{url}/json", timeout=5)).ok:
            return answer.json()
        if later := requests.get(f"{url}/status/500", timeout=5):
            return later.status_code
    """,
    "url and reason": """
        answer = requests.get(f"{url}/json?a=1", timeout=5)
        text = "%s %s" % (answer.url, answer.reason)
        return text, f"{answer.url} {answer.url:>60} {answer.url!r}", str(answer.url), answer.url.partition("?"), answer.url + "x"
    """,
    "headers of the answer": """
        answer = requests.get(f"{url}/links", timeout=5)
        return (
            answer.headers["x-two"],
            answer.headers.get("X-TWO"),
            answer.headers.get("Nothing", 7),
            "X-Two" in answer.headers,
            "nothing" not in answer.headers,
            answer.links["next"]["url"],
        )
    """,
    "cookies of the answer": """
        answer = requests.get(f"{url}/setcookie", timeout=5)
        return answer.cookies.get("flavour"), answer.cookies["flavour"], answer.cookies.get_dict(), "x" in answer.cookies
    """,
    "cookies given": """
        return requests.get(f"{url}/cookies", cookies={"a": "1", "b": "2"}, timeout=5).json()
    """,
    "cookies within redirects": """
        return requests.get(f"{url}/login", timeout=5).json()
    """,
    "basic authentication": """
        user = "ann"
        return requests.get(f"{url}/basic", auth=(user, "secret"), timeout=5).json()
    """,
    "basic authentication by class": """
        from requests.auth import HTTPBasicAuth

        return requests.get(f"{url}/basic", auth=HTTPBasicAuth("ann", "secret"), timeout=5).json()
    """,
    "digest authentication": """
        with requests.Session() as session:
            session.auth = requests.auth.HTTPDigestAuth("ann", "secret")
            first = session.get(f"{url}/digest", timeout=5).json()
        second = requests.get(f"{url}/digest", auth=requests.auth.HTTPDigestAuth("ann", "secret"), timeout=5).json()
        return first, second
    """,
    "no authentication": """
        return requests.get(f"{url}/basic", auth=None, timeout=5).status_code
    """,
    "verify off": """
        return requests.get(f"{url}/json", verify=False, timeout=5).status_code
    """,
    "arguments that say what is so anyway": """
        return requests.get(f"{url}/json", stream=False, verify=True, proxies=None, timeout=5).status_code
    """,
    "texts": """
        first = requests.get(f"{url}/utf8", timeout=5).text
        second = requests.get(f"{url}/latin", timeout=5).text
        answer = requests.get(f"{url}/untold", timeout=5)
        answer.encoding = "utf-8"
        return first, second, answer.text, answer.content
    """,
    "compressed answers": """
        return requests.get(f"{url}/gzip", timeout=5).json()
    """,
    "raise_for_status": """
        answer = requests.get(f"{url}/json", timeout=5)
        answer.raise_for_status()
        return answer.json()
    """,
    "raise_for_status without following": """
        answer = requests.get(f"{url}/redirect/1", allow_redirects=False, timeout=5)
        answer.raise_for_status()
        return answer.status_code
    """,
    "raise_for_status after head": """
        answer = requests.head(f"{url}/redirect/1", timeout=5)
        if answer.status_code == 302:
            answer.raise_for_status()  # not yet
        return answer.status_code
    """,
    "raise_for_status of 304": """
        answer = requests.get(f"{url}/fresh", headers={"If-None-Match": '"1"'}, timeout=5)
        answer.raise_for_status()
        return answer.status_code
    """,
    "a closed answer": """
        answer = requests.get(f"{url}/json", timeout=5)
        answer.close()
        return answer.status_code
    """,
    "a discarded answer": """
        requests.post(f"{url}/x", json=[], timeout=5)
    """,
    "a stream": """
        pieces = []
        with requests.get(f"{url}/chunked", stream=True, timeout=5) as answer:
            answer.raise_for_status()
            for piece in answer.iter_content(chunk_size=1024):
                pieces.append(piece)
            return answer.status_code, b"".join(pieces)
    """,
    "a stream of a posted body": """
        total = 0
        with requests.post(f"{url}/chunked", data={"a": "1"}, stream=True, timeout=5) as answer:
            for piece in answer.iter_content(700):
                total += len(piece)
        return total
    """,
    "a session": """
        with requests.Session() as session:
            session.headers.update({"X-Session": "1"})
            session.headers["X-More"] = "2"
            session.auth = ("ann", "secret")
            session.get(f"{url}/setcookie", timeout=5)
            answer = session.get(f"{url}/cookies", timeout=5)
            return answer.json(), session.cookies.get_dict(), session.post(f"{url}/x", {"a": "1"}).json()
    """,
    "a session that is assigned": """
        session = requests.Session()
        session.cookies.set("a", "1")
        answer = session.request("GET", f"{url}/cookies", None, None, {"X-Y": "z"})
        session.close()
        return answer.json()
    """,
    "a session on the spot": """
        return requests.Session().get(f"{url}/json", timeout=5).json()
    """,
    "a session and a function": """
        with requests.Session() as session:
            first = session.get(f"{url}/json", timeout=5).json()
            second = requests.get(f"{url}/utf8", timeout=5).text
        return first, second
    """,
    "comprehensions": """
        first = [requests.get(f"{url}/x/{number}", timeout=5).json()["target"] for number in range(3)]
        second = {number: requests.get(f"{url}/x/{number}", timeout=5).status_code for number in range(2)}
        return first, second
    """,
    "loops and branches": """
        found = []
        number = 0
        while number < 3:
            if number == 1:
                answer = requests.get(f"{url}/x/{number}", timeout=5)
            else:
                answer = requests.post(f"{url}/x/{number}", timeout=5)
            found.append(answer.json()["method"])
            number += 1
        return found
    """,
    "strings and comments in what is moved": '''
        found = []
        for number in range(2):
            # about the request
            answer = requests.post(
                f"{url}/x",  # where
                data="""
                kept
            as it is
        """,
                timeout=5,
            )

            text = f"""
        {answer.status_code}
            {
                answer.json()["body"]
            }"""  # and this

        # a stray comment
            found.append(text + "a\\
        b")
        return found
    ''',
    "a URL in a constant": """
        where = "/x"
        return requests.get(url + where, timeout=5).json()["target"]
    """,
    "an answer kept for others": """
        answer = requests.get(f"{url}/json", timeout=5)

        def name() -> str:
            return answer.json()["name"]

        return name(), (lambda: answer.status_code)()
    """,
}


@pytest.mark.parametrize("name", ROWS)
def test_a_program_does_the_same(name: str, server: Server) -> None:
    _, outcome = same(program(ROWS[name]), server)
    assert not outcome.raised, outcome.raised
    assert outcome.asked


@pytest.mark.parametrize(
    "name", ["a session", "ok", "a stream", "redirects are followed", "basic authentication by class"]
)
def test_httpx2_does_the_same(name: str, server: Server) -> None:
    new, _ = same(program(ROWS[name]), server, http_client="httpx2")
    assert "httpx2.AsyncClient" in new
    assert "httpx." not in new


def test_files_in_forms(server: Server, tmp_path: Path) -> None:
    (tmp_path / "report.txt").write_bytes(b"content")
    source = program(
        f"""
        with open("{tmp_path}/report.txt", "rb") as file:
            first = requests.post(f"{{url}}/x", files={{"f": file}}, data={{"a": "1"}}, timeout=5).json()
        second = requests.post(f"{{url}}/x", files={{"f": ("n.txt", b"x", "text/plain")}}, timeout=5).json()
        opened = open("{tmp_path}/report.txt", mode="rb")
        third = requests.post(f"{{url}}/x", files={{"f": opened}}, timeout=5).json()
        opened.close()
        import io

        fourth = requests.post(f"{{url}}/x", files={{"f": ("n.txt", io.BytesIO(b"y").read())}}, timeout=5).json()
        return first["parts"], second["parts"], third["parts"], fourth["parts"]
        """
    )
    _, outcome = same(source, server)
    assert not outcome.raised


FAILURES = {
    "refused": "http://127.0.0.1:{closed}/x",
    "unknown host": "http://nobody.invalid/x",
    "tls": "https://127.0.0.1:{port}/x",
    "slow": "{url}/slow/1.0",
    "dropped": "{url}/drop",
    "cut off": "{url}/cut",
    "broken gzip": "{url}/gzip/broken",
    "redirects for ever": "{url}/forever",
    "status": "{url}/status/503",
    "no JSON": "{url}/broken",
    "no scheme": "127.0.0.1/x",
    "another scheme": "gopher://127.0.0.1/x",
    "fine": "{url}/json",
}
# Handlers as people write them; what each catches must not change.
HANDLERS = {
    "everything": "except requests.RequestException: return 'caught'",
    "exceptions module": "except requests.exceptions.RequestException as error: return 'caught' + str(error)[:0]",
    "connection": "except requests.ConnectionError: return 'connection'",
    "timeout": "except requests.Timeout: return 'timeout'",
    "read timeout": "except requests.exceptions.ReadTimeout: return 'timeout'",
    "both": "except (requests.ConnectionError, requests.Timeout): return 'network'",
    "shown": """except requests.HTTPError as error:
        logging.getLogger("quiet").debug("no: %s", error)
        print(error.response.content, file=io.StringIO())
        return "%s" % bool("{}".format(error)), f"{error}"[:0], error.response is not None, error.response.text
    except (OverflowError, http.client.HTTPException) as error: return repr(error)""",
    "status": "except requests.HTTPError as error: return error.response.status_code, error.response.json()",
    "in order": """except requests.Timeout: return 'timeout'
    except requests.ConnectionError: return 'connection'
    except requests.HTTPError: return 'status'
    except requests.TooManyRedirects: return 'redirects'
    except requests.RequestException: return 'other'""",
    "value error": "except ValueError: return 'value'",
    "os error": "except OSError: return 'os'",
    "json error": "except requests.JSONDecodeError as error: return error.pos",
    "with others": "except (KeyError, requests.RequestException, socket.gaierror): return 'tuple'",
    "suppressed": "",
}
# Where no handler can tell what Requests tells.
KNOWN_TO_DIFFER = {("cut off", "connection"), ("cut off", "both"), ("cut off", "in order")}


@pytest.mark.parametrize("handler", [name for name in HANDLERS if name != "suppressed"])
def test_handlers_catch_what_they_caught(handler: str, server: Server) -> None:
    source = f"""
import http.client
import io
import logging
import socket

import requests


async def main(url):
    try:
        answer = requests.get(url, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()
    {HANDLERS[handler]}
    finally:
        url = None
"""
    new = fixed(source)
    assert "requests." not in new.replace("import requests", "")
    _compare(source, new, server, handler)


def test_a_program_for_trio_stays_one(server: Server) -> None:
    source = """
import requests
import trio


async def main(url):
    await trio.sleep(0)
    try:
        return requests.get(f"{url}/json", timeout=9).json()
    except requests.RequestException:
        return None
"""
    namespace: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        exec(compile(fixed(source), "program.py", "exec", dont_inherit=True), namespace)
        assert trio.run(namespace["main"], server.url)["number"] == 1.5


def test_suppress_counts_as_a_handler(server: Server) -> None:
    source = """
import contextlib

import requests


async def main(url):
    with contextlib.suppress(requests.ConnectionError, KeyError):
        answer = requests.get(url, timeout=TIMEOUT)
        answer.raise_for_status()
        return answer.json()
    return "suppressed"
"""
    _compare(source, fixed(source), server, "connection")


def _compare(before: str, after: str, server: Server, handler: str) -> None:
    port = server.url.rpartition(":")[2]
    differing: set[tuple[str, str]] = set()
    for name, template in FAILURES.items():
        url = template.format(url=server.url, port=port, closed=closed_port())
        target = Server(url)
        timeout = 0.2 if name == "slow" else 20
        first, second = run(before, target, TIMEOUT=timeout), run(after, target, TIMEOUT=timeout)
        assert bool(first.raised) == bool(second.raised) or (name, handler) in KNOWN_TO_DIFFER, (name, first, second)
        if first.value != second.value:
            differing.add((name, handler))
    assert differing <= KNOWN_TO_DIFFER, after
