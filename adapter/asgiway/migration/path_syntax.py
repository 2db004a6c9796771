"""Starlette's path syntax (``/users/{id:int}``), for applications whose routes are listed by hand.

Starlette itself is no dependency of the adapter, and an application that needs the list usually doesn't use it.
"""

from __future__ import annotations

import re
from typing import Final

from asgiway.errors import SettingsError

__all__ = ["CONVERTERS", "PARAMETER", "compile_path"]

CONVERTERS: Final = {
    "str": "[^/]+",
    "path": ".*",
    "int": "[0-9]+",
    "float": r"[0-9]+(?:\.[0-9]+)?",
    "uuid": "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}",
}
"""What each converter accepts, by its name; the same as Starlette's own."""

PARAMETER: Final = re.compile(r"{([a-zA-Z_]\w*)(?::([a-zA-Z_]\w*))?}")


def compile_path(path: str) -> re.Pattern[str]:
    """The expression that a whole URL path has to match.

    Parameters:
        path: Starlette's syntax, with "{name}" or "{name:converter}" for a part that varies.

    Raises:
        SettingsError: no leading slash, a converter that does not exist, or a brace left over.
    """
    if not path.startswith("/"):
        raise SettingsError(f"the route {path!r} has to begin with a slash")
    expression = ""
    end = 0
    for parameter in PARAMETER.finditer(path):
        converter = parameter[2] or "str"
        if converter not in CONVERTERS:
            known = ", ".join(sorted(CONVERTERS))
            raise SettingsError(f"the route {path!r} uses the unknown converter {converter!r}; there are {known}")
        expression += f"{_literal(path, end, parameter.start())}({CONVERTERS[converter]})"
        end = parameter.end()
    return re.compile(expression + _literal(path, end, len(path)))


def _literal(path: str, start: int, end: int) -> str:
    text = path[start:end]
    if "{" in text or "}" in text:
        raise SettingsError(
            f"the route {path!r} has a brace that is no parameter; write {{name}} or {{name:converter}}"
        )
    return re.escape(text)
