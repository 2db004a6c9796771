"""Which configuration holds for which file: the nearest one above it, what it extends, and what the command line says.

In a folder `.asgiway-lint.toml` comes before `asgiway-lint.toml`, and that before a `pyproject.toml` with a `[tool.asgiway-lint]`
table; a `pyproject.toml` without one is passed by. Relative paths in a file start from its own folder.
"""

from __future__ import annotations

import os.path
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from asgiway_lint.config import Layer, Settings, parse_layer
from asgiway_lint.errors import ConfigError, nearest

__all__ = ["Resolver", "is_file", "nearest_path", "parse_inline", "read_chain"]

_TABLE = "asgiway-lint"
_OWN_NAMES = (".asgiway-lint.toml", "asgiway-lint.toml")


@dataclass(slots=True)
class Resolver:
    """Answers which settings hold for a file, and remembers it per folder.

    Args:
        cwd: absolute current folder: what relative paths of the command line start from.
        codes: the codes of all rules.
        overrides: the layers above any file, lowest first.
        isolated: whether to look at no file at all.
        file: a configuration file that holds for every file, instead of the nearest one.
    """

    cwd: Path
    codes: Collection[str]
    overrides: tuple[Layer, ...] = ()
    isolated: bool = False
    file: Path | None = None
    _by_folder: dict[Path, Settings] = field(default_factory=dict[Path, Settings])
    _by_name: dict[str, Settings] = field(default_factory=dict[str, Settings])
    _everywhere: Settings | None = None

    def for_file(self, path: Path) -> Settings:
        """Return the settings of one file, which need not exist.

        Raises:
            ConfigError: a configuration file cannot be read or makes no sense.
        """
        name = os.path.dirname(path)  # noqa: PTH120  (paths take their time to be hashed, and there may be thousands)
        known = self._by_name.get(name)
        if known is None:
            known = self._by_name[name] = self.for_folder(path.parent)
        return known

    def for_folder(self, folder: Path) -> Settings:
        """Return the settings of the files in one (absolute) folder."""
        known = self._by_folder.get(folder)
        if known is None:
            known = self._by_folder[folder] = self._resolve(folder)
        return known

    def _resolve(self, folder: Path) -> Settings:
        if self.isolated or self.file is not None:
            return self._without_search()
        if file := _configuration_in(folder):
            return Settings.from_layers(folder, (*read_chain(file, self.codes), *self.overrides), file)
        if folder.parent == folder:
            return self._without_search()
        return self.for_folder(folder.parent)

    def _without_search(self) -> Settings:
        if self._everywhere is None:
            layers = () if self.file is None else read_chain(self.file, self.codes, relative_to=self.cwd)
            self._everywhere = Settings.from_layers(self.cwd, (*layers, *self.overrides), self.file)
        return self._everywhere


def parse_inline(text: str, *, cwd: Path, codes: Collection[str]) -> Layer:
    """Read a `--config "key = value"` option.

    Raises:
        ConfigError: it is no TOML, or makes no sense.
    """
    where = f"--config '{text if len(text) <= 60 else text[:59] + '…'}'"
    table = _parse(text.encode(), where)
    if "extend" in table:
        raise ConfigError(f"{where}: 'extend' works in files only; name the file instead: --config PATH")
    return parse_layer(table, where=where, folder=cwd, codes=codes)


def read_chain(file: Path, codes: Collection[str], *, relative_to: Path | None = None) -> tuple[Layer, ...]:
    """Return the layer of a configuration file after those of the files that it extends, farthest first.

    Args:
        file: absolute path.
        codes: the codes of all rules.
        relative_to: folder that relative paths of this file (not of what it extends) start from; default: its own.

    Raises:
        ConfigError: a file is missing, unreadable, malformed, or extends itself.
    """
    layers: list[Layer] = []
    seen: list[Path] = []
    current = file
    while True:
        seen.append(current)
        table = _table(current)
        where = f"{current}, [tool.{_TABLE}]" if current.name == "pyproject.toml" else str(current)
        if table is None:
            raise ConfigError(f"{current} has no [tool.{_TABLE}] table; add one or name another file")
        base = table.pop("extend", None)
        folder = relative_to if relative_to is not None and current == file else current.parent
        layers.append(parse_layer(table, where=where, folder=folder, codes=codes))
        if base is None:
            return tuple(reversed(layers))
        if not isinstance(base, str):
            raise ConfigError(f"{where}: 'extend' must be the path of another configuration file")
        following = Path(os.path.normpath(current.parent / Path(base).expanduser()))
        if following in seen:
            raise ConfigError(f"{where}: 'extend' goes in a circle: {' -> '.join(map(str, [*seen, following]))}")
        if not is_file(following):
            raise ConfigError(f"{where}: 'extend' names {following}, which is no file{nearest_path(following)}")
        current = following


def _configuration_in(folder: Path) -> Path | None:
    for name in _OWN_NAMES:
        if is_file(folder / name):
            return folder / name
    pyproject = folder / "pyproject.toml"
    if is_file(pyproject) and _table(pyproject) is not None:
        return pyproject
    return None


def is_file(path: Path) -> bool:
    """Whether the path leads to a file; False also where the system refuses to look."""
    try:
        return path.is_file()
    except OSError:  # the path is too long, or a folder above it may not be entered: whoever reads there will say so
        return False


def nearest_path(path: Path) -> str:
    """Return a hint at what is called almost like a path that does not exist, in the same folder; empty if nothing is."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return ""
    return "" if path.name in names else nearest(path.name, names)


def _table(file: Path) -> dict[str, object] | None:
    """Return our settings in a file; None for a `pyproject.toml` that has none."""
    try:
        data = file.read_bytes()
    except OSError as error:
        reason = f"{error.strerror or error}{nearest_path(file)}"
        raise ConfigError(f"cannot read the configuration file {file}: {reason}") from error
    if file.name != "pyproject.toml":
        return _parse(data, str(file))
    if _TABLE.encode() not in data:
        return None  # most are like this; it saves the import and keeps others' mistakes their own
    tool = _parse(data, str(file)).get("tool")
    table = cast("dict[str, object]", tool).get(_TABLE) if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError(f"{file}: 'tool.{_TABLE}' must be a table")
    return cast("dict[str, object] | None", table)


def _parse(data: bytes, where: str) -> dict[str, object]:
    import tomllib  # 14 ms that most runs over a folder without configuration can do without

    try:
        return tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{where} is not UTF-8, which TOML has to be: {error.reason} at byte {error.start}"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not valid TOML: {error}") from error
