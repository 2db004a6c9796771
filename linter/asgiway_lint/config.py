"""Settings: what every key is called, what it may be, its default, and how layers of them add up.

A layer is what one configuration file, one `--config` option or the command line says; `configfiles` decides which layers hold for
a file, `Settings.from_layers` adds them up, lowest first. Nothing here touches the file system.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args

from asgiway_lint.errors import ConfigError, nearest
from asgiway_lint.finding import Severity
from asgiway_lint.globs import Glob, GlobError, compile_glob
from asgiway_lint.selection import Selection, SelectorError, check_selector

__all__ = [
    "CACHE_FOLDER",
    "DEFAULT_EXCLUDE",
    "KEYS",
    "OUTPUT_FORMATS",
    "AsyncLibrary",
    "HttpClient",
    "Layer",
    "NamePattern",
    "OutputFormat",
    "PerFileIgnore",
    "Postgres",
    "PreferFix",
    "Settings",
    "parse_layer",
]

AsyncLibrary = Literal["asyncio", "anyio", "trio"]
HttpClient = Literal["httpx", "httpx2", "aiohttp", "niquests"]
Postgres = Literal["asyncpg", "psycopg"]
PreferFix = Literal["native", "thread"]
OutputFormat = Literal[
    "full",
    "concise",
    "grouped",
    "json",
    "json-lines",
    "sarif",
    "github",
    "gitlab",
    "junit",
    "rdjson",
    "pylint",
]

OUTPUT_FORMATS: tuple[OutputFormat, ...] = get_args(OutputFormat)
CACHE_FOLDER = ".asgiway_lint_cache"
DEFAULT_EXCLUDE = (
    ".asgiway_lint_cache",
    ".bzr",
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pyenv",
    ".pytest_cache",
    ".ruff_cache",
    ".svn",
    ".tox",
    ".venv",
    ".vscode",
    "__pycache__",
    "__pypackages__",
    "_build",
    "build",
    "dist",
    "node_modules",
    "site-packages",
    "venv",
)


@dataclass(frozen=True, slots=True)
class PerFileIgnore:
    """Rules that are off in some files: those that `glob` covers, or, when `negated` (`!` in front), all the others."""

    glob: Glob
    negated: bool
    selectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamePattern:
    """A pattern for dotted names, in which `*` stands for any text, and what the settings say for it (`""`: false)."""

    text: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """What one source says; None where it is silent. The fields have the names of the keys, with underscores."""

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    per_file_ignores: tuple[PerFileIgnore, ...] | None = None
    exclude: tuple[Glob, ...] | None = None
    extend_exclude: tuple[Glob, ...] | None = None
    force_exclude: bool | None = None
    respect_gitignore: bool | None = None
    src: tuple[Path, ...] | None = None
    async_library: AsyncLibrary | None = None
    http_client: HttpClient | None = None
    postgres: Postgres | None = None
    blocking: tuple[NamePattern, ...] | None = None
    wrappers: tuple[str, ...] | None = None
    replacements: tuple[NamePattern, ...] | None = None
    transitive: bool | None = None
    max_depth: int | None = None
    min_severity: Severity | None = None
    fix: bool | None = None
    fix_only: bool | None = None
    show_fixes: bool | None = None
    unsafe_fixes: bool | None = None
    fixable: tuple[str, ...] | None = None
    extend_fixable: tuple[str, ...] | None = None
    unfixable: tuple[str, ...] | None = None
    prefer_fix: PreferFix | None = None
    output_format: OutputFormat | None = None
    baseline: Path | None = None
    cache_dir: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings that hold for one file.

    Args:
        root: folder of the configuration file, or the current folder when there is none.
        source: the configuration file; None when there is none.
        selections: which rules are on, in layers (`selection.enabled_rules` adds them up).
        per_file_ignores: rules that are off in some files.
        exclude: what a walk leaves out, `extend-exclude` included.
        force_exclude: leave it out also when it is named on the command line.
        respect_gitignore: whether a walk leaves out what git ignores.
        src: absolute source roots, from which module names are counted.
        async_library: which library's replacements to name; None: the one that a module imports.
        http_client: which client to name for blocking HTTP.
        postgres: which driver to name for psycopg2.
        blocking: calls that block in addition to the catalogue's, with the code of their rule; or, with none, don't.
        wrappers: functions and decorators that run what they are given off the event loop.
        replacements: what to name instead of what the catalogue does.
        transitive: whether calls are followed through synchronous functions of the project.
        max_depth: most functions between a coroutine and the call that blocks; None for any number.
        min_severity: milder findings are not shown and don't count.
        fix: whether `check` repairs what it can.
        fix_only: whether it does so without reporting what is left.
        show_fixes: whether it lists what it has repaired, and what not and why.
        unsafe_fixes: whether to use fixes, too, that may change what a program does.
        fixables: which rules' findings may be fixed, in layers like `selections`.
        prefer_fix: whether unsafe fixes go for code that is asynchronous all the way, or stay with threads.
        output_format: None: `full` on a terminal, else `concise`.
        baseline: absolute path of the file of findings that are known and not shown; None: there is none.
        cache_dir: absolute folder of the cache.
    """

    root: Path = field(default_factory=Path.cwd)
    source: Path | None = None
    selections: tuple[Selection, ...] = ()
    per_file_ignores: tuple[PerFileIgnore, ...] = ()
    exclude: tuple[Glob, ...] = ()
    force_exclude: bool = False
    respect_gitignore: bool = True
    src: tuple[Path, ...] = field(default_factory=lambda: (Path.cwd(), Path.cwd() / "src"))
    async_library: AsyncLibrary | None = None
    http_client: HttpClient = "httpx"
    postgres: Postgres = "asyncpg"
    blocking: tuple[NamePattern, ...] = ()
    wrappers: tuple[str, ...] = ()
    replacements: tuple[NamePattern, ...] = ()
    transitive: bool = True
    max_depth: int | None = None
    min_severity: Severity = Severity.WARNING
    fix: bool = False
    fix_only: bool = False
    show_fixes: bool = False
    unsafe_fixes: bool = False
    fixables: tuple[Selection, ...] = ()
    prefer_fix: PreferFix = "native"
    output_format: OutputFormat | None = None
    baseline: Path | None = None
    cache_dir: Path = field(default_factory=lambda: Path.cwd() / CACHE_FOLDER)

    @classmethod
    def from_layers(cls, root: Path, layers: Sequence[Layer] = (), source: Path | None = None) -> Settings:
        """Add layers up, lowest first.

        A later layer's value replaces an earlier one's; `extend-select` and `extend-exclude` add to it.
        """
        merged: dict[str, Any] = {}
        excluded: list[Glob] = []
        for layer in layers:
            for name in _REPLACING:
                if (value := getattr(layer, name)) is not None:
                    merged[name] = value
            excluded += layer.extend_exclude or ()
        default_exclude = tuple(compile_glob(pattern, str(root)) for pattern in DEFAULT_EXCLUDE)
        return cls(
            root=root,
            source=source,
            selections=tuple(
                Selection(select=layer.select, extend_select=layer.extend_select or (), ignore=layer.ignore or ())
                for layer in layers
                if layer.select is not None or layer.extend_select or layer.ignore
            ),
            fixables=tuple(
                Selection(select=layer.fixable, extend_select=layer.extend_fixable or (), ignore=layer.unfixable or ())
                for layer in layers
                if layer.fixable is not None or layer.extend_fixable or layer.unfixable
            ),
            exclude=(*merged.pop("exclude", default_exclude), *excluded),
            src=merged.pop("src", (root, root / "src")),
            cache_dir=merged.pop("cache_dir", root / CACHE_FOLDER),
            **merged,
        )


