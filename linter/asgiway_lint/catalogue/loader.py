"""Look-ups in the catalogue. A library's file is parsed when a name of that library is first asked for, and only then."""

from __future__ import annotations

import dataclasses
import functools
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from asgiway_lint.catalogue.format import parse_library, parse_wrappers
from asgiway_lint.catalogue.model import CatalogueError, Entry, LibraryFile, ReplacementSettings, TypeInfo, Wrapper

__all__ = ["Catalogue", "load"]

_FOLDER: Final = Path(__file__).parent
_WRAPPERS: Final = "wrappers.toml"
_HTTP_CLIENTS: Final[Mapping[str, str]] = {
    "httpx": "httpx.AsyncClient",
    "httpx2": "httpx2.AsyncClient",
    "aiohttp": "aiohttp.ClientSession",
    "niquests": "niquests.AsyncSession",
}
_POSTGRES: Final[Mapping[str, str]] = {
    # asyncpg's SQL and API differ much from DB-API drivers', so the near relative is always named, too.
    "asyncpg": "asyncpg.connect or psycopg.AsyncConnection.connect",
    "psycopg": "psycopg.AsyncConnection.connect",
}
_MAX_ALIASES: Final = 8


class Catalogue:
    """What is known of libraries, by qualified name.

    All look-ups take names as resolved through imports, understand the libraries' own aliases and re-exports
    (``requests.api.get``), and answer None for what is unknown - asynchronous twins included.
    """

    def __init__(self, folder: Path) -> None:
        """Args:
        folder: the folder that holds the ``.toml`` files.
        """
        self._folder = folder
        self._packages: frozenset[str] | None = None
        self._files: dict[str, LibraryFile | None] = {}
        self._canonical: dict[str, str] = {}
        self._wrappers: dict[str, Wrapper] | None = None
        self._wrapper_methods: dict[str, Wrapper] = {}

    @property
    def packages(self) -> frozenset[str]:
        """The top-level import packages that have a file; lists the folder once and parses nothing."""
        if self._packages is None:  # no `cached_property`: mypyc makes a plain property of it
            self._packages = frozenset(path.stem for path in self._folder.glob("*.toml") if path.name != _WRAPPERS)
        return self._packages

    def known_package(self, top: str) -> bool:
        """Whether there is a file for the top-level import package `top`; parses nothing."""
        return top in self.packages

    @property
    def customised(self) -> bool:
        """Whether a project's settings add to it; only then do its own functions have entries."""
        return False

    def concerns(self, top: str) -> bool:
        """Whether anything of the top-level package `top` may have an entry; parses nothing."""
        return self.known_package(top)

    def custom_entry(self, name: str) -> tuple[bool, Entry | None]:
        """Whether a project's settings say something of a name, and the entry that they make; None: not to be reported."""
        return False, None

    @property
    def parsed_packages(self) -> tuple[str, ...]:
        """The packages whose files have been parsed so far."""
        return tuple(sorted(name for name, file in self._files.items() if file is not None))

    def library(self, top: str) -> LibraryFile | None:
        """Everything known of the import package `top`, or None.

        Raises:
            CatalogueError: its file is malformed.
        """
        if top not in self._files:
            self._files[top] = self._parse(top) if self.known_package(top) else None
        return self._files[top]

    def canonical(self, name: str) -> str:
        """The name under which the catalogue knows `name`; `name` itself when it is no alias.

        Args:
            name: dotted name of a function, class, method or module.
        """
        known = self._canonical.get(name)
        if known is None:
            known = self._canonical[name] = self._resolve(name)
        return known

    def find(self, name: str) -> Entry | None:
        """The entry of a called function or class, or of a method called through its class or a module-level object.

        Args:
            name: resolved dotted name: ``requests.get``, ``zipfile.ZipFile``, ``pathlib.Path.cwd``,
                ``django.core.cache.cache.get``.
        """
        name = self.canonical(name)
        file = self.library(name.partition(".")[0])
        if file is None:
            return None
        entry = file.entries.get(name)
        if entry is not None:
            return entry
        owner, _, method = name.rpartition(".")
        return self.find_method(owner, method) if owner in file.types else None

    def find_method(self, type_name: str, method: str) -> Entry | None:
        """The entry of a method on an object of a type; walks the bases that the catalogue knows.

        Args:
            type_name: resolved dotted name of the receiver's type.
            method: name of the method; ``__enter__`` and ``__next__`` are asked for like others.
        """
        catch_all: Entry | None = None
        for info in self._lineage(type_name):
            entry = self._entry(f"{info.name}.{method}")
            if entry is not None:
                return entry
            if method in info.harmless:
                return None
            if catch_all is None and not method.startswith("_"):
                catch_all = info.any_method
        return _for_method(catch_all, method) if catch_all is not None else None

    def is_type(self, name: str) -> bool:
        """Whether the catalogue knows the class `name`."""
        return self._type(self.canonical(name)) is not None

    def result_type(self, name: str) -> str | None:
        """The type that calling `name` yields.

        Args:
            name: a function, a class (yields itself) or ``Type.method``; operators by their method
                (``pathlib.Path.__truediv__``, ``pymongo.MongoClient.__getitem__``), calling an object ``Type.__call__``,
                iterating over it ``Type.__iter__`` (yields the type of the items).
        """
        name = self.canonical(name)
        file = self.library(name.partition(".")[0])
        if file is None:
            return None
        if name in file.types:
            return name
        if name in file.returns:
            return self.canonical(file.returns[name])
        owner, _, method = name.rpartition(".")
        for info in self._lineage(owner):
            if method in info.returns:
                return self.canonical(info.returns[method])
        return None

    def enter_type(self, type_name: str) -> str | None:
        """The type that ``with x as y`` binds to y for an x of `type_name`; None when the type is unknown."""
        lineage = tuple(self._lineage(type_name))
        for info in lineage:
            if info.enter:
                return self.canonical(info.enter)
        return lineage[0].name if lineage else None

    def attribute_type(self, type_name: str, attribute: str) -> str | None:
        """The type of an attribute of an object of `type_name`, or None."""
        any_attribute = None
        for info in self._lineage(type_name):
            if attribute in info.attributes:
                return self.canonical(info.attributes[attribute])
            if attribute in info.returns or attribute in info.harmless or self._entry(f"{info.name}.{attribute}"):
                return None  # a method
            any_attribute = any_attribute or info.attributes.get("*")
        return self.canonical(any_attribute) if any_attribute and not attribute.startswith("_") else None

    def silenced_by(self, type_name: str) -> Mapping[str, str]:
        """Methods after whose call an object of `type_name` no longer blocks, with the predicate on that call's arguments.

        ``{"setblocking": "false-argument", "settimeout": "zero-argument"}`` for sockets, ``{"done": ""}`` for futures.
        """
        found: dict[str, str] = {}
        for info in self._lineage(type_name):
            found = {**info.silenced_by, **found}
        return found

    def wrapper(self, name: str) -> Wrapper | None:
        """The sanctioned wrapper `name`, or None.

        Args:
            name: resolved dotted name: ``asyncio.to_thread``, ``asyncio.AbstractEventLoop.run_in_executor``.
        """
        wrappers = self._load_wrappers()
        found = wrappers.get(name) or wrappers.get(self.canonical(name))
        if found is not None:
            return found
        owner, _, method = name.rpartition(".")
        for info in self._lineage(owner):
            if f"{info.name}.{method}" in wrappers:
                return wrappers[f"{info.name}.{method}"]
        return None

    def wrapper_method(self, method: str) -> Wrapper | None:
        """The wrapper that a method of this name certainly is, whatever its receiver (``run_in_executor``), or None."""
        self._load_wrappers()
        return self._wrapper_methods.get(method)

    def is_sanctioned(self, name: str) -> bool:
        """Whether `name` is a wrapper that runs a callable argument off the event loop."""
        return self.wrapper(name) is not None

    def replacement(self, entry: Entry, settings: ReplacementSettings) -> str:
        """The short replacement for messages.

        Args:
            entry: what is to be replaced.
            settings: the user's async library, HTTP client and PostgreSQL driver.
        """
        library = settings.async_library
        text = {"anyio": entry.use_anyio, "trio": entry.use_trio}.get(library or "", entry.use)
        if "{" not in text:
            return text
        # Of the four clients only httpx and its successor run on trio; psycopg's and asyncpg's connections need asyncio.
        http_client = settings.http_client
        if library == "trio" and http_client not in ("httpx", "httpx2"):
            http_client = "httpx"
        client = _HTTP_CLIENTS.get(http_client, http_client)
        driver = _POSTGRES.get(settings.postgres, settings.postgres)
        return text.replace("{http_client}", client).replace("{postgres}", driver)

    def entries(self) -> Iterator[Entry]:
        """Every entry of every library, by package and then in the file's order; parses all files."""
        for package in sorted(self.packages):
            file = self.library(package)
            assert file is not None
            yield from file.entries.values()
            for info in file.types.values():
                if info.any_method is not None:
                    yield info.any_method

    def wrappers(self) -> tuple[Wrapper, ...]:
        """Every sanctioned wrapper, in the file's order."""
        return tuple(self._load_wrappers().values())

    def _entry(self, name: str) -> Entry | None:
        file = self.library(name.partition(".")[0])
        return file.entries.get(name) if file is not None else None

    def _type(self, name: str) -> TypeInfo | None:
        file = self.library(name.partition(".")[0])
        return file.types.get(name) if file is not None else None

    def _lineage(self, type_name: str) -> Iterator[TypeInfo]:
        """The type and its known bases, depth first; enough for lookups, as no catalogued class needs C3."""
        seen: set[str] = set()
        pending = [self.canonical(type_name)]
        while pending:
            name = pending.pop()
            info = self._type(name)
            if info is None or name in seen:
                continue
            seen.add(name)
            yield info
            pending.extend(self.canonical(base) for base in reversed(info.bases))

    def _resolve(self, name: str) -> str:
        for _ in range(_MAX_ALIASES):
            file = self.library(name.partition(".")[0])
            if file is None:
                return name
            prefix = name
            while prefix:
                if prefix in file.entries or prefix in file.types or prefix in file.returns:
                    return name
                target = file.aliases.get(prefix)
                if target is not None:
                    break
                prefix = prefix.rpartition(".")[0]
            else:
                return name
            name = target + name[len(prefix) :]
        raise CatalogueError(
            f"{name}: its aliases lead in a circle; look at [aliases] in {name.partition('.')[0]}.toml"
        )

    def _parse(self, package: str) -> LibraryFile:
        return parse_library(package, self._read(f"{package}.toml"), f"{package}.toml")

    def _read(self, file_name: str) -> dict[str, object]:
        try:
            return tomllib.loads((self._folder / file_name).read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise CatalogueError(f"{file_name}: is not valid TOML: {error}") from error

    def _load_wrappers(self) -> dict[str, Wrapper]:
        if self._wrappers is None:
            found = parse_wrappers(self._read(_WRAPPERS), _WRAPPERS)
            self._wrappers = {wrapper.name: wrapper for wrapper in found}
            self._wrapper_methods = {w.name.rpartition(".")[2]: w for w in found if w.any_receiver}
        return self._wrappers


def _for_method(entry: Entry, method: str) -> Entry:
    """The entry ``<type>.*`` as that of one method; a ``*`` in its texts stands for the method's name, too."""
    texts = ("name", "use", "use_anyio", "use_trio", "asyncio", "anyio")
    return dataclasses.replace(entry, **{key: getattr(entry, key).replace("*", method) for key in texts})


@functools.cache
def load() -> Catalogue:
    """The catalogue that is shipped with asgiway-lint; the same object every time, so that no file is parsed twice."""
    return Catalogue(_FOLDER)
