"""The bytes that a buffer would have on disk, which the engine and the fixes read."""

from __future__ import annotations

import io
import tokenize

__all__ = ["encode"]


def encode(text: str) -> bytes:
    """Return a text in the encoding that it declares (PEP 263), so that it is read back as it was.

    What the declared encoding cannot hold comes in UTF-8: reading it fails then, as it would after the file has been saved.
    """
    if text.isascii():
        return text.encode("ascii")
    try:
        head = text[:400].encode("utf-8", "surrogatepass")
        encoding, _ = tokenize.detect_encoding(io.BytesIO(head).readline)
        return text.encode("utf-8" if encoding == "utf-8-sig" else encoding)
    except (SyntaxError, LookupError, UnicodeError):
        return text.encode("utf-8", "surrogatepass")