_ADDING = {"select", "extend_select", "ignore", "extend_exclude", "fixable", "extend_fixable", "unfixable"}
_REPLACING = tuple(f.name for f in fields(Layer) if f.name not in _ADDING)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands: what to say in an error (None: an option), and the folder that its relative paths start from."""

    where: str | None
    folder: Path
    codes: Collection[str]

    def wrong(self, key: str, problem: str, joint: str = " ") -> ConfigError:
        if self.where is None:
            return ConfigError(f"--{key}{joint}{problem}")
        return ConfigError(f"{self.where}: '{key}'{joint}{problem}")


_Parse = Callable[[str, object, _Place], object]


def parse_layer(table: Mapping[str, object], *, where: str | None, folder: Path, codes: Collection[str]) -> Layer:
    """Turn a TOML table into a layer.

    Args:
        table: its keys and values as `tomllib` gives them, without `extend`.
        where: what it is, for errors (`/app/pyproject.toml, [tool.asgiway-lint]`); None: options of the command line.
        folder: absolute folder that its relative paths start from.
        codes: the codes of all rules.

    Raises:
        ConfigError: an unknown key, or a value of the wrong type or outside the choice.
    """
    place = _Place(where, folder, codes)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in KEYS:
            raise ConfigError(f"{where}: unknown key '{key}'{nearest(key, [*KEYS, 'extend'])}")
        values[key.replace("-", "_")] = KEYS[key](key, value, place)
    return Layer(**values)


def _boolean(key: str, value: object, place: _Place) -> bool:
    if not isinstance(value, bool):
        raise place.wrong(key, f"must be true or false, not {_shown(value)}")
    return value


def _positive(key: str, value: object, place: _Place) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise place.wrong(key, f"must be a whole number above 0, not {_shown(value)}")
    return value


def _string(key: str, value: object, place: _Place) -> str:
    if not isinstance(value, str):
        raise place.wrong(key, f"must be a string, not {_shown(value)}")
    return value


def _strings(key: str, value: object, place: _Place) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise place.wrong(key, f"must be a list of strings, not {_shown(value)}")
    items = cast("list[object]", value)
    for item in items:
        if not isinstance(item, str):
            raise place.wrong(key, f"must be a list of strings; it contains {_shown(item)}")
    return tuple(str(item) for item in items)


def _selectors(key: str, value: object, place: _Place) -> tuple[str, ...]:
    try:
        return tuple(check_selector(selector, place.codes) for selector in _strings(key, value, place))
    except SelectorError as error:
        raise place.wrong(key, str(error), ": ") from error


def _glob(key: str, pattern: str, place: _Place) -> Glob:
    try:
        return compile_glob(pattern, str(place.folder))
    except GlobError as error:
        raise place.wrong(key, str(error), ": ") from error


def _globs(key: str, value: object, place: _Place) -> tuple[Glob, ...]:
    return tuple(_glob(key, pattern, place) for pattern in _strings(key, value, place))


def _per_file_ignores(key: str, value: object, place: _Place) -> tuple[PerFileIgnore, ...]:
    if not isinstance(value, dict):
        raise place.wrong(key, f"must be a table of patterns and codes ('tests/**' = ['AW108']), not {_shown(value)}")
    table = cast("dict[str, object]", value)
    return tuple(
        PerFileIgnore(
            _glob(key, pattern.removeprefix("!"), place),
            pattern.startswith("!"),
            _selectors(f"{key}.{pattern}", selectors, place),
        )
        for pattern, selectors in table.items()
    )


def _blocking(key: str, value: object, place: _Place) -> tuple[NamePattern, ...]:
    found: list[NamePattern] = []
    for name, code in _table(key, value, place, "names and codes ('acme.db.*' = 'AW103')"):
        if code is False:
            found.append(NamePattern(name, ""))
        elif isinstance(code, str) and code.upper().startswith("AW1") and code.upper() in place.codes:
            found.append(NamePattern(name, code.upper()))
        else:
            choices = sorted(known for known in place.codes if known.startswith("AW1"))
            raise place.wrong(
                f"{key}.{name}",
                f"must be false or the code of a rule about blocking calls ({choices[0]} to {choices[-1]}), not {_shown(code)}",
            )
    return tuple(found)


def _replacements(key: str, value: object, place: _Place) -> tuple[NamePattern, ...]:
    pairs = _table(key, value, place, "names ('requests.*' = 'acme.http.client')")
    return tuple(NamePattern(name, _string(f"{key}.{name}", text, place)) for name, text in pairs)


def _table(key: str, value: object, place: _Place, of: str) -> list[tuple[str, object]]:
    if not isinstance(value, dict):
        raise place.wrong(key, f"must be a table of {of}, not {_shown(value)}")
    table = cast("dict[str, object]", value)
    for name, item in table.items():
        if isinstance(item, dict):
            raise place.wrong(f"{key}.{name}", "is a table; put names with dots into quotes ('acme.db.query')")
        _check_name(key, name, place)
    return list(table.items())


def _dotted_names(key: str, value: object, place: _Place) -> tuple[str, ...]:
    names = _strings(key, value, place)
    for name in names:
        if "*" in name:
            raise place.wrong(key, f"must be whole names, without *: '{name}'")
        _check_name(key, name, place)
    return names


def _check_name(key: str, name: str, place: _Place) -> None:
    if not all(part.replace("*", "x").isidentifier() for part in name.split(".")):
        raise place.wrong(key, f"'{name}' is no dotted name, such as 'acme.db.query' or 'acme.sdk.Client.*'", ": ")


def _path(key: str, value: object, place: _Place) -> Path:
    return _absolute(_string(key, value, place), place.folder)


def _paths(key: str, value: object, place: _Place) -> tuple[Path, ...]:
    return tuple(_absolute(text, place.folder) for text in _strings(key, value, place))


def _absolute(text: str, folder: Path) -> Path:
    return folder / Path(text).expanduser()


_Choice = TypeVar("_Choice")


def _one_of(choices: Sequence[str], convert: Callable[[str], _Choice]) -> Callable[[str, object, _Place], _Choice]:
    def parse(key: str, value: object, place: _Place) -> _Choice:
        word = _string(key, value, place)
        if word not in choices:
            raise place.wrong(key, f"must be one of {', '.join(choices)}, not '{word}'{nearest(word, choices)}")
        return convert(word)

    return parse


def _shown(value: object) -> str:
    """Show a value the way it looks in TOML, near enough, and short."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


# Every key of a configuration file but `extend`, in the order of the documentation; `-` for the `_` of the field.
KEYS: Mapping[str, _Parse] = {
    "select": _selectors,
    "extend-select": _selectors,
    "ignore": _selectors,
    "per-file-ignores": _per_file_ignores,
    "exclude": _globs,
    "extend-exclude": _globs,
    "force-exclude": _boolean,
    "respect-gitignore": _boolean,
    "src": _paths,
    "async-library": _one_of(get_args(AsyncLibrary), str),
    "http-client": _one_of(get_args(HttpClient), str),
    "postgres": _one_of(get_args(Postgres), str),
    "blocking": _blocking,
    "wrappers": _dotted_names,
    "replacements": _replacements,
    "transitive": _boolean,
    "max-depth": _positive,
    "min-severity": _one_of(list(Severity), Severity),
    "fix": _boolean,
    "fix-only": _boolean,
    "show-fixes": _boolean,
    "unsafe-fixes": _boolean,
    "fixable": _selectors,
    "extend-fixable": _selectors,
    "unfixable": _selectors,
    "prefer-fix": _one_of(get_args(PreferFix), str),
    "output-format": _one_of(OUTPUT_FORMATS, str),
    "baseline": _path,
    "cache-dir": _path,
}
