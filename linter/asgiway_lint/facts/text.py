"""Bytes of a source file -> text, by the rules of the language (BOM, PEP 263), and places in that text."""

from __future__ import annotations

import io
import re
import tokenize
from typing import Final

__all__ = ["Columns", "decode", "split_lines"]

# What the tokenizer takes for the end of a line. `str.splitlines` also splits at form feeds and others.
_NEWLINE: Final = re.compile(r"\r\n?|\n")


def decode(source: bytes) -> str:
    """The text of a source file, without its byte order mark.

    Raises:
        SyntaxError: the encoding is unknown, contradicts the byte order mark, or does not fit the bytes.
    """
    if source.isascii() and b"coding" not in source[:400]:
        return source.decode("ascii")
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    try:
        return source.decode(encoding)
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        raise SyntaxError(f"byte 0x{source[error.start]:02x} in line {line} is not {encoding}") from error
    except (LookupError, ValueError) as error:  # a codec that is no text encoding, such as rot13
        raise SyntaxError(f"encoding {encoding} is of no use for source code: {error}") from error


def split_lines(text: str) -> list[str]:
    """The lines of a text, without their ends, as the tokenizer counts them."""
    return _NEWLINE.split(text)


class Columns:
    """Turns the UTF-8 byte offsets of ``ast`` into 1-based columns in code points."""

    __slots__ = ("_lines", "_text")

    def __init__(self, text: str) -> None:
        self._text = "" if text.isascii() else text
        self._lines: list[str] | None = None

    @property
    def trivial(self) -> bool:
        """The text is ASCII: a column is its offset plus one."""
        return not self._text

    def column(self, line: int, offset: int) -> int:
        """The 1-based column of a byte offset in a 1-based line."""
        if not self._text:
            return offset + 1
        if self._lines is None:
            self._lines = split_lines(self._text)
        content = self._lines[line - 1] if line <= len(self._lines) else ""
        if content.isascii():
            return offset + 1
        return len(content.encode("utf-8", "surrogatepass")[:offset].decode("utf-8", "replace")) + 1
