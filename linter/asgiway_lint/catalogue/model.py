"""What the catalogue is made of: entries, types, wrappers. Plain data, no I/O."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from asgiway_lint.errors import UsageError

__all__ = [
    "CatalogueError",
    "Entry",
    "Kind",
    "LibraryFile",
    "ReplacementSettings",
    "TypeInfo",
    "Wrapper",
    "WrapperKind",
]

Kind = Literal["function", "method", "constructor", "context_manager"]
WrapperKind = Literal["call", "converter", "decorator"]


class CatalogueError(UsageError):
    """A catalogue file is malformed.

    The message names the file, the key in it, what is wrong and what is expected, so that a contributor can repair it.
    """


class ReplacementSettings(Protocol):
    """The part of the user's settings that a replacement depends on (`asgiway_lint.config.Settings` satisfies it)."""

    @property
    def async_library(self) -> str | None:
        """``"asyncio"``, ``"anyio"``, ``"trio"`` or None for not set, which means asyncio."""
        ...

    @property
    def http_client(self) -> str:
        """``"httpx"``, ``"httpx2"``, ``"aiohttp"`` or ``"niquests"``."""
        ...

    @property
    def postgres(self) -> str:
        """``"asyncpg"`` or ``"psycopg"``."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One call that blocks.

    Attributes:
        name: canonical qualified name: ``requests.get``, ``requests.Session.get``, ``zipfile.ZipFile`` (constructor).
        kind: ``context_manager`` entries block where a ``with`` statement enters or leaves them, not where they are made;
            the three others block where they are called.
        rule: code of the rule that reports it, ``AW102``.
        use: short replacement for messages under asyncio, with ``{http_client}`` or ``{postgres}`` where a setting
            chooses; `Catalogue.replacement` fills it in.
        use_anyio: the same when ``async-library`` is anyio.
        use_trio: the same when ``async-library`` is trio.
        asyncio: what to write instead under asyncio, for pages and JSON.
        anyio: what to write instead under anyio or trio.
        predicate: name of the condition on the call's arguments (`predicates.PREDICATES`) under which it blocks;
            ``""`` for always.
        default: False for calls too cheap or too often harmless to report unasked.
    """

    name: str
    kind: Kind
    rule: str
    use: str
    use_anyio: str
    use_trio: str
    asyncio: str
    anyio: str
    predicate: str = ""
    default: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeInfo:
    """What is known of one class (or of one module-level object that acts as one, like ``sys.stdin``).

    Attributes:
        name: canonical qualified name.
        bases: canonical names of its bases, nearest first; they may belong to other libraries.
        enter: type that ``with x as y`` binds to y, ``""`` for the type itself.
        attributes: attribute -> type; ``*`` for every public attribute that is no known method.
        returns: method -> type that it returns.
        harmless: methods that don't block although a base or `any_method` says so.
        any_method: the entry, named ``<type>.*``, for every public method that is not listed: remote proxies whose
            methods are made at run time. ``*`` in its texts stands for the method, too.
        silenced_by: method -> predicate: after such a call on an object its methods no longer block
            (``socket.setblocking(False)``).
    """

    name: str
    bases: tuple[str, ...] = ()
    enter: str = ""
    attributes: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    returns: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    harmless: frozenset[str] = frozenset()
    any_method: Entry | None = None
    silenced_by: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryFile:
    """One parsed catalogue file.

    Attributes:
        package: top-level import package, the file's name without its suffix.
        library: name for people.
        url: the library's own documentation.
        entries: full name -> entry.
        types: full name -> type.
        returns: full name of a function -> type that it returns.
        aliases: name or module prefix -> canonical name or prefix.
    """

    package: str
    library: str
    url: str
    entries: Mapping[str, Entry]
    types: Mapping[str, TypeInfo]
    returns: Mapping[str, str]
    aliases: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    """A callable that runs another callable off the event loop.

    Attributes:
        name: canonical qualified name, ``asyncio.to_thread``; for a method on a type ``asyncio.AbstractEventLoop.run_in_executor``.
        kind: ``call``: runs its argument elsewhere (``asyncio.to_thread(f)``); ``converter``: returns an async function
            made of its argument (``sync_to_async(f)``, also usable as a decorator); ``decorator``: only of use as a
            decorator.
        position: index of the argument that is the callable.
        keyword: the same by keyword, ``""`` when it cannot be passed so.
        any_receiver: for methods: the name is so particular that it counts on objects of unknown type, too
            (``run_in_executor``).
    """

    name: str
    kind: WrapperKind
    position: int = 0
    keyword: str = ""
    any_receiver: bool = False
