"""Random functions that use Requests: after the fix they parse, do the same against a real server, and stay fixed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.linter.fixes.httpx_support import Server, find, fix_source, run, running_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server() as running:
        yield running


# Each example runs a program twice; how long that takes is the machine's affair.
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
PATHS = st.sampled_from(
    ["/json", "/status/404", "/status/500", "/redirect/2", "/utf8", "/gzip", "/x?a=1", "/broken", "/cut"]
)
CALLS = st.sampled_from(
    [
        "requests.get({url}, timeout=9)",
        "requests.get({url})",
        "requests.get({url}, allow_redirects=False, timeout=9)",
        "requests.head({url}, timeout=9)",
        "requests.post({url}, data={'a': 'b'}, timeout=9)",
        "requests.post({url}, 'text', headers={'X-A': 'b'}, timeout=9)",
        "requests.delete({url}, json=[1], timeout=9)",
        "requests.request('put', {url}, data=b'1', timeout=9)",
        "requests.get(\n    {url},  # where to\n    headers={\n        'X-B': '''a'''\n    },\n\n    timeout=9,\n)",
        "requests.Session().get({url}, timeout=9)",
        "requests.get({url}, verify=True, timeout=9, stream=False)",
    ]
)  # fmt: skip
VALUES = st.sampled_from(
    [
        "{r}.status_code",
        "{r}.ok",
        "not {r}.ok",
        "({r}.ok, {r}.reason)",
        "[{r}.ok == True]",
        "{r}.url",
        "{r}.url[-3:] + {r}.text",
        "f'{{{r}.status_code}} {{{r}.ok}}'",
        "len({r}.content)",
        "{r}.json()",
        "1 if {r} else 2",
        "bool({r}) and {r}.ok",
        "{r}.headers.get('Content-Type', 'none')",
        "'location' in {r}.headers",
        "{r}.is_redirect",
    ]
)
HANDLERS = st.sampled_from(
    [
        "except requests.RequestException:",
        "except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, requests.HTTPError, ValueError):",
        "except requests.HTTPError as error:\n    out.append(error.response.status_code)\nexcept requests.RequestException:",
        "except OSError:",
        "except Exception as error:\n    out.append(bool(error.__traceback__))\nexcept BaseException:\n    raise\nelse:",
        "except requests.exceptions.JSONDecodeError:\n    out.append(0)\nexcept requests.exceptions.RequestException:",
    ]
)


def shifted(text: str) -> str:
    """One level to the right, as a person would: what is in a string, too, for strings that mind."""
    return "\n".join("    " + line if line.strip() else line for line in text.split("\n"))


@st.composite
def url(draw: st.DrawFn) -> str:
    path = draw(PATHS)
    return draw(st.sampled_from([f"url + {path!r}", f'f"{{url}}{path}"', f"url + {path!r} + ''"]))


@st.composite
def simple(draw: st.DrawFn) -> str:
    call = draw(CALLS).replace("{url}", draw(url()))
    name = draw(st.sampled_from(["a", "b"]))
    value = draw(VALUES)
    form = draw(st.integers(0, 6))
    comment = draw(st.sampled_from(["", "  # note", "  # requests.get(url)"]))
    if form == 0:
        return f"out.append({value.format(r=call)}){comment}" if value.count("{r}") == 1 else f"{call}{comment}"
    if form == 1:
        return f"{name} = {call}{comment}\nout.append({value.format(r=name)})"
    if form == 2:
        return f"{name} = {call}\n{name}.raise_for_status(){comment}\n\nout.append({value.format(r=name)})"
    if form == 3:
        return f"if ({name} := {call}).ok:{comment}\n    out.append({value.format(r=name)})"
    if form == 4:
        return f'out.append("""\n  text\n# no comment\n""")\n{name} = {call}{comment}\nout.append(str({value.format(r=name)}) + """\nx""")'
    if form == 5:
        return f"out += [{value.format(r=name)} for {name}_ in range(2) if ({name} := {call})]{comment}"
    return f"with requests.Session() as s{name}:{comment}\n    {name} = s{name}.get({draw(url())}, timeout=9)\n    out.append({value.format(r=name)})"


def blocks(children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    @st.composite
    def block(draw: st.DrawFn) -> str:
        body = shifted("\n".join(draw(st.lists(children, min_size=1, max_size=3))))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            return f"if url:\n{body}\nelif out:\n    pass\n    # footer"
        if kind == 1:
            return f"for number in range(2):\n    # {kind}\n{body}"
        if kind in (2, 3):
            return f"try:\n{body}\n{draw(HANDLERS)}\n    out.append('caught')"
        return f"while len(out) < 3:\n{body}\n    out.append(1)"

    return block()


FUNCTIONS = st.lists(st.recursive(simple(), blocks, max_leaves=4), min_size=1, max_size=4)


def program(statements: list[str]) -> str:
    body = shifted("\n".join(statements))
    return f"import requests\n\n\nasync def main(url: str):\n    out = []\n{body}\n    return out\n"


REWRITTEN: list[bool] = []


def check(statements: list[str], server: Server) -> None:
    """Threads take over what the fixer refuses; together they do the same as before."""
    source = program(statements)
    new, applied = fix_source(source, others=True)
    REWRITTEN.append({fix.name for fix in applied.fixes} == {"httpx"})
    before, after = run(source, server), run(new, server)
    assert bool(after.raised) == bool(before.raised), (before, after, new)
    assert (after.value, after.asked) == (before.value, before.asked), new


@given(statements=FUNCTIONS)
@hypothesis_settings(max_examples=25, suppress_health_check=SLOW, deadline=None, derandomize=True)
def test_random_functions_do_the_same(server: Server, statements: list[str]) -> None:
    check(statements, server)


@pytest.mark.long
@given(statements=FUNCTIONS)
@hypothesis_settings(max_examples=600, suppress_health_check=SLOW, deadline=None)
def test_many_random_functions_do_the_same(server: Server, statements: list[str]) -> None:
    check(statements, server)


def test_most_random_functions_need_no_thread() -> None:
    if REWRITTEN:  # by the test above, unless this one runs alone
        assert sum(REWRITTEN) > len(REWRITTEN) / 2


def test_the_generator_makes_requests() -> None:
    found = find(program(["out.append(requests.get(url).ok)", "requests.post(url)"]))
    assert [finding.symbol for finding in found if finding.code == "AW102"] == ["requests.get", "requests.post"]
