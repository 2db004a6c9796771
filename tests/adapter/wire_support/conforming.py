"""Which of the programs keep every rule of PEP 3333, as wsgiref.validate knows them, and how each is asked.

The others break one on purpose, or do what the validator itself does not know: ``read()`` without a size, ``wsgi.early_hints``.
"""

from __future__ import annotations

__all__ = ["CONFORMING"]

CONFORMING: dict[str, tuple[str, str, bytes]] = {
    "environ": ("GET", "/a%2Fb/%ff?c=%ff", b""),
    "digest": ("POST", "/", bytes(range(256)) * 1000),
    "ignore_body": ("POST", "/", b"ignored"),
    "content_length_zero": ("GET", "/", b""),
    "exc_info_replaces": ("GET", "/", b""),
    "headers_changed_later": ("GET", "/", b""),
    "cookies_and_case": ("GET", "/", b""),
    "lazy": ("GET", "/", b""),
    "write_then_return": ("GET", "/", b""),
    "returns": ("GET", "/generator", b""),
    "one_byte_chunks": ("GET", "/?100", b""),
    "with_content_length": ("HEAD", "/", b""),
    "too_long": ("GET", "/", b""),
    "fails_in_close": ("GET", "/", b""),
    "context_variable": ("GET", "/", b""),
}
"""Method, target and body by program."""
