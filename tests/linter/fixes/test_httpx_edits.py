"""What the text looks like after the Requests fixer: where the client is opened, and that everything else stays as it was."""

from __future__ import annotations

from textwrap import dedent

import pytest

from asgiway_lint.fixes.model import Fix
from tests.linter.fixes.httpx_support import fixed, offers, only_fix


def check(before: str, after: str) -> None:
    assert fixed(dedent(before)) == dedent(after)


def test_the_client_is_around_the_request_alone() -> None:
    check(
        '''
        import httpx
        import requests


        async def rates(url: str) -> dict[str, float]:
            """Ask."""
            # the address first
            where = url + "/rates"

            # then the question
            answer = requests.get(where, timeout=2)  # at once
            answer.raise_for_status()
            return answer.json()
        ''',
        '''
        import httpx
        import requests


        async def rates(url: str) -> dict[str, float]:
            """Ask."""
            # the address first
            where = url + "/rates"

            # then the question
            async with httpx.AsyncClient(follow_redirects=True) as client:
                answer = await client.get(where, timeout=2)  # at once
            answer.raise_for_status()
            return answer.json()
        ''',
    )


def test_one_client_from_the_first_request_to_the_last() -> None:
    check(
        """
        import requests
        async def f(url):
            if url:
                first = requests.get(url)

                # between
                print(first.status_code)
            elif requests.head(url).ok:
                pass
            # after
            return 1
        """,
        """
        import httpx
        import requests
        async def f(url):
            async with httpx.AsyncClient(follow_redirects=True, timeout=None) as client:
                if url:
                    first = await client.get(url)

                    # between
                    print(first.status_code)
                elif not (await client.head(url, follow_redirects=False)).is_error:
                    pass
            # after
            return 1
        """,
    )


def test_a_branch_that_holds_all_requests_holds_the_client() -> None:
    check(
        """
        import requests
        async def f(url):
            match url:
                case "a":
                    return 1
                case _:
                    first = requests.get(url, timeout=1)
                    second = requests.get(url, timeout=1)
                    return first.text + second.text
        """,
        """
        import httpx
        import requests
        async def f(url):
            match url:
                case "a":
                    return 1
                case _:
                    async with httpx.AsyncClient(follow_redirects=True) as client:
                        first = await client.get(url, timeout=1)
                        second = await client.get(url, timeout=1)
                    return first.text + second.text
        """,
    )


def test_no_client_is_opened_in_a_loop() -> None:
    check(
        """
        import requests
        async def f(urls):
            for group in urls:
                while group:
                    yield requests.get(group.pop(), timeout=1).text
            else:
                print()
        """,
        """
        import httpx
        import requests
        async def f(urls):
            async with httpx.AsyncClient(follow_redirects=True) as client:
                for group in urls:
                    while group:
                        yield (await client.get(group.pop(), timeout=1)).text
                else:
                    print()
        """,
    )


def test_handlers_names_and_imports() -> None:
    check(
        '''
        """Doc."""
        from requests import exceptions, get


        async def client(client):
            try:
                return get(client, timeout=1).json()
            except exceptions.RequestException as error:
                raise RuntimeError(f"no: {error}") from error
        ''',
        '''
        """Doc."""
        import json

        import httpx
        from requests import exceptions, get


        async def client(client):
            try:
                async with httpx.AsyncClient(follow_redirects=True) as http_client:
                    return (await http_client.get(client, timeout=1)).json()
            except (httpx.HTTPError, httpx.InvalidURL, json.JSONDecodeError) as error:
                raise RuntimeError(f"no: {error}") from error
        ''',
    )


def test_a_literal_url_needs_fewer_exceptions() -> None:
    check(
        """
        import httpx
        import requests
        async def f():
            try:
                requests.get("http://rates.example/latest", timeout=1)
            except (requests.ConnectionError, requests.Timeout):
                pass
            except OSError:
                pass
        """,
        """
        import httpx
        import requests
        async def f():
            try:
                async with httpx.AsyncClient(follow_redirects=True) as client:
                    await client.get("http://rates.example/latest", timeout=1)
            except httpx.TransportError:
                pass
            except (OSError, httpx.HTTPError):
                pass
        """,
    )


def test_names_that_are_imported_already_are_used() -> None:
    check(
        """
        import requests
        from httpx import AsyncClient
        async def f(url):
            return requests.get(url, timeout=1).text
        """,
        """
        import requests
        from httpx import AsyncClient
        async def f(url):
            async with AsyncClient(follow_redirects=True) as client:
                return (await client.get(url, timeout=1)).text
        """,
    )


