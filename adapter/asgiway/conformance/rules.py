"""What PEP 3333 demands of an application, as a table: each rule, its section, and whether breaking it is a breach.

A note is something that works on many servers and not on all, or that another standard says; it does not change the
exit status.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RULES", "Rule"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Parameters:
        name: what reports call it; stable.
        section: the section of PEP 3333 that states it, or another standard's.
        text: what it demands.
        breach: whether breaking it breaks PEP 3333; otherwise it is a note.
    """

    name: str
    section: str
    text: str
    breach: bool = True

    @property
    def source(self) -> str:
        """The standard and its section."""
        return self.section if self.section.startswith(("RFC", "wsgiref")) else f"PEP 3333, {self.section}"


_SIDE = "The Application/Framework Side"
_DETAILS = "Specification Details"
_START = "The start_response() Callable"
_STREAMS = "Input and Error Streams"
_WRITE = "The write() Callable"

_TABLE = (
    Rule("application-callable", _SIDE, "The application takes environ and start_response, by position."),
    Rule("called-again", _SIDE, "The application can be called more than once, with a fresh iterable each time."),
    Rule("returns-iterable", _SIDE, "The application returns an iterable of bytes: no None, number, str or bytes."),
    Rule("body-bytes", _SIDE, "Each piece of the body is a bytes object."),
    Rule("body-len", _DETAILS, "If the returned iterable has a len(), it is the number of its pieces."),
    Rule("start-response-called", _DETAILS, "start_response() is called before the iterable's first piece."),
    Rule("start-response-positional", _DETAILS, "start_response() gets its arguments by position."),
    Rule("start-response-once", _START, "start_response() is called a second time only with exc_info."),
    Rule("exc-info", _START, "exc_info is a tuple as sys.exc_info() returns it."),
    Rule("status-line", _START, 'The status is a str such as "200 OK": three digits, one space, a reason.'),
    Rule("headers-list", _START, "The headers are a list of (name, value) tuples."),
    Rule("header-name", _START, "A header name is an HTTP token, without colon or other punctuation."),
    Rule("header-value", _START, "A header value has no control characters, no line break among them."),
    Rule("native-strings", "Unicode Issues", "Status and headers are str whose characters fit latin-1."),
    Rule("hop-by-hop", "Other HTTP Features", "Hop-by-hop headers such as Connection belong to the server."),
    Rule("content-length", "Handling the Content-Length Header", "Content-Length is the length of the body."),
    Rule("write-bytes", _WRITE, "write() takes a bytes object."),
    Rule("write-late", _WRITE, "write() is not called once the application has returned its iterable."),
    Rule("input-methods", _STREAMS, "Of wsgi.input only read, readline, readlines and iteration are used."),
    Rule("input-close", _STREAMS, "wsgi.input is not closed by the application."),
    Rule("errors-str", _STREAMS, "wsgi.errors is written to with str."),
    Rule("errors-methods", _STREAMS, "Of wsgi.errors only write, writelines and flush are used."),
    Rule("uncaught-exception", "Error Handling", "The application traps its own errors and answers."),
    Rule("adapter", "as the adapter enforces it", "The adapter refused what the application did."),
    Rule("validator", "as wsgiref.validate checks it", "wsgiref.validate refused what the application did."),
    # ------------------------------------------------------------------------------------------------------------ notes
    Rule("write-used", _WRITE, "write() is for old code: it can't stream without holding a thread.", breach=False),
    Rule("close-raised", _DETAILS, "close() of the iterable ends without an exception.", breach=False),
    Rule("body-forbidden", "RFC 9110, 15.3.5 and 15.4.5", "204 and 304 have no body.", breach=False),
    Rule("content-type", "RFC 9110, 8.3", "A response with a body says its Content-Type.", breach=False),
    Rule("validator-stricter", "wsgiref.validate", "wsgiref.validate asks for more than PEP 3333.", breach=False),
    Rule("not-found", "RFC 9110, 15.5.5", "The paths that are tried exist.", breach=False),
    Rule("unfinished", _DETAILS, "The response was looked at up to its end.", breach=False),
)

RULES: dict[str, Rule] = {rule.name: rule for rule in _TABLE}
"""Every rule by its name."""
