"""Configuration: what keys mean, how layers add up, which file holds for which source, and what is said about mistakes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from asgiway_lint.config import KEYS, Layer, NamePattern, Settings, parse_layer
from asgiway_lint.configfiles import Resolver, parse_inline
from asgiway_lint.errors import ConfigError
from asgiway_lint.finding import Severity
from asgiway_lint.selection import Selection

CODES = frozenset({"AW001", "AW101", "AW102", "AW109"})


def layer(table: Mapping[str, object], folder: Path = Path("/p")) -> Layer:
    return parse_layer(table, where="file.toml", folder=folder, codes=CODES)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


# --- one layer -----------------------------------------------------------------------------------------------------


def test_every_key_is_parsed() -> None:
    parsed = layer(
        {
            "select": ["aw1"],
            "extend-select": ["AW001"],
            "ignore": ["AW109"],
            "per-file-ignores": {"tests/**": ["AW1"], "!src/**": ["ALL"]},
            "exclude": ["a"],
            "extend-exclude": ["b/c"],
            "force-exclude": True,
            "respect-gitignore": False,
            "src": ["lib", "/abs"],
            "async-library": "trio",
            "http-client": "aiohttp",
            "postgres": "psycopg",
            "blocking": {"acme.db.*": "aw102", "acme.db.quick": False},
            "wrappers": ["acme.offload"],
            "replacements": {"requests.*": "acme.http"},
            "transitive": False,
            "max-depth": 3,
            "min-severity": "error",
            "fix": True,
            "fix-only": False,
            "show-fixes": True,
            "unsafe-fixes": True,
            "fixable": ["aw1"],
            "extend-fixable": ["AW102"],
            "unfixable": ["AW109"],
            "prefer-fix": "thread",
            "output-format": "json",
            "baseline": "known.json",
            "cache-dir": ".cache/lint",
        }
    )
    assert {key.replace("-", "_") for key in KEYS} == set(Layer.__dataclass_fields__)
    assert all(getattr(parsed, name) is not None for name in Layer.__dataclass_fields__)
    assert parsed.select == ("AW1",)
    assert parsed.src == (Path("/p/lib"), Path("/abs"))
    assert parsed.cache_dir == Path("/p/.cache/lint")
    assert parsed.baseline == Path("/p/known.json")
    assert parsed.min_severity is Severity.ERROR
    assert parsed.per_file_ignores is not None
    assert [(p.glob.pattern, p.negated, p.selectors) for p in parsed.per_file_ignores] == [
        ("tests/**", False, ("AW1",)),
        ("src/**", True, ("ALL",)),
    ]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param({"slect": []}, "file.toml: unknown key 'slect' (did you mean 'select'?)", id="unknown key"),
        pytest.param({"extend_select": []}, "unknown key 'extend_select' (did you mean 'extend-select'?)", id="snake"),
        pytest.param({"zzz": 1}, "file.toml: unknown key 'zzz'", id="nothing like it"),
        pytest.param({"select": "AW1"}, "'select' must be a list of strings, not 'AW1'", id="string for list"),
        pytest.param({"ignore": ["AW1", 2]}, "'ignore' must be a list of strings; it contains 2", id="number in list"),
        pytest.param({"select": ["AW103"]}, "'select': unknown rule code 'AW103' (did you mean", id="unknown code"),
        pytest.param(
            {"force-exclude": "yes"}, "'force-exclude' must be true or false, not 'yes'", id="string for bool"
        ),
        pytest.param({"exclude": ["a["]}, "'exclude': '[' without ']' in the pattern 'a['", id="pattern"),
        pytest.param({"exclude": [""]}, "'exclude': empty pattern", id="empty pattern"),
        pytest.param(
            {"per-file-ignores": ["a"]}, "'per-file-ignores' must be a table of patterns", id="list for table"
        ),
        pytest.param(
            {"per-file-ignores": {"a.py": ["AW9"]}},
            "'per-file-ignores.a.py': unknown rule code 'AW9'",
            id="nested code",
        ),
        pytest.param(
            {"async-library": "aysncio"},
            "'async-library' must be one of asyncio, anyio, trio, not 'aysncio' (did you mean 'asyncio'?)",
            id="choice",
        ),
        pytest.param({"min-severity": True}, "'min-severity' must be a string, not true", id="bool for string"),
        pytest.param({"cache-dir": 3}, "'cache-dir' must be a string, not 3", id="number for path"),
    ],
)
def test_mistakes_name_place_key_and_remedy(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        layer(table)
    assert message in str(caught.value)
    assert "file.toml" in str(caught.value)


def test_mistakes_in_options_name_the_option() -> None:
    with pytest.raises(ConfigError, match=r"^--select: unknown rule code 'X1'"):
        parse_layer({"select": ["X1"]}, where=None, folder=Path("/p"), codes=CODES)
    with pytest.raises(ConfigError, match=r"^--min-severity must be one of"):
        parse_layer({"min-severity": "bad"}, where=None, folder=Path("/p"), codes=CODES)


def test_layers_replace_or_add() -> None:
    settings = Settings.from_layers(
        Path("/p"),
        [
            layer({"select": ["AW1"], "exclude": ["a"], "extend-exclude": ["b"], "postgres": "psycopg"}),
            layer({"ignore": ["AW109"], "extend-exclude": ["c"], "min-severity": "info"}),
        ],
    )
    assert settings.selections == (Selection(select=("AW1",)), Selection(ignore=("AW109",)))
    assert [glob.pattern for glob in settings.exclude] == ["a", "b", "c"]
    assert (settings.postgres, settings.min_severity, settings.http_client) == ("psycopg", Severity.INFO, "httpx")


def test_defaults() -> None:
    settings = Settings.from_layers(Path("/p"))
    assert settings.src == (Path("/p"), Path("/p/src"))
    assert settings.cache_dir == Path("/p/.asgiway_lint_cache")
    assert {".git", ".venv", "venv", "__pycache__", "node_modules", "build", "dist", ".tox"} <= {
        glob.pattern for glob in settings.exclude
    }
    assert settings.respect_gitignore
    assert settings.output_format is None


# --- files -----------------------------------------------------------------------------------------------------------


def test_nearest_file_holds_and_a_pyproject_without_our_table_is_passed_by(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool.asgiway-lint]\nmin-severity = 'error'\n")
    write(tmp_path / "a" / "pyproject.toml", "[project]\nname = 'x'\n")
    write(tmp_path / "a" / "b" / "asgiway-lint.toml", "min-severity = 'info'\n")
    resolver = Resolver(tmp_path, CODES)
    above = resolver.for_file(tmp_path / "a" / "x.py")
    assert (above.min_severity, above.root, above.source) == (Severity.ERROR, tmp_path, tmp_path / "pyproject.toml")
    inner = resolver.for_file(tmp_path / "a" / "b" / "c" / "x.py")
    assert (inner.min_severity, inner.root) == (Severity.INFO, tmp_path / "a" / "b")


def test_order_of_names_in_one_folder(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "[tool.asgiway-lint]\npostgres = 'psycopg'\n")
    assert Resolver(tmp_path, CODES).for_folder(tmp_path).source == tmp_path / "pyproject.toml"
    write(tmp_path / "asgiway-lint.toml", "")
    assert Resolver(tmp_path, CODES).for_folder(tmp_path).source == tmp_path / "asgiway-lint.toml"
    write(tmp_path / ".asgiway-lint.toml", "")
    assert Resolver(tmp_path, CODES).for_folder(tmp_path).source == tmp_path / ".asgiway-lint.toml"


def test_without_a_file_the_current_folder_is_the_root(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    settings = Resolver(tmp_path / "a", CODES).for_file(tmp_path / "x.py")
    assert (settings.root, settings.source) == (tmp_path / "a", None)


def test_extend_builds_on_another_file_whose_paths_start_from_its_own_folder(tmp_path: Path) -> None:
    write(tmp_path / "base.toml", "select = ['AW1']\nextend-exclude = ['gen/x']\nsrc = ['lib']\npostgres = 'psycopg'\n")
    write(tmp_path / "app" / "pyproject.toml", "[tool.asgiway-lint]\nextend = '../base.toml'\nignore = ['AW109']\n")
    settings = Resolver(tmp_path, CODES).for_folder(tmp_path / "app")
    assert settings.root == tmp_path / "app"
    assert settings.selections == (Selection(select=("AW1",)), Selection(ignore=("AW109",)))
    assert settings.src == (tmp_path / "lib",)
    assert settings.postgres == "psycopg"
    assert settings.exclude[-1].matches(f"{tmp_path}/gen/x")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("select = [", "is not valid TOML", id="malformed"),
        pytest.param("extend = 'nope.toml'", "'extend' names {folder}/nope.toml, which is no file", id="missing base"),
        pytest.param("extend = 'asgiway-lint.toml'", "'extend' goes in a circle", id="circle"),
        pytest.param("extend = ['x']", "'extend' must be the path", id="wrong type"),
        pytest.param(
            "extend = 'pyproject.toml'", "pyproject.toml has no [tool.asgiway-lint] table", id="base without table"
        ),
    ],
)
def test_mistakes_in_files_name_the_file(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path / "pyproject.toml", "[project]\nname = 'x'\n")
    file = write(tmp_path / "asgiway-lint.toml", text)
    with pytest.raises(ConfigError) as caught:
        Resolver(tmp_path, CODES).for_folder(tmp_path)
    assert message.format(folder=tmp_path) in str(caught.value)
    assert str(file.parent) in str(caught.value)


def test_a_file_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "asgiway-lint.toml").write_bytes(b"# \xff")
    with pytest.raises(ConfigError, match=r"asgiway-lint.toml is not UTF-8.*byte 2"):
        Resolver(tmp_path, CODES).for_folder(tmp_path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "asgiway-lint.toml").write_bytes(b"\xef\xbb\xbfpostgres = 'psycopg'\n")
    assert Resolver(tmp_path, CODES).for_folder(tmp_path).postgres == "psycopg"


@pytest.mark.parametrize("text", ["[tool]\nasgiway-lint = 1\n", "[[tool.asgiway-lint]]\n"])
def test_our_table_must_be_a_table(tmp_path: Path, text: str) -> None:
    write(tmp_path / "pyproject.toml", text)
    with pytest.raises(ConfigError, match=r"'tool\.asgiway-lint' must be a table"):
        Resolver(tmp_path, CODES).for_folder(tmp_path)


def test_others_mistakes_in_pyproject_are_not_ours(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "this is [no TOML")
    assert Resolver(tmp_path, CODES).for_folder(tmp_path).source is None


def test_isolated_reads_no_file(tmp_path: Path) -> None:
    write(tmp_path / "asgiway-lint.toml", "nonsense")
    assert Resolver(tmp_path, CODES, isolated=True).for_folder(tmp_path).source is None


def test_a_named_file_holds_everywhere_and_its_paths_start_from_the_current_folder(tmp_path: Path) -> None:
    write(tmp_path / "app" / "asgiway-lint.toml", "postgres = 'asyncpg'\n")
    file = write(tmp_path / "ci" / "lint.toml", "postgres = 'psycopg'\nsrc = ['lib']\n")
    settings = Resolver(tmp_path, CODES, file=file).for_folder(tmp_path / "app")
    assert (settings.postgres, settings.root, settings.src) == ("psycopg", tmp_path, (tmp_path / "lib",))


def test_overrides_stand_above_every_file(tmp_path: Path) -> None:
    write(tmp_path / "asgiway-lint.toml", "postgres = 'psycopg'\nselect = ['AW1']\n")
    inline = parse_inline("postgres = 'asyncpg'\nselect = ['AW001']", cwd=tmp_path, codes=CODES)
    settings = Resolver(tmp_path, CODES, overrides=(inline,)).for_folder(tmp_path)
    assert settings.postgres == "asyncpg"
    assert [layer.select for layer in settings.selections] == [("AW1",), ("AW001",)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("select=AW1", "is not valid TOML", id="no TOML"),
        pytest.param("slect=['AW1']", "unknown key 'slect' (did you mean 'select'?)", id="unknown key"),
        pytest.param("extend='x'", "'extend' works in files only", id="extend"),
    ],
)
def test_mistakes_in_inline_settings(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_inline(text, cwd=tmp_path, codes=CODES)
    assert message in str(caught.value)
    assert "--config" in str(caught.value)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        pytest.param({"blocking": ["a"]}, "'blocking' must be a table of names and codes", id="no table"),
        pytest.param({"blocking": {"a.b": "AW001"}}, "'blocking.a.b' must be false or the code of", id="other rule"),
        pytest.param({"blocking": {"a.b": True}}, "'blocking.a.b' must be false or the code of", id="true"),
        pytest.param({"blocking": {"a": {"b": "AW101"}}}, "put names with dots into quotes", id="quotes missing"),
        pytest.param({"blocking": {"a b": "AW101"}}, "'a b' is no dotted name", id="no name"),
        pytest.param({"wrappers": ["a.*"]}, "must be whole names, without *: 'a.*'", id="pattern"),
        pytest.param({"replacements": {"a.b": 1}}, "'replacements.a.b' must be a string, not 1", id="no string"),
    ],
)
def test_mistakes_in_calls_of_ones_own(table: Mapping[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        layer(table)
    assert message in str(caught.value)


def test_calls_of_ones_own() -> None:
    parsed = layer({"blocking": {"a.*": "aw102", "a.b": False}, "replacements": {"c.d": "e"}})
    assert parsed.blocking == (NamePattern("a.*", "AW102"), NamePattern("a.b", ""))
    assert parsed.replacements == (NamePattern("c.d", "e"),)
