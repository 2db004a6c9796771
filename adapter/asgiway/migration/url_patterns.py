"""Paths with parameters, of any framework, in one form that can be compared and filled in.

Comparing languages of patterns is left alone on purpose: converters can be anything. Instead a pattern gives sample paths,
and the frameworks' own matchers tell what becomes of them (see ``conflicts``), so that each conflict has a real URL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, product
from typing import Final

from asgiway.migration.path_syntax import PARAMETER

__all__ = ["Parameter", "Pattern", "parse_django", "parse_flask", "parse_starlette", "samples", "shape"]

_UUID: Final = "6f1c3f0e-8f5d-4c3a-9a51-0d9c0c6d2b7e"
_WORDS: Final = ("abc", "1", "a-b", "1.5", _UUID)
_VALUES: Final = {
    "str": _WORDS,
    "int": ("1", "42", "2024"),
    "float": ("1.5",),
    "uuid": (_UUID,),
    "slug": ("a-b", "abc", "1"),
    "path": ("abc", "a/b", "1"),
}
_OTHER: Final = ("2024", "1", *_WORDS, "01", "a/b", "ab", "A")
_MOST_SAMPLES: Final = 40

_FLASK: Final = re.compile(r"<(?:([a-zA-Z_]\w*)(?:\(([^)]*)\))?:)?([a-zA-Z_]\w*)>")
_DJANGO: Final = re.compile(r"<(?:([^>:]+):)?([^>]+)>")
_FLASK_KINDS: Final = {"default": "str", "string": "str"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A part that varies.

    Parameters:
        kind: converter: one of str, int, float, uuid, slug, path, or another name for what is not known.
        options: the values that are possible, if there are few.
    """

    kind: str
    options: tuple[str, ...] = ()


Pattern = tuple[str | Parameter, ...]
"""Literal text and parameters in turn; neighbouring literals are joined."""


def parse_starlette(path: str) -> Pattern:
    """Of Starlette's and FastAPI's syntax, ``/users/{id:int}``."""
    return _parse(PARAMETER, path, lambda found: Parameter(found[2] or "str"))


def parse_flask(rule: str) -> Pattern:
    """Of Werkzeug's syntax, ``/users/<int:id>``."""

    def parameter(found: re.Match[str]) -> Parameter:
        kind = found[1] or "str"
        if kind == "any" and found[2]:
            return Parameter(kind, tuple(option.strip().strip("\"'") for option in found[2].split(",")))
        return Parameter(_FLASK_KINDS.get(kind, kind))

    return _parse(_FLASK, rule, parameter)


def parse_django(route: str) -> Pattern:
    """Of Django's ``path()`` syntax, ``/users/<int:id>``."""
    return _parse(_DJANGO, route, lambda found: Parameter(found[1] or "str"))


def _parse(syntax: re.Pattern[str], text: str, parameter: Callable[[re.Match[str]], Parameter]) -> Pattern:
    parts: list[str | Parameter] = []
    end = 0
    for found in syntax.finditer(text):
        parts += [text[end : found.start()], parameter(found)]
        end = found.end()
    parts.append(text[end:])
    return tuple(part for part in parts if part != "")


def shape(pattern: Pattern) -> tuple[str | None, ...]:
    """The pattern without its converters: ``/users/<int:id>`` and ``/users/{name}`` have the same one."""
    return tuple(None if isinstance(part, Parameter) else part for part in pattern)


def samples(pattern: Pattern) -> Iterator[str]:
    """Paths that may match, at most 40: whether one does is for the framework's matcher to say."""
    choices = [(part,) if isinstance(part, str) else part.options or _VALUES.get(part.kind, _OTHER) for part in pattern]
    # First each value of each part at least once, then as many combinations as there is room for.
    widest = max((len(values) for values in choices), default=0)
    diagonal = (tuple(values[turn % len(values)] for values in choices) for turn in range(widest))
    paths = dict.fromkeys("".join(values) for values in islice(chain(diagonal, product(*choices)), 2 * _MOST_SAMPLES))
    yield from islice(paths, _MOST_SAMPLES)
