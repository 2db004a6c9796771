"""What the Requests fixer knows about values and URLs; where it says a type, the value has that type when the program runs."""

from __future__ import annotations

from textwrap import dedent, indent

import libcst as cst
import pytest

from asgiway_lint.fixes.httpx.url import Scheme, Url, read_url
from asgiway_lint.fixes.httpx.values import Kind, Values
from asgiway_lint.fixes.source import FixSource
from tests.linter.fixes.httpx_support import PATH, settings

HEAD = """\
import json
import os
import time
import urllib.parse
from typing import Annotated, Optional

BASE = "http://host"
LIMIT: int = 10
HEADERS = {"A": "b"}
CHANGED = {"A": "b"}
REBOUND = "a"
GLOBAL = "a"


def other(thing):
    global GLOBAL
    GLOBAL = None
    CHANGED.update(thing)


REBOUND = None
"""
SIGNATURE = (
    "def f(self, text: str, number: int = 1, maybe: str | None = None, wrong: str = None, query: str = Query(None),"
    " default: str = Query('a'), annotated: Annotated[str, 'x'] = 'a', flag: bool = False, unknown=1,"
    " table: dict[str, str] = {}, optional: Optional[str] = 'a', wide: dict[str, int] = {}, raw: bytes = b'',"
    " *many: str, **more: str):"
)


def probe(expression: str, before: str = "") -> tuple[FixSource, Values, cst.BaseExpression]:
    body = indent(dedent(f"{before}\nprobe({expression})"), "    ")
    source = FixSource(f"{HEAD}\n\n{SIGNATURE}\n{body}\n", PATH, settings())
    call = next(each for each in source.find(cst.Call) if source.code(each.func) == "probe")
    return source, Values(source), call.args[0].value


KINDS = {
    "'a'": Kind.TEXT,
    "f'{unknown}'": Kind.TEXT,
    "'a' 'b'": Kind.TEXT,
    "b'a' b'b'": Kind.BYTES,
    "rb'a'": Kind.BYTES,
    "1": Kind.NUMBER,
    "-1.5": Kind.NUMBER,
    "-unknown": Kind.UNKNOWN,
    "2 * 3": Kind.NUMBER,
    "unknown * 3": Kind.UNKNOWN,
    "True": Kind.BOOL,
    "not unknown": Kind.BOOL,
    "unknown > 3": Kind.BOOL,
    "None": Kind.NONE,
    "{}": Kind.DICT,
    "[1]": Kind.LIST,
    "(1, 2)": Kind.LIST,
    "[x for x in unknown]": Kind.LIST,
    "{x: 1 for x in unknown}": Kind.DICT,
    "text": Kind.TEXT,
    "number": Kind.NUMBER,
    "flag": Kind.BOOL,
    "raw": Kind.BYTES,
    "maybe": Kind.UNKNOWN,
    "wrong": Kind.UNKNOWN,
    "query": Kind.UNKNOWN,
    "default": Kind.TEXT,
    "annotated": Kind.TEXT,
    "optional": Kind.UNKNOWN,
    "table": Kind.DICT,
    "unknown": Kind.UNKNOWN,
    "many": Kind.UNKNOWN,
    "more": Kind.UNKNOWN,
    "nowhere": Kind.UNKNOWN,
    "BASE": Kind.TEXT,
    "LIMIT": Kind.NUMBER,
    "REBOUND": Kind.UNKNOWN,
    "GLOBAL": Kind.UNKNOWN,
    "str(unknown)": Kind.TEXT,
    "len(unknown)": Kind.NUMBER,
    "bool(unknown)": Kind.BOOL,
    "json.dumps(unknown)": Kind.TEXT,
    "unknown(1)": Kind.UNKNOWN,
    "self.text": Kind.UNKNOWN,
    "os.environ['A']": Kind.TEXT,
    "os.environ.get('A')": Kind.UNKNOWN,
    "unknown['a']": Kind.UNKNOWN,
    "','.join(unknown)": Kind.TEXT,
    "unknown.isoformat()": Kind.TEXT,
    "text.encode()": Kind.BYTES,
    "raw.strip()": Kind.BYTES,
    "raw.decode()": Kind.TEXT,
    "text + unknown": Kind.TEXT,
    "unknown + 'a'": Kind.TEXT,
    "'%s' % unknown": Kind.TEXT,
    "raw + raw": Kind.BYTES,
    "'a' if unknown else text": Kind.TEXT,
    "'a' if unknown else None": Kind.UNKNOWN,
    "text or 'a'": Kind.TEXT,
    "maybe or 'a'": Kind.UNKNOWN,
    "time.time()": Kind.NUMBER,
    "urllib.parse.quote(text)": Kind.TEXT,
}


@pytest.mark.parametrize("expression", KINDS)
def test_kinds(expression: str) -> None:
    _, values, node = probe(expression)
    assert values.kind(node) is KINDS[expression]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("x = 'a'", Kind.TEXT),
        ("x: object = 'a'", Kind.TEXT),
        ("x = 'a'\nif text:\n    x = 'b'", Kind.TEXT),
        ("x = 'a'\nif text:\n    x = None", Kind.UNKNOWN),
        ("x = 'a'\nx += unknown", Kind.UNKNOWN),
        ("for x in range(3):\n    pass", Kind.NUMBER),
        ("for x in text:\n    pass", Kind.UNKNOWN),
        ("x, y = text", Kind.UNKNOWN),
        ("with open(text) as x:\n    pass", Kind.UNKNOWN),
        ("if (x := 1):\n    pass", Kind.NUMBER),
        ("x = y\ny = x", Kind.UNKNOWN),
        ("x = 'a'\ndef inner():\n    nonlocal x\n    x = None", Kind.UNKNOWN),
    ],
)
def test_kinds_of_names(before: str, expected: Kind) -> None:
    _, values, node = probe("x", before)
    assert values.kind(node) is expected


