"""What holds of every fix, whatever the program: it parses, a second run changes nothing, comments stay, the finding is gone, the rest is as it was.

Issue 5, section 1. Programs are put together from blocking calls and the places where calls stand.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgiway_lint.comments import find_comments
from asgiway_lint.config import Settings
from asgiway_lint.fixes.plan import is_native
from tests.linter.fixes.support import SETTINGS, applied, findings_of, with_library

HEADS = [
    "import os\nimport time\nfrom pathlib import Path\n\nimport requests\n",
    '"""Doc."""\n\nfrom __future__ import annotations\n\nimport os, time, requests\nfrom pathlib import Path\n',
    "import requests  # why\nimport asyncio as aio\nimport os.path\nimport time\nfrom pathlib import Path\n",
    "#!/usr/bin/env python\n\nimport time; import os\nimport requests\nfrom pathlib import (\n    Path,\n)\n\nasyncio = 1\n",
    "import asyncio\nimport os\nimport pathlib\nimport time\nfrom pathlib import Path\nimport requests\nto_thread = sleep = None\n",
]
HELPERS = "\n\ndef helper(y=1):\n    time.sleep(y)\n    return [y]\n\n\ndef lines():\n    time.sleep(1)\n    yield 1\n"
CALLS = st.sampled_from(
    [
        "time.sleep(1)",
        "time.sleep( x )",
        "os.stat(x)",
        "os.listdir(x)",
        "os.makedirs(x, exist_ok=True)",
        "requests.get(x)",
        "requests.get(x, timeout=(1, 2), headers={'a': '#'})",
        "requests.post(\n    x,  # c1\n    json=x,\n    # c2\n)",
        "requests.post(*x, **x)",
        "requests.post(x, data=(y for y in x))",
        "Path(x).read_text()",
        "(Path(x) / 'a').exists()",
        "Path(x).joinpath('b').write_text('''a\n  b''')",
        "sorted(Path(x).glob('*'))",
        "Path(x).iterdir()",
        "helper()",
        "helper(os.stat(x))",
        "helper(y=time.sleep(1))",
        "lines()",
        "open(x, 'w')",
        "x.plain(1)",
    ]
)
EXPRESSIONS = st.recursive(
    CALLS,
    lambda inner: st.one_of(
        st.builds("{}.attribute".format, inner),
        st.builds("{}[0]".format, inner),
        st.builds("({})".format, inner),
        st.builds("-{}".format, inner),
        st.builds("not {}".format, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("({} ** {})".format, inner, inner),
        st.builds("[{}, *{}]".format, inner, inner),
        st.builds("[{} for y in x]".format, inner),
        st.builds("[y for y in {} if {}]".format, inner, inner),
        st.builds("any({} for y in {})".format, inner, inner),
        st.builds("(lambda: {})()".format, inner),
        st.builds("x({}, key={})".format, inner, inner),
        st.builds("os.stat({})".format, inner),
        st.builds("({} if {} else x)".format, inner, inner),
        st.builds("(z := {})".format, inner),
    ),
    max_leaves=4,
)
COMMENTS = st.sampled_from(["", "", "", "  # why", "  # noqa: E501", "  # noqa: AW101", " #: x"])


def _indented(text: str) -> str:
    # Strings of several lines are left alone.
    return "\n".join(("    " + line if not line.startswith("  b'''") else line) for line in text.split("\n"))


SIMPLE = st.one_of(
    st.builds("{}{}".format, EXPRESSIONS, COMMENTS),
    st.builds("value = {}{}".format, EXPRESSIONS, COMMENTS),
    st.builds("value: int = {}".format, EXPRESSIONS),
    st.builds("x.total += {}".format, EXPRESSIONS),
    st.builds("assert {}, x".format, EXPRESSIONS),
    st.builds("x = 1; {}{}".format, EXPRESSIONS, COMMENTS),
    st.just("# a comment\nawait x"),
    st.just("x = 1  # noqa: AW102"),
)
STATEMENTS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds("{}\n{}".format, inner, inner),
        st.builds("if {}:{}\n{}".format, EXPRESSIONS, COMMENTS, inner.map(_indented)),
        st.builds("while {}:\n{}".format, EXPRESSIONS, inner.map(_indented)),
        st.builds("for y in {}:\n{}\nelse:\n{}".format, EXPRESSIONS, inner.map(_indented), inner.map(_indented)),
        st.builds("with x.lock:\n{}".format, inner.map(_indented)),
        st.builds("with {} as y:\n{}".format, EXPRESSIONS, inner.map(_indented)),
        st.builds("async with x:\n{}".format, inner.map(_indented)),
        st.builds(
            "try:\n{}\nexcept {}:\n{}\nfinally:\n{}".format,
            inner.map(_indented),
            st.sampled_from(["OSError", "Exception as e", "BaseException", "(ValueError, KeyError)"]),
            inner.map(_indented),
            inner.map(_indented),
        ),
        st.builds(
            "def inside(a={}):\n{}".format, CALLS, inner.map(_indented).map(lambda text: text.replace("await x", "x"))
        ),
        st.builds("async def inside():\n{}".format, inner.map(_indented)),
    ),
    max_leaves=5,
)
PROGRAMS = st.builds(
    "{}{}\n\nasync def main(x):\n{}\n".format, st.sampled_from(HEADS), st.just(HELPERS), STATEMENTS.map(_indented)
)
NEWLINES = st.sampled_from(["\n", "\r\n"])
CHOSEN = st.sampled_from(
    [replace(each, prefer_fix="thread") for each in (SETTINGS, with_library("anyio"), with_library("trio"))]
)


def _compiles(text: str) -> bool:
    try:
        compile(text, "<program>", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


_RARELY = [HealthCheck.too_slow, HealthCheck.filter_too_much]


@settings(max_examples=60, deadline=None, suppress_health_check=_RARELY)
@given(PROGRAMS, NEWLINES, st.booleans(), CHOSEN)
def test_every_promise_is_kept(program: str, newline: str, unsafe: bool, chosen: Settings) -> None:
    _check(program, newline, unsafe, chosen)


@pytest.mark.long
@settings(max_examples=5000, deadline=None, suppress_health_check=_RARELY)
@given(PROGRAMS, NEWLINES, st.booleans(), CHOSEN)
def test_every_promise_is_kept_in_thousands_of_programs(
    program: str, newline: str, unsafe: bool, chosen: Settings
) -> None:
    _check(program, newline, unsafe, chosen)


def _check(program: str, newline: str, unsafe: bool, chosen: Settings) -> None:
    source = program.replace("\n", newline)
    if not _compiles(source):
        return  # a nested quote in an f-string, say
    result = applied(source, unsafe=unsafe, settings=chosen)
    new = result.source.decode()
    assert _compiles(new), new
    if any(is_native(fix.name) for fix in (*result.fixes, *result.dropped)):
        return  # whole functions are rewritten, which has tests of its own
    assert result.dropped == ()
    assert applied(new, unsafe=unsafe, settings=chosen).source.decode() == new, "a second run changes nothing"
    if newline == "\r\n":
        assert "\n" not in new.replace("\r\n", "")
    # Comments: all that are no unused suppressions.
    assert _comments(source) - _comments(new) == Counter()
    assert _comments(new) - _comments(source) == Counter()
    # What was fixed is found no more, and nothing new came.
    before, after = findings_of(source.encode(), chosen), findings_of(result.source, chosen)
    fixed = [finding for fix in result.fixes for finding in fix.removes]
    count = Counter(finding.code for finding in before) - Counter(finding.code for finding in fixed)
    assert Counter(finding.code for finding in after) - count == Counter()
    _only_where_something_was_found(source, new, newline)


def _comments(text: str) -> Counter[str]:
    return Counter(comment.text for comment in find_comments(text) if "noqa: AW" not in comment.text)


# What fixes bring, and what they replace.
_NEW = frozenset(
    [
        "await",
        "import",
        "from",
        "as",
        "to_thread",
        "functools",
        "partial",
        "list",
        "asyncio",
        "aio",
        "anyio",
        "trio",
        "sleep",
        "run_sync",
        "time",
        "requests",
        "get",
        "os",
        "stat",
    ]
)


def _only_where_something_was_found(old: str, new: str, newline: str) -> None:
    """Words that disappear, or come, are those of fixes: the program's own are all there, in the same order."""

    def words(text: str) -> list[str]:
        bare = re.sub(r"#[^\r\n]*", "", text)
        return [word for word in re.findall(r"[A-Za-z_0-9']+", bare) if word not in _NEW]

    matcher = difflib.SequenceMatcher(None, words(old), words(new), autojunk=False)
    changed = [opcode for opcode in matcher.get_opcodes() if opcode[0] != "equal"]
    assert changed == [], (old, new)
