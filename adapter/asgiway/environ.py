"""ASGI scope -> WSGI environ, as plain functions over plain data: no thread, no event loop, no I/O.

Rules kept here: PEP 3333 "environ Variables" and "Unicode Issues" (every str is latin-1 text whose code points are the
bytes of the request); the ASGI specification's WSGI compatibility section (``root_path`` -> SCRIPT_NAME); RFC 9110 5.3
(repeated fields), 8.6 (Content-Length); RFC 9113 8.2.3 (cookies). ``path`` decides, because routers and
authorisation looked at it; ``raw_path`` only restores bytes that decoding to str has lost.

Speed: this runs once a request on the event loop, so constant keys come from a copied template and header names
from a bounded table; that is worth a third of the whole adapter's cost on a small request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import quote, unquote, unquote_to_bytes

from asgiway.errors import BadRequestError
from asgiway.settings import UnderscoreMode

__all__ = ["MAX_REPEATED_FIELDS", "EnvironBuilder", "content_length", "split_path"]

Environ = dict[str, Any]

MAX_REPEATED_FIELDS = 100
"""How often one field may repeat before the request is refused with 431; the same limit as asgiref's.

Not of cookies: over HTTP/2 a browser sends each in a field of its own."""

_HEADER_TABLE_SIZE = 1024
_SECURE = frozenset({"https", "wss"})
_DROP = ""  # what the table holds for a header that must not reach the application

# Transfer-Encoding: the server has removed the chunking already, an application that sees the field would do it again.
# Proxy: would become HTTP_PROXY, which many HTTP clients take for their proxy setting (CVE-2016-5385).
_NEVER_EXPOSED = frozenset({"transfer-encoding", "proxy"})


def _latin1(text: str) -> str:
    """The bytes of `text` in UTF-8, as a str of latin-1 code points (PEP 3333, "Unicode Issues")."""
    return text if text.isascii() else text.encode("utf-8", "surrogatepass").decode("latin-1")


def _environ_key(name: bytes, allow_underscores: bool) -> str:
    """The environ key for a header name, or "" when the header must not be exposed."""
    text = name.decode("latin-1").lower()
    # A proxy that strips X-Forwarded-User does not strip x_forwarded_user, yet both would become the same key.
    if "_" in text and not allow_underscores:
        return _DROP
    if text.replace("_", "-") in _NEVER_EXPOSED:
        return _DROP
    if text == "content-type":
        return "CONTENT_TYPE"
    if text == "content-length":
        return "CONTENT_LENGTH"
    return "HTTP_" + text.upper().replace("-", "_")


def split_path(path: str, root_path: str, raw_path: bytes | None) -> tuple[str, str]:
    """SCRIPT_NAME and PATH_INFO for a request.

    Parameters:
        path: the decoded path of the scope; with or without `root_path` in front, since servers and routers differ.
        root_path: the mount point; a trailing slash is ignored, because PATH_INFO must start with a slash or be empty.
        raw_path: the undecoded path, None when the server does not know it. It is used only when it decodes to `path`:
            a path that middleware has rewritten wins, so that checks made on `path` can't be bypassed.

    Source: PEP 3333 "environ Variables"; ASGI HTTP scope, `root_path`.
    """
    root = root_path.rstrip("/")
    if root and not root.startswith("/"):
        root = "/" + root
    if path.isascii() and (not root or root.isascii()):
        whole, script = path, root
    else:
        whole, script = _latin1(path), _latin1(root)
        if raw_path is not None and "\ufffd" in path:
            decoded = unquote_to_bytes(raw_path.partition(b"?")[0])
            lossy = decoded.decode("utf-8", "replace")
            if lossy in (path, root + path):
                whole = decoded.decode("latin-1")
    if not script:
        return "", whole or "/"
    inside = _strip_prefix(whole, script)
    if "%" in script:
        # Configured in its percent-encoded form, because servers take no other: SCRIPT_NAME is the decoded one, and
        # the path begins with either, as the server concatenates them before or after decoding.
        script = _latin1(unquote(root))
        if inside is None:
            inside = _strip_prefix(whole, script)
    if inside is None:
        return script, whole
    if root_path.endswith("/") and inside.startswith("//"):
        inside = inside[1:]  # the server put "/api/" in front of "/x"
    return script, inside


def _strip_prefix(path: str, prefix: str) -> str | None:
    """`path` without `prefix`, None when `prefix` does not end at a segment boundary (/api is no prefix of /apiary)."""
    if not path.startswith(prefix):
        return None
    rest = path[len(prefix) :]
    return rest if not rest or rest.startswith("/") else None


def content_length(value: str) -> int:
    """The number in a Content-Length field.

    Raises:
        BadRequestError: it is not a plain decimal number (RFC 9110, 8.6); Python's int() would also take "+3" or "1_0".
    """
    if not (value.isascii() and value.isdigit()) or len(value) > 18:
        raise BadRequestError(f"Content-Length is not a decimal number: {value[:40]!r}")
    return int(value)


class EnvironBuilder:
    """Builds environs for one adapter.

    Parameters:
        constants: the entries that are the same for every request (wsgi.version, wsgi.errors, ...).
        on_dropped: called with the name of a header that is withheld from the application because of an underscore,
            when it is seen for the first time.
        underscores: what becomes of such a header, see ``underscore_headers`` in Settings.
    """

    __slots__ = ("_keys", "_on_dropped", "_template", "_underscores")

    def __init__(
        self,
        constants: Mapping[str, Any],
        on_dropped: Callable[[str], None] | None = None,
        underscores: UnderscoreMode = "drop",
    ) -> None:
        # With a place for each key that every environ has, so that a copy need not grow while it is filled.
        self._template: Environ = {
            "wsgi.version": (1, 0),
            "wsgi.run_once": False,
            "wsgi.input_terminated": True,
            **constants,
            "SCRIPT_NAME": "",
            "PATH_INFO": "",
            "QUERY_STRING": "",
            "REQUEST_URI": "",
            "RAW_URI": "",
            "REQUEST_METHOD": "",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_NAME": "",
            "SERVER_PORT": "",
            "wsgi.url_scheme": "http",
            "asgi.scope": None,
        }
        self._keys: dict[bytes, str] = {}
        self._on_dropped = on_dropped
        self._underscores = underscores

    def build(self, scope: Mapping[str, Any]) -> tuple[Environ, bool]:
        """A fresh environ for an HTTP scope, and whether the request has a Transfer-Encoding.

        The caller adds "wsgi.input" and what it knows about the loop.

        Raises:
            BadRequestError: contradicting Content-Length fields (400), a field repeated more than
                MAX_REPEATED_FIELDS times (431), or one with an underscore where such are refused (400).
        """
        environ = self._template.copy()
        get = scope.get
        path: str = scope["path"]
        raw_path: bytes | None = get("raw_path")
        root_path: str = get("root_path", "")
        if root_path or not path.isascii():
            environ["SCRIPT_NAME"], environ["PATH_INFO"] = split_path(path, root_path, raw_path)
        else:
            environ["PATH_INFO"] = path or "/"
        if raw_path is None:
            uri = quote(path, safe="/*")
        else:
            uri = raw_path.decode("latin-1")
            if "?" in uri:
                uri = uri.partition("?")[0]
        query: bytes = get("query_string", b"")
        if query:
            text = environ["QUERY_STRING"] = query.decode("latin-1")
            uri = f"{uri}?{text}"
        environ["REQUEST_URI"] = environ["RAW_URI"] = uri
        environ["REQUEST_METHOD"] = scope["method"]
        version = get("http_version", "1.1")
        if version != "1.1":
            environ["SERVER_PROTOCOL"] = "HTTP/1.0" if version == "1" else "HTTP/" + version  # "1" is granian's 1.0
        scheme = "http"
        if get("scheme") in _SECURE:
            scheme = environ["wsgi.url_scheme"] = "https"
        chunked = self._add_headers(environ, scope["headers"])
        server = get("server")
        if server is not None and server[1] and server[1] != "0":  # of a unix socket: None, or granian's "0"
            environ["SERVER_NAME"] = server[0]
            environ["SERVER_PORT"] = str(server[1])
        else:
            environ["SERVER_NAME"], environ["SERVER_PORT"] = _server_from_host(environ.get("HTTP_HOST", ""), scheme)
        client = get("client")
        if client is not None and client[0]:  # of a unix socket: None, or granian's empty address
            environ["REMOTE_ADDR"] = client[0]
            environ["REMOTE_PORT"] = str(client[1])
        environ["asgi.scope"] = scope
        return environ, chunked

    def _add_headers(self, environ: Environ, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        keys = self._keys
        chunked = False
        repeated: dict[str, list[str]] | None = None
        for name, value in headers:
            key = keys.get(name)
            if key is None:
                key = self._learn(bytes(name))
            if not key:  # _DROP
                if b"_" in name and self._underscores == "refuse":
                    raise BadRequestError(f"header field {name.decode('latin-1')!r} has an underscore in its name")
                chunked = chunked or name.lower() == b"transfer-encoding"
                continue
            text = value.decode("latin-1")
            if key not in environ:
                environ[key] = text
            else:
                if repeated is None:
                    repeated = {}
                values = repeated.setdefault(key, [environ[key]])
                values.append(text)
                if len(values) > MAX_REPEATED_FIELDS and key != "HTTP_COOKIE":
                    field = name.decode("latin-1")
                    raise BadRequestError(f"header field {field!r} repeats more than {MAX_REPEATED_FIELDS} times", 431)
        if repeated is not None:
            for key, values in repeated.items():
                environ[key] = _join_repeated(key, values)
        return chunked

    def _learn(self, name: bytes) -> str:
        key = _environ_key(name, self._underscores == "allow")
        if len(self._keys) < _HEADER_TABLE_SIZE:
            self._keys[name] = key
            if b"_" in name and self._underscores == "drop" and self._on_dropped is not None:
                self._on_dropped(name.decode("latin-1"))
        return key


def _join_repeated(key: str, values: list[str]) -> str:
    """One value for a repeated field: RFC 9110 5.3; cookies by RFC 9113 8.2.3; Content-Length by RFC 9110 8.6."""
    if key == "HTTP_COOKIE":
        return "; ".join(values)
    if key == "CONTENT_LENGTH":
        if len(set(values)) > 1:
            raise BadRequestError(f"contradicting Content-Length fields: {', '.join(values)[:80]}")
        return values[0]
    return ",".join(values)


def _server_from_host(host: str, scheme: str) -> tuple[str, str]:
    """SERVER_NAME and SERVER_PORT when the server doesn't tell (a unix socket): PEP 3333 forbids empty ones."""
    port = "443" if scheme == "https" else "80"
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        explicit = rest.removeprefix(":")
    else:
        name, _, explicit = host.partition(":")
    return name or "localhost", explicit if explicit.isascii() and explicit.isdigit() else port