@pytest.mark.parametrize(
    "expression",
    ["None", "maybe", "wrong", "optional", "os.getenv('A')", "d.get('a')", "text or None", "text if flag else None"],
)
def test_what_is_often_none(expression: str) -> None:
    _, values, node = probe(expression)
    assert values.may_be_none(node)


def test_names_that_are_none_at_times() -> None:
    _, values, node = probe("x", "x = 'a'\nif flag:\n    x = None")
    assert values.may_be_none(node)


@pytest.mark.parametrize(
    "expression", ["text", "unknown", "os.getenv('A', 'b')", "d.get('a', '')", "self.x", "'a'", "maybe or text"]
)
def test_what_is_not(expression: str) -> None:
    _, values, node = probe(expression)
    assert not values.may_be_none(node)


@pytest.mark.parametrize(
    ("before", "expression", "expected"),
    [
        ("", "{'a': 1, 'b': text}", ["1", "text"]),
        ("", "HEADERS", ['"b"']),
        ("", "CHANGED", None),
        ("", "{**table}", None),
        ("", "table", None),
        ("d = {'a': 1}\nd['b'] = 2", "d", ["1", "2"]),
        ("d = {'a': 1}\nd['b'] += 2", "d", None),
        ("d = {'a': 1}\ndel d['a']", "d", None),
        ("d = {'a': 1}\nprint(d['a'], d.get('a'), len(d), f'{d}', 'a' in d)", "d", ["1"]),
        ("d = {'a': 1}\nlog.info('%s', d)\nclient.post(1, json=d)", "d", ["1"]),
        ("d = {'a': 1}\nd.update(b=2)", "d", None),
        ("d = {'a': 1}\nfill(d)", "d", None),
        ("d = {'a': 1}\nself.d = d", "d", None),
        ("d = {'a': 1}\ne = d", "d", None),
        ("d = {'a': 1}\nif text:\n    d = {}", "d", None),
    ],
)
def test_dictionaries_that_are_written_out(before: str, expression: str, expected: list[str] | None) -> None:
    source, values, node = probe(expression, before)
    entries = values.entries(node)
    assert (None if entries is None else [source.code(value) for _, value in entries]) == expected


def test_parameters_that_hold_text_only() -> None:
    for name, expected in {"table": True, "wide": False, "unknown": False, "nowhere": False, "HEADERS": False}.items():
        _, values, node = probe(name)
        assert isinstance(node, cst.Name)
        assert values.dict_of_text(node) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("'http://host/a'", Url(Scheme.HTTP, whole=True, query=False)),
        ("'https://host/a?b=1'", Url(Scheme.HTTPS, whole=True, query=True)),
        ("'http://host/a#b'", Url(Scheme.HTTP, whole=True, query=True)),
        ("'http://host/' 'a'", Url(Scheme.HTTP, whole=True, query=False)),
        ("'http://host/a b'", Url(Scheme.HTTP, whole=False, query=False)),
        ("'host/a'", Url(Scheme.UNKNOWN, whole=True, query=False)),
        ("BASE + '/a'", Url(Scheme.HTTP, whole=True, query=False)),
        ("f'{BASE}/a'", Url(Scheme.HTTP, whole=True, query=False)),
        ("f'{BASE}/a/{text}'", Url(Scheme.HTTP, whole=False, query=False)),
        ("f'{BASE}{text}'", Url(Scheme.HTTP, whole=False, query=None)),
        ("f'http://{text}/a'", Url(Scheme.HTTP, whole=False, query=False)),
        ("f'http://{text}'", Url(Scheme.HTTP, whole=False, query=None)),
        ("f'{text}/a'", Url(Scheme.UNKNOWN, whole=False, query=False)),
        ("f'{text}:80/a'", Url(Scheme.UNKNOWN, whole=False, query=False)),
        ("f'{BASE}/a{text}'", Url(Scheme.HTTP, whole=False, query=None)),
        ("f'{BASE}/a?b={text}'", Url(Scheme.HTTP, whole=False, query=True)),
        ("f'{BASE}/{text!r}/a'", Url(Scheme.HTTP, whole=False, query=False)),
        ("f'{{x}}/{BASE}'", Url(Scheme.UNKNOWN, whole=False, query=False)),
        ("text", Url(query=None)),
        ("text + '/a'", Url(query=False)),
        ("text.format(1)", Url(query=None)),
        ("b'http://host'", Url(query=None)),
    ],
)
def test_urls(expression: str, expected: Url) -> None:
    source, values, node = probe(expression)
    assert read_url(source, values, node) == expected


@pytest.mark.parametrize("annotation", ["HttpUrl", "pydantic.AnyUrl", "'HttpUrl'", "yarl.URL"])
def test_parameters_that_are_urls_but_no_text(annotation: str) -> None:
    text = f"import requests\nasync def f(where: {annotation}):\n    return requests.get(where, timeout=1).text\n"
    source = FixSource(text, PATH, settings())
    call = next(each for each in source.find(cst.Call) if source.code(each.func) == "requests.get")
    assert read_url(source, Values(source), call.args[0].value).annotated_other
