"""wsgi.file_wrapper's object: what frameworks do with it besides iterating. Line 81."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway.file_response import FileWrapper, sendable_file

LARGE = 256 * 1024 + 1
"""The least size of a file that is sent by its name."""


class Reader:
    """The least that PEP 3333 asks of a file-like object."""

    def __init__(self, content: bytes) -> None:
        self._file = io.BytesIO(content)

    def read(self, size: int) -> bytes:
        return self._file.read(size)


@given(st.binary(max_size=2000), st.integers(1, 300))
def test_the_pieces_are_the_file(content: bytes, size: int) -> None:
    assert b"".join(FileWrapper(io.BytesIO(content), size)) == content
    assert b"".join(FileWrapper(Reader(content))) == content


def test_small_blocks_are_raised_and_large_ones_kept() -> None:
    content = b"x" * 1_000_000
    assert len(list(FileWrapper(io.BytesIO(content), 1))) < 10
    assert len(list(FileWrapper(io.BytesIO(content), 2_000_000))) == 1


def test_its_iterator_can_be_positioned_and_closed_as_werkzeug_does_it() -> None:
    file = io.BytesIO(b"0123456789")
    pieces = iter(FileWrapper(file))
    assert pieces.seekable()
    pieces.seek(4)
    assert pieces.tell() == 4
    assert next(pieces) == b"456789"
    pieces.close()
    assert file.closed


def test_a_file_that_can_only_be_read_says_so() -> None:
    wrapper = FileWrapper(Reader(b"abc"))
    assert not wrapper.seekable()
    with pytest.raises(io.UnsupportedOperation):
        wrapper.seek(0)
    with pytest.raises(io.UnsupportedOperation):
        wrapper.tell()
    wrapper.close()


def test_only_a_plain_file_can_be_sent_by_name(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(LARGE))
    with path.open("rb") as file:
        assert sendable_file(FileWrapper(file)) == (str(path), LARGE)
        file.read(1)
        assert sendable_file(FileWrapper(file)) is None
    assert sendable_file(FileWrapper(file)) is None  # closed
    with path.open("r+b") as updated:
        assert sendable_file(FileWrapper(updated)) == (str(path), LARGE)
    assert sendable_file(FileWrapper(io.BytesIO(b"abc"))) is None
    assert sendable_file(FileWrapper(Reader(b"abc"))) is None
    read_end, write_end = os.pipe()
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        assert sendable_file(FileWrapper(pipe)) is None


def test_what_fits_into_a_block_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(LARGE - 1))
    with path.open("rb") as file:
        assert sendable_file(FileWrapper(file)) is None
