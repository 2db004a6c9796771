"""Facts of the project's files by need: from memory, from the cache, or read from the source."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from asgiway_lint.facts import Facts, SourceProblem, read
from asgiway_lint.project.cache import FactsCache, content_key

__all__ = ["Problem", "Store", "may_be_hazardous", "may_run_on_loop"]

# Decoded facts are ten times the size of stored ones; a run over a big project must not keep all of them.
_KEEP: Final = 6000


class Problem(Exception):
    """A file cannot be had at all.

    Attributes:
        message: what the system says.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


# What a coroutine needs, or what hands the loop a function.
_LOOP_WORDS: Final = re.compile(
    rb"async|\.(?:call_(?:soon|later|at)|add_(?:done_callback|signal_handler|reader|writer))"
)

_UTF_16: Final = (b"\xff\xfe", b"\xfe\xff")
_HAZARD_WORDS: Final = re.compile(rb"monkey|current_app|uwsgi")


def may_be_hazardous(source: bytes) -> bool:
    """Whether a source may hold what AW301, AW303 or AW304 report in code that runs on no loop yet."""
    return _HAZARD_WORDS.search(source) is not None


def may_run_on_loop(source: bytes) -> bool:
    """Whether a source may hold code that runs on a loop: a file without these words is read only if somebody calls into it."""
    # Encodings that are no superset of ASCII (UTF-7, say) must not hide the words.
    return (
        _LOOP_WORDS.search(source) is not None
        or (b"coding" in source[:400] and b"utf-7" in source[:400].lower().replace(b"_", b"-"))
        or source[:2] in _UTF_16  # no Python at all, and to be told
    )


class Store:
    """Facts by path.

    Args:
        cache: the cache to use, or None.
        version: the tool's version, a part of the cache's keys.
        overlay: sources that take the place of files (an editor's buffer, stdin), by path.
    """

    def __init__(self, cache: FactsCache | None, version: str, overlay: dict[str, bytes] | None = None) -> None:
        self._cache = cache
        self._version = version
        self._overlay = overlay or {}
        self._facts: dict[str, Facts | SourceProblem | Problem] = {}
        # What was read, for whoever asks what the results rest on, and the key of its content: None if it cannot be read.
        self.on_read: Callable[[str, bytes | None], None] | None = None
        self._keys: dict[str, bytes] = {}
        self._expected: Mapping[str, tuple[bytes, object]] = {}

    def known(self) -> Mapping[str, Facts | SourceProblem | Problem]:
        """What has been read so far, by path: a view for whoever asks often; what is not in it may have been forgotten."""
        return self._facts

    @property
    def cached(self) -> bool:
        """Whether there is a cache behind it."""
        return self._cache is not None

    def use(self, cache: FactsCache | None) -> None:
        """Go on with another connection to the same cache."""
        self._cache = cache

    def expect(self, sources: Mapping[str, tuple[bytes, object]]) -> None:
        """Take facts of some files from the cache without reading the files.

        Args:
            sources: for each path first the key of its content, as somebody has made sure of it just now.
        """
        self._expected = sources

    def source(self, path: str) -> bytes:
        """The bytes of a file.

        Raises:
            Problem: it cannot be read.
        """
        known = self._overlay.get(path)
        if known is not None:
            return known
        try:
            with open(path, "rb") as file:  # noqa: PTH123 - of thousands of files, pathlib's part is a twentieth of a second
                source = file.read()
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            self._note(path, None)
            raise Problem(getattr(error, "strerror", None) or str(error)) from error
        self._note(path, source)
        return source

    def _note(self, path: str, source: bytes | None) -> None:
        if self.on_read is not None:
            key = content_key(source, self._version) if source is not None else None
            if key is not None:
                self._keys[path] = key
            self.on_read(path, key)

    def facts(self, path: str) -> Facts | None:
        """The facts of a file; None if it cannot be read or parsed: whoever imports it knows nothing of it then."""
        known = self._facts.get(path)
        if type(known) is Facts:  # asked for by the hundred thousand
            return known
        try:
            return self.require(path)
        except (SourceProblem, Problem):
            return None

    def require(self, path: str, source: bytes | None = None) -> Facts:
        """The facts of a file.

        Args:
            path: its path.
            source: its bytes, if they are at hand.

        Raises:
            Problem: it cannot be read.
            SourceProblem: it cannot be decoded or parsed.
        """
        known = self._facts.get(path)
        if known is None:
            if len(self._facts) >= _KEEP:
                self._facts.clear()
            known = self._facts[path] = self._read(path, source)
        if isinstance(known, Facts):
            return known
        raise known

    def _read(self, path: str, source: bytes | None) -> Facts | SourceProblem | Problem:
        if source is None and self._cache is not None and path in self._expected:
            expected = self._cache.get(self._expected[path][0])
            if expected is not None:
                return expected
        try:
            data = self.source(path) if source is None else source
            if self._cache is None:
                return read(data)
            key = self._keys.pop(path, None) or content_key(data, self._version)
            facts = self._cache.get(key)
            if facts is None:
                facts = read(data)
                self._cache.put(key, facts)
            return facts
        except (SourceProblem, Problem) as problem:
            return problem.with_traceback(None)  # its frames hold the source and the tree
