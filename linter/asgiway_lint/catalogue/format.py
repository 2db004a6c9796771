"""The format of a catalogue file: a parsed TOML table -> `LibraryFile`, with errors that name file and key.

What a contributor writes is described in README.md beside the files. The rule of thumb: a setting (``rule``, ``use``, ...)
stands at the top of the file, in a type or in a group of names, and the nearest one counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from asgiway_lint.catalogue.model import CatalogueError, Entry, Kind, LibraryFile, TypeInfo, Wrapper
from asgiway_lint.catalogue.predicates import PREDICATES

__all__ = ["parse_library", "parse_wrappers"]

Table = Mapping[str, Any]

_DOTTED: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_CODE: Final = re.compile(r"AW\d{3}")
_PLACEHOLDER: Final = re.compile(r"\{(\w*)\}")
# {name}, {call}, {object} are filled in here; the other two wait for the user's settings.
_PLACEHOLDERS: Final = frozenset({"name", "call", "object", "http_client", "postgres"})

# Settings that nest: file, type, group. `object` is what the texts call an instance.
_TEXTS: Final = ("rule", "use", "use_anyio", "use_trio", "asyncio", "anyio", "predicate", "object")
_FLAGS: Final = ("default", "any_loop")
_SETTINGS: Final = frozenset((*_TEXTS, *_FLAGS))
_FILE_KEYS: Final = _SETTINGS | {"library", "url", "aliases", "functions", "returns", "types"}
_FUNCTION_KEYS: Final = _SETTINGS | {"names", "returns", "kind"}
_METHOD_KEYS: Final = _SETTINGS | {"names", "returns"}
_CONSTRUCTOR_KEYS: Final = _SETTINGS | {"kind"}
_TYPE_KEYS: Final = _SETTINGS | {
    "bases",
    "constructor",
    "enter",
    "attributes",
    "returns",
    "harmless",
    "methods",
    "any_method",
    "silenced_by",
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in which file we are, for error messages."""

    source: str
    key: str = ""

    def __truediv__(self, part: str | int) -> _Place:
        if isinstance(part, int):
            return _Place(self.source, f"{self.key}[{part}]")
        return _Place(self.source, f"{self.key}.{part}" if self.key else part)

    def error(self, problem: str) -> CatalogueError:
        return CatalogueError(f"{self.source}: {self.key or 'top level'}: {problem}")

    def known(self, table: Table, allowed: frozenset[str]) -> None:
        for key in table:
            if key not in allowed:
                raise (self / key).error(f"unknown key; allowed here: {', '.join(sorted(allowed))}")

    def text(self, value: object) -> str:
        if not isinstance(value, str):
            raise self.error(f"expected a string, found {value!r}")
        return value

    def table(self, value: object) -> Table:
        if not isinstance(value, dict):
            raise self.error(f"expected a table, found {value!r}")
        return cast("Table", value)

    def texts(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self.error(f"expected a list of strings, found {value!r}")
        return tuple((self / i).text(item) for i, item in enumerate(cast("list[object]", value)))

    def groups(self, value: object) -> Iterator[tuple[_Place, Table]]:
        if not isinstance(value, list):
            raise self.error("expected an array of tables ([[...]])")
        for i, item in enumerate(cast("list[object]", value)):
            yield self / i, (self / i).table(item)

    def dotted(self, value: object) -> str:
        text = self.text(value)
        if _DOTTED.fullmatch(text) is None:
            raise self.error(f"expected a dotted name, found {text!r}")
        return text


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings that hold at one place of the file: its own and the inherited ones."""

    values: Mapping[str, str | bool]

    def nested(self, place: _Place, table: Table) -> _Settings:
        own: dict[str, str | bool] = {}
        for key in _TEXTS:
            if key in table:
                own[key] = (place / key).text(table[key])
                _check_text(place / key, key, own[key])
        for key in _FLAGS:
            if key in table:
                if not isinstance(table[key], bool):
                    raise (place / key).error(f"expected true or false, found {table[key]!r}")
                own[key] = table[key]
        inherited = dict(self.values)
        if "use" in own:
            # A new replacement makes the outer one's variants and examples wrong.
            for key in ("use_anyio", "use_trio", "asyncio", "anyio", "any_loop"):
                inherited.pop(key, None)
        return _Settings(inherited | own)

    def text(self, key: str) -> str:
        return str(self.values.get(key, ""))

    def flag(self, key: str, default: bool) -> bool:
        return bool(self.values.get(key, default))

    def entry(self, place: _Place, name: str, kind: Kind, call: str) -> Entry:
        """The entry for `name`; `call` is what one would write to pass the callable on."""
        if not self.text("rule"):
            raise place.error(f"no rule for {name}: set rule = 'AW...' here, in the type or at the top of the file")
        in_thread = "asyncio.to_thread({call}, ...)"
        in_anyio_thread = "anyio.to_thread.run_sync({call}, ...)"
        in_trio_thread = "trio.to_thread.run_sync({call}, ...)"
        any_loop = self.flag("any_loop", False)
        use = self.text("use")
        use_anyio = self.text("use_anyio") or use or in_anyio_thread
        use_trio = self.text("use_trio") or (use if any_loop and use else in_trio_thread)
        asyncio = self.text("asyncio") or use or f"await {in_thread}"
        anyio = self.text("anyio")
        if not anyio and any_loop:
            anyio = asyncio
        elif not anyio and use:
            anyio = f"{asyncio} (asyncio only; elsewhere await {in_anyio_thread})"
        elif not anyio:
            anyio = f"await {in_anyio_thread}"

        def fill(text: str) -> str:
            filled = text.replace("{name}", name.rpartition(".")[2]).replace("{call}", call)
            return filled.replace("{object}", self.text("object") or "obj")

        return Entry(
            name=name,
            kind=kind,
            rule=self.text("rule"),
            use=fill(use or in_thread),
            use_anyio=fill(use_anyio),
            use_trio=fill(use_trio),
            asyncio=fill(asyncio),
            anyio=fill(anyio),
            predicate=self.text("predicate"),
            default=self.flag("default", True),
        )


def _check_text(place: _Place, key: str, text: object) -> None:
    text = str(text)
    if key == "rule" and _CODE.fullmatch(text) is None:
        raise place.error(f"expected a rule code such as AW102, found {text!r}")
    if key == "predicate" and text and text not in PREDICATES:
        raise place.error(f"no such predicate {text!r}; there are: {', '.join(sorted(PREDICATES))}")
    if key == "use" and not text:
        raise place.error("empty; leave it out for asyncio.to_thread(...)")
    if key in {"use", "use_anyio", "use_trio"}:
        for placeholder in _PLACEHOLDER.findall(text):
            if placeholder not in _PLACEHOLDERS:
                raise place.error(
                    f"unknown placeholder {{{placeholder}}}; there are: {', '.join(sorted(_PLACEHOLDERS))}"
                )


def parse_library(package: str, table: Table, source: str) -> LibraryFile:
    """One catalogue file.

    Args:
        package: the top-level import package that the file is about, and named after.
        table: the parsed TOML document.
        source: name of the file for error messages.

    Raises:
        CatalogueError: something in it is wrong; the message names `source` and the key.
    """
    place = _Place(source)
    place.known(table, _FILE_KEYS)
    parser = _Parser(package, _Settings({}).nested(place, table))
    for where, group in (place / "functions").groups(table.get("functions", [])):
        parser.functions(where, group)
    for name, target in parser.by_type(place / "returns", table.get("returns", {})).items():
        parser.result(place / "returns", parser.full((place / "returns").dotted(name)), target)
    types = (place / "types").table(table.get("types", {}))
    for name, value in types.items():
        where = place / "types" / name
        parser.type(where, where.dotted(name), where.table(value))
    return LibraryFile(
        package=package,
        library=(place / "library").text(table.get("library", package)),
        url=(place / "url").text(table.get("url", "")),
        entries=parser.entries,
        types=parser.types,
        returns=parser.returns,
        aliases=parser.aliases(place / "aliases", table.get("aliases", {})),
    )


class _Parser:
    """Collects what one file declares."""

    def __init__(self, package: str, settings: _Settings) -> None:
        self.package = package
        self.settings = settings
        self.entries: dict[str, Entry] = {}
        self.types: dict[str, TypeInfo] = {}
        self.returns: dict[str, str] = {}

    def full(self, name: str) -> str:
        return f"{self.package}.{name}"

    def reference(self, place: _Place, value: object) -> str:
        """A type: ``.Session`` is this package's, ``botocore.client.BaseClient`` is a full name."""
        text = place.text(value)
        if text.startswith("."):
            return self.full(place.dotted(text[1:]))
        return place.dotted(text)

    def add(self, place: _Place, entry: Entry) -> None:
        if entry.name in self.entries:
            raise place.error(f"{entry.name} stands in this file twice")
        self.entries[entry.name] = entry

    def kind(self, place: _Place, table: Table, default: Kind) -> Kind:
        value = table.get("kind", default)
        if value not in ("function", "constructor", "context_manager"):
            raise (place / "kind").error(f"expected 'function', 'constructor' or 'context_manager', found {value!r}")
        return cast("Kind", value)

    def functions(self, place: _Place, table: Table) -> None:
        place.known(table, _FUNCTION_KEYS)
        settings = self.settings.nested(place, table)
        kind = self.kind(place, table, "function")
        names = (place / "names").texts(table.get("names"))
        for i, name in enumerate(names):
            full = self.full((place / "names" / i).dotted(name))
            written = name if self.package == "builtins" else full
            self.add(place / "names" / i, settings.entry(place, full, kind, written))
            if "returns" in table:
                self.result(place / "returns", full, self.reference(place / "returns", table["returns"]))

    def result(self, place: _Place, name: str, target: str) -> None:
        if name in self.returns:
            raise place.error(f"{name} has a result type already")
        self.returns[name] = target

    def type(self, place: _Place, name: str, table: Table) -> None:
        place.known(table, _TYPE_KEYS)
        full = self.full(name)
        settings = self.settings.nested(place, table)
        instance = settings.text("object") or "obj"
        constructor = table.get("constructor", False)
        if constructor is not False:
            where = place / "constructor"
            own: Table = {} if constructor is True else where.table(constructor)
            where.known(own, _CONSTRUCTOR_KEYS)
            self.add(where, settings.nested(where, own).entry(where, full, self.kind(where, own, "constructor"), full))
        returns = self.by_type(place / "returns", table.get("returns", {}))
        for where, group in (place / "methods").groups(table.get("methods", [])):
            where.known(group, _METHOD_KEYS)
            nested = settings.nested(where, group)
            for i, method in enumerate((where / "names").texts(group.get("names"))):
                method = (where / "names" / i).dotted(method)
                entry = nested.entry(where, f"{full}.{method}", "method", f"{instance}.{method}")
                self.add(where / "names" / i, entry)
                if "returns" in group:
                    returns[method] = self.reference(where / "returns", group["returns"])
        any_method = None
        if "any_method" in table:
            where = place / "any_method"
            own = where.table(table["any_method"])
            where.known(own, _SETTINGS)
            any_method = settings.nested(where, own).entry(where, f"{full}.*", "method", f"{instance}.*")
        bases = (place / "bases").texts(table.get("bases", []))
        silenced = (place / "silenced_by").table(table.get("silenced_by", {}))
        for method, predicate in silenced.items():
            _check_text(place / "silenced_by" / method, "predicate", (place / "silenced_by" / method).text(predicate))
        self.types[full] = TypeInfo(
            name=full,
            bases=tuple(self.reference(place / "bases" / i, base) for i, base in enumerate(bases)),
            enter=self.reference(place / "enter", table["enter"]) if "enter" in table else "",
            attributes=self.by_type(place / "attributes", table.get("attributes", {})),
            returns=returns,
            harmless=frozenset((place / "harmless").texts(table.get("harmless", []))),
            any_method=any_method,
            silenced_by=dict(silenced),
        )

    def by_type(self, place: _Place, value: object) -> dict[str, str]:
        """``{".Cursor" = ["cursor"]}`` -> ``{"cursor": "sqlite3.Cursor"}``."""
        found: dict[str, str] = {}
        for type_name, names in place.table(value).items():
            target = self.reference(place / type_name, type_name)
            for name in (place / type_name).texts(names):
                if name in found:
                    raise (place / type_name).error(f"{name} stands here twice")
                found[name] = target
        return found

    def aliases(self, place: _Place, value: object) -> dict[str, str]:
        found: dict[str, str] = {}
        for alias, target in place.table(value).items():
            (place / alias).dotted(alias)
            if alias != self.package and not alias.startswith(f"{self.package}."):
                raise (place / alias).error(f"an alias in this file must begin with {self.package!r}")
            if alias in self.entries or alias in self.types:
                raise (place / alias).error("is a canonical name of this file and cannot be an alias, too")
            found[alias] = (place / alias).dotted(target)
        return found


_WRAPPER_KINDS: Final = ("call", "converter", "decorator")
_WRAPPER_KEYS: Final = frozenset({"names", "kind", "position", "keyword", "any_receiver"})


def parse_wrappers(table: Table, source: str) -> tuple[Wrapper, ...]:
    """The file of sanctioned wrappers.

    Args:
        table: the parsed TOML document.
        source: name of the file for error messages.

    Raises:
        CatalogueError: something in it is wrong; the message names `source` and the key.
    """
    place = _Place(source)
    place.known(table, frozenset({"wrappers"}))
    found: dict[str, Wrapper] = {}
    for where, group in (place / "wrappers").groups(table.get("wrappers", [])):
        where.known(group, _WRAPPER_KEYS)
        kind = group.get("kind", "call")
        if kind not in _WRAPPER_KINDS:
            raise (where / "kind").error(f"expected one of {', '.join(_WRAPPER_KINDS)}, found {kind!r}")
        position = group.get("position", 0)
        if type(position) is not int or position < 0:
            raise (where / "position").error(f"expected the index of an argument, found {position!r}")
        any_receiver = group.get("any_receiver", False)
        if not isinstance(any_receiver, bool):
            raise (where / "any_receiver").error(f"expected true or false, found {any_receiver!r}")
        for i, name in enumerate((where / "names").texts(group.get("names"))):
            name = (where / "names" / i).dotted(name)
            if name in found:
                raise (where / "names" / i).error(f"{name} stands in this file twice")
            found[name] = Wrapper(
                name=name,
                kind=kind,
                position=position,
                keyword=(where / "keyword").text(group.get("keyword", "")),
                any_receiver=any_receiver,
            )
    return tuple(found.values())
