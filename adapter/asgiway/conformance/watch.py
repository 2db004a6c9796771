"""Stands between the adapter and the application, looks at everything that passes, and changes nothing.

What the application is given and what it gives goes through as it is, right or wrong, so that the adapter's own
judgement follows. ``wsgiref.validate`` by contrast stops at the first thing it dislikes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication

from asgiway.conformance.findings import Findings, Place, Places
from asgiway.conformance.headers import check_headers, check_status, content_lengths
from asgiway.conformance.trail import Trail
from asgiway.errors import AdapterError

__all__ = ["Watch"]

_INPUT_METHODS = frozenset({"read", "readline", "readlines", "__iter__"})
_ERRORS_METHODS = frozenset({"write", "writelines", "flush"})


class Watch:
    """A WSGI application that watches another one.

    Parameters:
        app: the application to watch.
        findings: where to put what it breaks.
        places: finds lines in its source.
    """

    def __init__(self, app: WSGIApplication, findings: Findings, places: Places) -> None:
        self._app = app
        self._findings = findings
        self._places = places
        self._returned: list[object] = []  # iterators returned so far; kept alive, so that none comes back by chance

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Any:
        """PEP 3333, "The Application/Framework Side"."""
        call = _Call(self._findings, self._places, environ["REQUEST_METHOD"], start_response)
        environ["wsgi.input"] = _Stream(environ["wsgi.input"], call.use_input)
        environ["wsgi.errors"] = _Stream(environ["wsgi.errors"], call.use_errors)
        try:
            with call.trail:
                returned: Any = self._app(environ, call.start_response)
        except BaseException as error:
            self._failed(error)
            raise
        call.returned = True
        call.end = call.trail.nearest(call.trail.top)
        if not self._is_body(returned, call):
            return returned
        iterator: object = returned
        if isinstance(iterator, Iterator):
            if any(before is iterator for before in self._returned):
                self._findings.add(
                    "called-again", "the application returned the same iterator as the time before", call.end
                )
            self._returned.append(cast("object", iterator))
        if type(returned) is list or type(returned) is tuple:  # the adapter treats these as a whole
            pieces = cast("list[object]", returned)
            for piece in pieces:
                call.piece(piece, call.end)
            call.finished(len(pieces), len(pieces))
            return cast("object", returned)
        return _Body(returned, call, self._failed)

    def _is_body(self, returned: object, call: _Call) -> bool:
        if isinstance(returned, (str, bytes, bytearray)):
            what = f"a {type(returned).__name__}"
        elif returned is None:
            what = "None"
        elif hasattr(returned, "__iter__"):
            return True
        else:
            what = f"a {type(returned).__name__}, which is not iterable"
        self._findings.add(
            "returns-iterable", f"the application returned {what}; return a list with the body in it", call.end
        )
        return False

    def _failed(self, error: BaseException) -> None:
        """An exception leaves the application; the adapter's own are there because of something that was seen before."""
        if isinstance(error, AdapterError) and self._findings.shown():
            return
        frames = error.__traceback__
        entered = frames is not None and frames.tb_next is not None
        if isinstance(error, TypeError) and not entered:
            self._findings.add("application-callable", f"calling it with (environ, start_response) fails: {error}")
            return
        place = self._places.of_traceback(frames)
        self._findings.add("uncaught-exception", f"{type(error).__name__} left the application: {error}", place)


