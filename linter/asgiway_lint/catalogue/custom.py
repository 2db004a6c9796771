"""The catalogue as a project sees it that adds to it in its settings: calls of its own that block, wrappers, replacements."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from asgiway_lint.catalogue.loader import Catalogue
from asgiway_lint.catalogue.model import Entry, ReplacementSettings, Wrapper
from asgiway_lint.config import NamePattern

__all__ = ["CustomCatalogue", "Customs"]


@dataclass(frozen=True, slots=True)
class Customs:
    """What a project's settings add to the catalogue.

    Args:
        blocking: pattern -> code of the rule that reports it; ``""`` for calls that are not to be reported.
        wrappers: names of functions that run their first argument elsewhere, or decorators that do.
        replacements: pattern -> what to use instead.
    """

    blocking: tuple[NamePattern, ...] = ()
    wrappers: tuple[str, ...] = ()
    replacements: tuple[NamePattern, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.blocking or self.wrappers or self.replacements)


@dataclass(frozen=True, slots=True)
class _Table:
    """Patterns, tried in this order: exact names first, then the longest pattern."""

    patterns: tuple[tuple[re.Pattern[str], str], ...] = field(default=())

    @classmethod
    def of(cls, patterns: Sequence[NamePattern]) -> _Table:
        ordered = sorted(patterns, key=lambda pattern: ("*" in pattern.text, -len(pattern.text), pattern.text))
        return cls(
            tuple([(re.compile(re.escape(pattern.text).replace(r"\*", ".*")), pattern.value) for pattern in ordered])
        )

    def get(self, name: str) -> str | None:
        """What the best pattern for a name says; None if there is none."""
        return next((value for pattern, value in self.patterns if pattern.fullmatch(name)), None)


class CustomCatalogue(Catalogue):
    """The shipped catalogue with a project's additions, which come first.

    Args:
        base: the shipped catalogue; what it has parsed is shared.
        customs: the additions.
    """

    def __init__(self, base: Catalogue, customs: Customs) -> None:
        super().__init__(base._folder)
        self._files = base._files
        self._canonical = base._canonical
        self._blocking = _Table.of(customs.blocking)
        self._replacements = _Table.of(customs.replacements)
        self._own_wrappers = frozenset(customs.wrappers)
        self._tops = frozenset(pattern.text.partition(".")[0] for pattern in customs.blocking)
        self._any_top = any("*" in top for top in self._tops)
        self._known: dict[str, tuple[bool, Entry | None]] = {}

    @property
    def customised(self) -> bool:
        """See `Catalogue.customised`."""
        return True

    def concerns(self, top: str) -> bool:
        """See `Catalogue.concerns`."""
        return top in self._tops or self._any_top or super().concerns(top)

    def custom_entry(self, name: str) -> tuple[bool, Entry | None]:
        """See `Catalogue.custom_entry`."""
        known = self._known.get(name)
        if known is None:
            rule = self._blocking.get(name)
            if rule is None:
                rule = self._blocking.get(self.canonical(name))
            known = self._known[name] = (rule is not None, _entry(name, rule) if rule else None)
        return known

    def find(self, name: str) -> Entry | None:
        """See `Catalogue.find`."""
        found, entry = self.custom_entry(name)
        return entry if found else super().find(name)

    def find_method(self, type_name: str, method: str) -> Entry | None:
        """See `Catalogue.find_method`."""
        found, entry = self.custom_entry(f"{type_name}.{method}")
        return entry if found else super().find_method(type_name, method)

    def result_type(self, name: str) -> str | None:
        """See `Catalogue.result_type`; a class that the settings name makes objects of itself."""
        found = super().result_type(name)
        return name if found is None and self.custom_entry(name)[0] and _looks_like_class(name) else found

    def wrapper(self, name: str) -> Wrapper | None:
        """See `Catalogue.wrapper`."""
        if name in self._own_wrappers:
            return Wrapper(name=name, kind="call")
        return super().wrapper(name)

    def replacement(self, entry: Entry, settings: ReplacementSettings) -> str:
        """See `Catalogue.replacement`."""
        return self._replacements.get(entry.name) or super().replacement(entry, settings)


def _looks_like_class(name: str) -> bool:
    """Whether a dotted name is written like that of a class."""
    return name.rpartition(".")[2].lstrip("_")[:1].isupper()


def _entry(name: str, rule: str) -> Entry:
    threads = Entry(
        name=name,
        kind="function",
        rule=rule,
        use=f"asyncio.to_thread({name}, ...)",
        use_anyio=f"anyio.to_thread.run_sync({name}, ...)",
        use_trio=f"trio.to_thread.run_sync({name}, ...)",
        asyncio="",
        anyio="",
    )
    return replace(threads, asyncio=f"await {threads.use}", anyio=f"await {threads.use_anyio}")
