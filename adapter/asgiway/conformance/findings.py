"""What a check finds, and where: a finding, its place in the application's source, and the collection of a whole run."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, TracebackType

from asgiway.conformance.rules import RULES, Rule

__all__ = ["Finding", "Findings", "Place", "Places"]

_HERE = Path(__file__).resolve().parent
_ADAPTER = _HERE.parent
_INSTALLED = {"site-packages", "dist-packages"}
_STDLIB = {Path(sysconfig.get_path(kind)).resolve() for kind in ("stdlib", "platstdlib")}


@dataclass(frozen=True, slots=True)
class Place:
    """A line of source.

    Parameters:
        file: absolute path.
        line: counted from 1.
        own: it is the application's own, and not a library's that the application called.
        exact: it is the line itself; otherwise the application's last line before a library did it.
    """

    file: str
    line: int
    own: bool = True
    exact: bool = True

    def __str__(self) -> str:
        try:
            shown = Path(self.file).relative_to(Path.cwd())
        except ValueError:
            shown = Path(self.file)
        return f"{shown}:{self.line}"


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that the application breaks.

    Parameters:
        rule: which.
        message: what was seen.
        place: where, None when that is not known.
        requests: with which requests it was seen, such as "GET /".
    """

    rule: Rule
    message: str
    place: Place | None
    requests: tuple[str, ...] = ()


@dataclass(slots=True)
class Findings:
    """The findings of a run; the same one is kept once, with every request that showed it."""

    request: str = ""
    """The request under way."""
    _found: dict[tuple[str, str, Place | None], list[str]] = field(
        default_factory=dict[tuple[str, str, Place | None], list[str]]
    )

    def add(self, rule: str, message: str, place: Place | None = None) -> None:
        """Add what the request under way has shown."""
        requests = self._found.setdefault((rule, message, place), [])
        if self.request not in requests:
            requests.append(self.request)

    def shown(self, *rules: str) -> bool:
        """Whether the request under way has broken one of these rules; without rules: any that is a breach."""
        return any(
            self.request in requests and (name in rules if rules else RULES[name].breach)
            for (name, _, _), requests in self._found.items()
        )

    def __iter__(self) -> Iterator[Finding]:
        """By place, then in the order of their appearance; breaches first."""
        found = [
            Finding(RULES[rule], message, place, tuple(requests))
            for (rule, message, place), requests in self._found.items()
        ]
        return iter(sorted(found, key=_order))

    @property
    def breaches(self) -> list[Finding]:
        """What breaks PEP 3333."""
        return [finding for finding in self if finding.rule.breach]

    @property
    def notes(self) -> list[Finding]:
        """What is worth knowing."""
        return [finding for finding in self if not finding.rule.breach]


def _order(finding: Finding) -> tuple[bool, str, int]:
    place = finding.place
    return (not finding.rule.breach, "", 0) if place is None else (not finding.rule.breach, place.file, place.line)


class Places:
    """Finds the application's line among the frames of a call.

    Parameters:
        roots: folders that are the application's although they lie where libraries are installed.
    """

    def __init__(self, roots: Iterable[Path] = ()) -> None:
        self._roots = [root.resolve() for root in roots]
        self._kinds: dict[str, str] = {}

    def _kind(self, file: str) -> str:
        kind = self._kinds.get(file)
        if kind is None:
            kind = self._kinds[file] = self._find_kind(file)
        return kind

    def _find_kind(self, file: str) -> str:
        if file.startswith("<"):  # generated code
            return "library"
        path = Path(file).resolve()
        if path.is_relative_to(_ADAPTER):
            return "adapter"
        if any(path.is_relative_to(root) for root in self._roots):
            return "own"
        if _INSTALLED.intersection(path.parts):
            return "library"
        # site-packages lie inside the standard library's folder, so this one comes second
        return "adapter" if any(path.is_relative_to(folder) for folder in _STDLIB) else "own"

    def is_own(self, code: CodeType) -> bool:
        """Whether it is the application's own code."""
        return self._kind(code.co_filename) == "own"

    def of_code(self, code: CodeType, line: int | None = None) -> Place | None:
        """A line of `code`, its first one if None is given; None when it is neither the application's nor a library's."""
        kind = self._kind(code.co_filename)
        if kind == "adapter":
            return None
        return Place(code.co_filename, line or code.co_firstlineno, own=kind == "own")

    def _choose(self, frames: Iterable[tuple[CodeType, int | None]]) -> Place | None:
        """Of frames with the innermost first: the application's, or else the library's that was called last."""
        library = None
        for code, line in frames:
            place = self.of_code(code, line)
            if place is not None and place.own:
                return place
            library = library or place
        return library

    def of_caller(self) -> Place | None:
        """Where the application is that calls the caller of this method."""

        def frames() -> Iterator[tuple[CodeType, int | None]]:
            frame: FrameType | None = sys._getframe(1)  # pyright: ignore[reportPrivateUsage] - documented
            while frame is not None:
                yield frame.f_code, frame.f_lineno
                frame = frame.f_back

        return self._choose(frames())

    def of_traceback(self, traceback: TracebackType | None) -> Place | None:
        """Where in the application an exception passed last."""
        frames: list[tuple[CodeType, int | None]] = []
        while traceback is not None:
            frames.append((traceback.tb_frame.f_code, traceback.tb_lineno))
            traceback = traceback.tb_next
        return self._choose(reversed(frames))

    def of_iterator(self, iterator: object) -> Place | None:
        """Where a generator stands; None for other iterators."""
        frame: FrameType | None = getattr(iterator, "gi_frame", None)
        inner: object = getattr(iterator, "gi_yieldfrom", None)
        found = self.of_iterator(inner) if inner is not None else None
        if found is not None or frame is None:
            return found
        place = self.of_code(frame.f_code, frame.f_lineno)
        return place if place is not None and place.own else None