def test_what_httpx_means_elsewhere_in_the_file_stays() -> None:
    source = """
import requests


def httpx():
    return 1


async def f(url):
    return requests.get(url, timeout=1).text
"""
    new = fixed(source)
    assert "from httpx import AsyncClient" in new
    assert "async with AsyncClient(follow_redirects=True) as client:" in new


def test_annotations_of_responses() -> None:
    check(
        """
        import httpx
        import requests
        async def f(url):
            answer: requests.Response | None = None
            if url:
                answer = requests.get(url, timeout=1)
            return answer
        """.replace("return answer", "return answer.text if answer is not None else ''"),
        """
        import httpx
        import requests
        async def f(url):
            answer: httpx.Response | None = None
            if url:
                async with httpx.AsyncClient(follow_redirects=True) as client:
                    answer = await client.get(url, timeout=1)
            return answer.text if answer is not None else ''
        """,
    )


def test_sessions_become_clients() -> None:
    check(
        """
        import httpx
        import requests
        async def f(url):
            with requests.Session() as session:  # one
                session.headers["A"] = "b"
                return session.get(url).text
        async def g(url):
            # made here
            session = requests.Session()  # two
            first = session.get(url, timeout=1)

            # last use
            second = session.post(url, json={}, timeout=1)
            return first.text, second.text
        """,
        """
        import httpx
        import requests
        async def f(url):
            async with httpx.AsyncClient(follow_redirects=True, timeout=None) as session:  # one
                session.headers["A"] = "b"
                return (await session.get(url)).text
        async def g(url):
            # made here
            async with httpx.AsyncClient(follow_redirects=True) as session:  # two
                first = await session.get(url, timeout=1)

                # last use
                second = await session.post(url, json={}, timeout=1)
            return first.text, second.text
        """,
    )


def test_a_session_inside_of_what_the_function_s_client_is_around() -> None:
    check(
        """
        import httpx
        import requests
        async def f(url):
            first = requests.get(url, timeout=1)
            session = requests.Session()
            second = session.get(url, timeout=1)
            third = requests.get(url, timeout=1)
            return first.text, second.text, third.text
        """,
        """
        import httpx
        import requests
        async def f(url):
            async with httpx.AsyncClient(follow_redirects=True) as client:
                first = await client.get(url, timeout=1)
                async with httpx.AsyncClient(follow_redirects=True) as session:
                    second = await session.get(url, timeout=1)
                third = await client.get(url, timeout=1)
            return first.text, second.text, third.text
        """,
    )


