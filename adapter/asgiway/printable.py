"""What a client sent, as text that is safe in one line of a log: no line breaks, no control characters, no spaces, bounded.

Servers decode percent-encoding before an application sees the path, so ``GET /x%0AERROR%20forged`` would write a line of
its own into a log (CWE-117), and an escape sequence would reach the terminal of whoever reads it.
"""

from __future__ import annotations

from urllib.parse import quote

__all__ = ["MAX_LENGTH", "printable"]

MAX_LENGTH = 2048
"""Characters that are kept; a longer text ends in "..."."""

# RFC 3986, 3.3: what a path may contain unencoded, without the quotes, which would end a quoted field of a log line.
_SAFE = "/:@!$&()*+,;=-._~"


def printable(text: str) -> str:
    """`text` in percent-encoding, as RFC 3986 has it for paths, of at most MAX_LENGTH characters."""
    encoded = quote(text, safe=_SAFE, errors="surrogatepass")
    if len(encoded) <= MAX_LENGTH:
        return encoded
    return encoded[: MAX_LENGTH - 3] + "..."
