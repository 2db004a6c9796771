"""The bytes that a buffer would have on disk, which the engine and the fixes read."""

from __future__ import annotations

import io
import tokenize

__all__ = ["encode"]


def encode(text: str) -> bytes:
    """Return a text in the encoding that it declares (PEP 263), so that it is read back as it was.

    What the encoding cannot hold becomes a question mark, which is as long, so that places stay the same; the editor will refuse to
    save it. An encoding that nobody knows is left to the reader to complain of.
    """
    if text.isascii():
        return text.encode("ascii")
    try:
        head = text[:400].encode("utf-8", "replace")
        encoding, _ = tokenize.detect_encoding(io.BytesIO(head).readline)
        return text.encode("utf-8" if encoding == "utf-8-sig" else encoding, "replace")
    except (SyntaxError, LookupError, UnicodeError):
        return text.encode("utf-8", "replace")