class _Call:
    """What is known about one call of the application."""

    def __init__(self, findings: Findings, places: Places, method: str, start_response: StartResponse) -> None:
        self._findings = findings
        self._places = places
        self._method = method
        self._start_response = start_response
        self.trail = Trail(places)
        self.started = False
        self.returned = False
        self.end: Place | None = None
        """The line with which the application returned."""
        self._status = ""
        self._length: int | None = None
        self._size = 0
        self._start: Place | None = None
        self._typed = False

    def _caller(self) -> Place | None:
        return self.trail.nearest(self._places.of_caller())

    def start_response(self, *args: Any, **kwargs: Any) -> Callable[[Any], object]:
        """PEP 3333, "The start_response() Callable"."""
        place = self._caller()
        add = self._findings.add
        if kwargs:
            names = ", ".join(f"{name}=" for name in kwargs)
            add("start-response-positional", f"start_response() was called with {names}", place)
        values = dict(zip(("status", "response_headers", "exc_info"), args, strict=False)) | kwargs
        exc_info = values.get("exc_info")
        if self.started and not exc_info:
            add("start-response-once", "start_response() was called again without exc_info", place)
        if exc_info is not None and not (isinstance(exc_info, tuple) and len(cast("tuple[object]", exc_info)) == 3):
            add("exc-info", f"exc_info is {exc_info!r:.60}", place)
        self.started = True
        self._start = place
        headers: object = values.get("response_headers", values.get("headers"))
        self._status = check_status(values.get("status"), place, add)
        check_headers(headers, place, add)
        self._length, self._typed = content_lengths(headers, place, add)
        if kwargs:  # said above; names that the adapter doesn't know would only add a second complaint
            args, kwargs = tuple(values.values()), {}
        write = cast("Any", self._start_response)(*args, **kwargs)

        def watched(data: Any) -> object:
            return self.write(write, data)

        return watched

    def write(self, write: Callable[[Any], object], data: Any) -> object:
        """PEP 3333, "The write() Callable"."""
        place = self._caller()
        self._findings.add("write-used", "write() is used", place)
        if self.returned:
            self._findings.add("write-late", "write() was called after the application had returned", place)
        if type(data) is not bytes:
            self._findings.add("write-bytes", f"write() got a {type(data).__name__}", place)
        else:
            self._size += len(data)
        return write(data)

    def piece(self, piece: object, place: Place | None) -> None:
        """A piece of the body."""
        if not self.started:
            self._findings.add("start-response-called", "start_response() was not called before the first piece", place)
            self.started = True  # said once
        if type(piece) is bytes:
            self._size += len(piece)
        else:
            self._findings.add("body-bytes", f"a piece of the body is a {type(piece).__name__}", place)

    def finished(self, pieces: int, announced: int | None) -> None:
        """The body has come to its end after so many pieces; `announced` is its len()."""
        add = self._findings.add
        if not self.started:
            add("start-response-called", "start_response() was never called", self.end)
        if announced is not None and announced != pieces:
            add("body-len", f"len() of the body is {announced}, but it has {pieces} pieces", self.end)
        bodiless = self._status[:3] in ("204", "304")
        if bodiless and self._size:
            add("body-forbidden", f"a {self._status[:3]} response has a body of {self._size} bytes", self._start)
        if self._method == "HEAD" or bodiless or not self.started:
            return
        if self._length is not None and self._length != self._size:
            add("content-length", f"Content-Length is {self._length}, but the body has {self._size} bytes", self._start)
        if self._size and not self._typed:
            add("content-type", "the response has a body and no Content-Type", self._start)

    def use_input(self, name: str, args: tuple[Any, ...]) -> None:
        """A method of wsgi.input is called."""
        if name == "close":
            self._findings.add("input-close", "wsgi.input.close() was called", self._caller())
        elif name not in _INPUT_METHODS:
            self._findings.add("input-methods", f"wsgi.input.{name}() was called", self._caller())

    def use_errors(self, name: str, args: tuple[Any, ...]) -> None:
        """A method of wsgi.errors is called."""
        if name not in _ERRORS_METHODS:
            self._findings.add("errors-methods", f"wsgi.errors.{name}() was called", self._caller())
            return
        written: Any = args[0] if args else ""
        pieces: tuple[object, ...] = (written,)
        if name == "writelines":  # an iterator can be looked at only once, and that is for the stream
            pieces = tuple(cast("list[object]", written)) if isinstance(written, (list, tuple)) else ()
        for piece in pieces:
            if not isinstance(piece, str):
                self._findings.add("errors-str", f"wsgi.errors got a {type(piece).__name__}", self._caller())

    def close_raised(self, error: BaseException) -> None:
        """close() of the iterable failed."""
        place = self._places.of_traceback(error.__traceback__)
        self._findings.add("close-raised", f"close() raised {type(error).__name__}: {error}", place)

    def place_in(self, iterator: object) -> Place | None:
        """Where the iterator stands, or else where the application was last."""
        return self._places.of_iterator(iterator) or self.trail.own or self.end


class _Stream:
    """wsgi.input or wsgi.errors; tells `used` of each method that is called. Asking whether there is one is no use."""

    def __init__(self, stream: Any, used: Callable[[str, tuple[Any, ...]], None]) -> None:
        self._stream = stream
        self._used = used

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._stream)

    def __next__(self) -> bytes:
        self._used("__next__", ())
        line: bytes = next(self._stream)
        return line

    def __enter__(self) -> _Stream:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._used("close", ())
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        if name == "close" and not hasattr(self._stream, name):
            self._used(name, ())
        found = getattr(self._stream, name)
        if not callable(found):
            return found

        def method(*args: Any, **kwargs: Any) -> Any:
            self._used(name, args)
            return found(*args, **kwargs)

        return method


class _Body:
    """The iterable that the application returned."""

    def __init__(self, body: Any, call: _Call, failed: Callable[[BaseException], None]) -> None:
        self._body = body
        self._call = call
        self._failed = failed
        self._iterator: Iterator[object] | None = None
        self._count = 0
        self._len: int | None = None

    def __iter__(self) -> Iterator[object]:
        try:
            self._len = len(self._body)
        except (TypeError, AttributeError):
            self._len = None
        try:
            self._iterator = iter(self._body)
        except BaseException as error:
            self._failed(error)
            raise
        return self

    def __next__(self) -> object:
        assert self._iterator is not None
        try:
            with self._call.trail:
                piece = next(self._iterator)
        except StopIteration:
            self._call.finished(self._count, self._len)
            raise
        except BaseException as error:
            self._failed(error)
            raise
        self._count += 1
        self._call.piece(piece, self._call.place_in(self._iterator))
        return piece

    def close(self) -> None:
        """PEP 3333: called by the server however the request has ended."""
        close = getattr(self._body, "close", None)
        if close is None:
            return
        try:
            close()
        except BaseException as error:
            self._call.close_raised(error)
            raise