def test_strings_that_run_over_lines_keep_their_text() -> None:
    check(
        '''
        import httpx
        import requests
        async def f(url):
            for query in ("""
        a
          b""", "c\\
        d"):
                text = f"""
          {
              query
          }
        """
                # comment
        # further left
                requests.post(url,
                    data=text, timeout=1)  # done
        ''',
        '''
        import httpx
        import requests
        async def f(url):
            async with httpx.AsyncClient(follow_redirects=True) as client:
                for query in ("""
        a
          b""", "c\\
        d"):
                    text = f"""
          {
              query
          }
        """
                    # comment
            # further left
                    await client.post(url,
                        content=text, timeout=1)  # done
        ''',
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("indent", ["\t", "  ", "    "])
def test_line_ends_and_indentation_are_the_file_s_own(newline: str, indent: str) -> None:
    lines = [
        "import httpx",
        "import requests",
        "async def f(url):",
        "\treal = requests.get(url, allow_redirects=False, timeout=1)",
        "",
        "\treal.raise_for_status()",
        "\treturn real.text",
        "",
    ]
    expected = [
        "import httpx",
        "import requests",
        "async def f(url):",
        "\tasync with httpx.AsyncClient() as client:",
        "\t\treal = await client.get(url, follow_redirects=False, timeout=1)",
        "",
        "\tif real.is_error:",
        "\t\treal.raise_for_status()",
        "\treturn real.text",
        "",
    ]
    before, after = (newline.join(each).replace("\t", indent) for each in (lines, expected))
    assert fixed(before) == after


def test_headers_from_elsewhere_may_ask_for_not_modified() -> None:
    check(
        """
        import httpx
        import requests
        async def f(url, headers: dict[str, str]):
            answer = requests.get(url, headers=headers, timeout=1)
            answer.raise_for_status()
        """,
        """
        import httpx
        import requests
        async def f(url, headers: dict[str, str]):
            async with httpx.AsyncClient(follow_redirects=True) as client:
                answer = await client.get(url, headers=headers, timeout=1)
            if answer.is_error:
                answer.raise_for_status()
        """,
    )


def test_mixed_indentation_is_refused() -> None:
    source = "import requests\nasync def f(url):\n    if url:\n    \trequests.get(url)\n"
    (refusal,) = offers(source)
    assert "mixes tabs and blanks" in getattr(refusal, "reason", "")


def test_a_body_in_the_line_of_its_def_is_refused() -> None:
    (refusal,) = offers("import requests\nasync def f(url): return requests.get(url).text\n")
    assert "in the line of its `def`" in getattr(refusal, "reason", "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("x = [requests.get(u, timeout=1).ok for u in url]", "x = [not (await client.get(u, timeout=1)).is_error for u in url]"),
        ("x = not requests.get(url, timeout=1).ok", "x = (await client.get(url, timeout=1)).is_error"),
        ("x = requests.get(url, timeout=1).ok is True", "x = (not (await client.get(url, timeout=1)).is_error) is True"),
        ("x = (requests.get(url, timeout=1)).url", "x = str((await client.get(url, timeout=1)).url)"),
        ("x = f'{requests.get(url, timeout=1).reason}'", "x = f'{(await client.get(url, timeout=1)).reason_phrase}'"),
        ("return-requests.get(url, timeout=1).status_code", "return-(await client.get(url, timeout=1)).status_code"),
        ("x = 2 ** requests.get(url, timeout=1).json()", "x = 2 ** (await client.get(url, timeout=1)).json()"),
        (
            "x = requests.get(\n        url,\n        timeout=1,\n        stream=False,\n    ).text",
            "x = (await client.get(\n            url,\n            timeout=1,\n        )).text",
        ),
        ("requests.post(url, {'a': '1'}, timeout=1)", "await client.post(url, data={'a': '1'}, timeout=1)"),
        ("requests.delete(url, json=1, timeout=1)", 'await client.request("DELETE", url, json=1, timeout=1)'),
        ("requests.get(url, verify=True, timeout=1)", "await client.get(url, timeout=1)"),
        ("requests.get(url, timeout=1, verify=True,)", "await client.get(url, timeout=1,)"),
        ("x = 1; requests.get(url, timeout=1); y = 2", "x = 1; await client.get(url, timeout=1); y = 2"),
    ],
)  # fmt: skip
def test_expressions(before: str, after: str) -> None:
    head = "import httpx\nimport requests\nasync def f(url):\n"
    header = "    async with httpx.AsyncClient(follow_redirects=True) as client:\n        "
    assert fixed(f"{head}    {before}\n") == f"{head}{header}{after}\n"


def test_httpx2_is_named_and_needed() -> None:
    source = "import requests\nasync def f(url):\n    return requests.get(url, timeout=1).text\n"
    fix = only_fix(source, http_client="httpx2")
    assert fix.requires == ("httpx2",)
    assert "httpx2.AsyncClient" in fixed(source, http_client="httpx2")
    assert "`httpx2.AsyncClient`" in fix.title


def test_two_functions_are_two_fixes_and_one_import() -> None:
    new = fixed(
        """
import requests


async def f(url):
    return requests.get(url, timeout=1).text


class A:
    async def g(self, url):
        async def inner():
            return requests.get(url, timeout=1).text

        return await inner() + requests.get(url, timeout=1).text
"""
    )
    assert new.count("import httpx") == 1
    assert new.count("async with") == 3


def test_a_call_that_its_f_string_has_no_room_for_stays_alone() -> None:
    source = """
import requests


async def f(url):
    first = requests.get(url, timeout=1).text
    return first + f"{requests.delete(url, json=1, timeout=1).text}"
"""
    fix, refusal = offers(source)
    assert isinstance(fix, Fix)
    assert [finding.line for finding in fix.removes] == [6]
    assert "f-string" in getattr(refusal, "reason", "")


def test_what_is_refused_asks_for_no_import() -> None:
    source = """
import requests


async def f(url):
    first = requests.get(url, timeout=1).text
    try:
        second: requests.Response = requests.get(url, timeout=1)
        return first, second.json(), requests.get(url, proxies=url)
    except requests.RequestException:
        return None
"""
    (fix,) = (offer for offer in offers(source) if isinstance(offer, Fix))
    assert [needed.module for needed in fix.imports] == ["httpx"]
