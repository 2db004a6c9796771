"""The words of ``wsgiref.validate``, translated into rules.

It stops at the first complaint, and in places asks for more than PEP 3333 does; those complaints are notes.
"""

from __future__ import annotations

import re
import wsgiref.validate

__all__ = ["complaint", "rule_of"]

_RULES = (
    ("returned a string|should not return a string|must return an iterator", "returns-iterable"),
    ("non-bytestring", "body-bytes"),
    ("start_response has not yet been called", "start-response-called"),
    ("No keyword arguments allowed|Invalid number of arguments", "start-response-positional"),
    ("^Status must be of type str|^Header (name|value) must be of type str", "native-strings"),
    ("^Status codes must be three|^Status code is invalid|^invalid literal for int|The status string", "status-line"),
    ("must be of type list|must be of type tuple", "headers-list"),
    ("^Header names may not contain", "header-name"),
    ("^Bad header value", "header-value"),
    ("exc_info", "exc-info"),
    (r"input\.close\(\)", "input-close"),
    (r"errors\.close\(\)", "errors-methods"),
    # A redirect without a body, a name such as 3d-model: PEP 3333 says nothing against them.
    ("Content-Type header found|The Status header cannot|^Bad header name|^Names may not end in", "validator-stricter"),
    ("^Unknown REQUEST_METHOD", "validator-stricter"),
)


# Complaints without words, by the function of wsgiref.validate that makes them.
_WORDLESS = {
    "readline": ("validator-stricter", "wsgi.input.readline() was called with more than one argument"),
    "readlines": ("validator-stricter", "wsgi.input.readlines() was called with more than one argument"),
    "write": ("errors-str", "wsgi.errors got something else than a str"),
    "__call__": ("write-bytes", "write() got something else than bytes"),
    "check_headers": ("headers-list", "a header is not a (name, value) tuple"),
}


def complaint(error: BaseException) -> tuple[str, str] | None:
    """The rule that an exception from ``wsgiref.validate`` is about, and its words; None for any other exception."""
    text = str(error)
    if isinstance(error, AttributeError):
        if "'InputWrapper' object" in text:
            return "input-methods", text
        if "'ErrorWrapper' object" in text:
            return "errors-methods", text
    if not isinstance(error, (AssertionError, ValueError, IndexError)):
        return None
    functions: list[str] = []
    traceback = error.__traceback__
    last = None
    while traceback is not None:
        last = traceback.tb_frame.f_code
        functions.append(last.co_name)
        traceback = traceback.tb_next
    if last is None or last.co_filename != wsgiref.validate.__file__:
        return None
    caller = functions[-2] if functions[-1] == "assert_" and len(functions) > 1 else functions[-1]
    if not text and caller in _WORDLESS:
        return _WORDLESS[caller]
    return rule_of(text), text


def rule_of(words: str) -> str:
    """The name of the rule that a complaint is about; "validator" when it is about none that is known."""
    for pattern, rule in _RULES:
        if re.search(pattern, words):
            return rule
    return "validator"
