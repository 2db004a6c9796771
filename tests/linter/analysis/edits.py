"""Edits as people make them, for tests of what a run after a change analyses again: each changes one file of a project."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

__all__ = ["EDITS", "FILE_EDITS", "Edit", "insert"]

Edit = Callable[[Path, int, str], None]
"""Changes a file; the number picks a place, the text is a statement, a name or a type, as the edit needs."""

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# Names to give, asked for elsewhere or not.
NAMES = ("slow", "quiet", "Client", "make", "nothing", "fetch", "get", "http", "missing", "sleep", "fresh", "shared")
TYPES = ("Client", "Plain", "str", "None", "list[Plain]", "requests.Session")


def insert(path: Path, number: int, statement: str) -> None:
    """Put a statement behind a line, indented as that line is, or deeper if that opens a block."""
    lines = path.read_text().split("\n")
    before = lines[number % len(lines)]
    indent = len(before) - len(before.lstrip()) + 4 * before.rstrip().endswith(":")
    lines.insert(number % len(lines) + 1, " " * indent + statement)
    path.write_text("\n".join(lines))


def remove_line(path: Path, number: int, _: str) -> None:
    lines = path.read_text().split("\n")
    del lines[number % len(lines)]
    path.write_text("\n".join(lines))


def definitions(path: Path) -> list[Definition]:
    try:
        tree = ast.parse(path.read_text())
    except SyntaxError:
        return []
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]


def chosen(path: Path, number: int, *, functions: bool = False) -> Definition | None:
    found = [node for node in definitions(path) if not functions or not isinstance(node, ast.ClassDef)]
    return found[number % len(found)] if found else None


def replace_line(path: Path, line: int, pattern: str, new: str) -> None:
    lines = path.read_text().split("\n")
    lines[line - 1] = re.sub(pattern, lambda _: new, lines[line - 1], count=1)
    path.write_text("\n".join(lines))


def new_local(path: Path, number: int, statement: str) -> None:
    """A new local variable, at the beginning of a function."""
    function = chosen(path, number, functions=True)
    if function is not None:
        lines = path.read_text().split("\n")
        first = function.body[0]
        value = ("1", "slow()", "Client('u')", "None", "self")[number % 5]
        name = ("fresh", "slow", "client", "function", "value")[number // 5 % 5]
        lines.insert(first.lineno - 1, f"{' ' * first.col_offset}{name} = {value}")
        path.write_text("\n".join(lines))


def new_function(path: Path, number: int, statement: str) -> None:
    """A new function at the end, or the beginning, of a module; perhaps one that hides another, or what a star brings."""
    name = NAMES[number % len(NAMES)]
    text = f"def {name}(*args):\n    import time\n    {statement if number % 3 else 'time.sleep(9)'}\n"
    source = path.read_text()
    path.write_text(f"{text}\n{source}" if number % 2 else f"{source}\n{text}")


def new_class(path: Path, number: int, _: str) -> None:
    name = NAMES[number % len(NAMES)]
    base = ("", "(Client)", "(Special)")[number % 3]
    path.write_text(f"{path.read_text()}\nclass {name}{base}:\n    def fetch(self):\n        pass\n")


def new_method(path: Path, number: int, statement: str) -> None:
    classes = [node for node in definitions(path) if isinstance(node, ast.ClassDef)]
    if classes:
        node = classes[number % len(classes)]
        lines = path.read_text().split("\n")
        indent = " " * node.body[0].col_offset
        name = NAMES[number % len(NAMES)]
        lines[node.body[0].lineno - 1 : node.body[0].lineno - 1] = [
            f"{indent}def {name}(self, *args):",
            f"{indent}    {statement}",
        ]
        path.write_text("\n".join(lines))


def new_import(path: Path, number: int, _: str) -> None:
    lines = ("import colorsys", "from time import sleep as slow", "import base as whole", "from mid import make")
    more = ("from stars import *", "from base import *", "from package import inner", "import package.inner")
    absent = ("import missing", "from missing import deep as slow", "from fresh import inner", "from . import missing")
    path.write_text(f"{(*lines, *more, *absent)[number % 12]}\n{path.read_text()}")


def rename(path: Path, number: int, _: str) -> None:
    """A definition is renamed, there only or in the whole file: whoever imports it gets nothing."""
    node = chosen(path, number)
    if node is not None:
        name = NAMES[number % len(NAMES)]
        if number % 2:
            path.write_text(re.sub(rf"\b{node.name}\b", name, path.read_text()))
        else:
            replace_line(path, node.lineno, rf"\b{node.name}\b", name)


def new_signature(path: Path, number: int, _: str) -> None:
    function = chosen(path, number, functions=True)
    if function is not None:
        more = ("extra=None", "value=None", "function=print", "*rest", f"client: {TYPES[number % 6]} = None")[
            number % 5
        ]
        line = path.read_text().split("\n")[function.lineno - 1]
        if "self)" in line or "(self, " in line:
            replace_line(path, function.lineno, r"\(self", f"(self, {more}")
        else:
            replace_line(path, function.lineno, r"\(", f"({more}{'' if '()' in line else ', '}")


def new_result(path: Path, number: int, _: str) -> None:
    """Another stated type of what a function returns."""
    function = chosen(path, number, functions=True)
    if function is not None:
        replace_line(path, function.lineno, r"( -> [^:]*)?:$", f" -> {TYPES[number % len(TYPES)]}:")


def remove(path: Path, number: int, _: str) -> None:
    """A definition goes, whoever imports it."""
    node = chosen(path, number)
    if node is not None and node.end_lineno is not None:
        lines = path.read_text().split("\n")
        first = min([node.lineno, *[decorator.lineno for decorator in node.decorator_list]])
        indent = " " * node.col_offset
        lines[first - 1 : node.end_lineno] = [f"{indent}pass"]
        path.write_text("\n".join(lines))


def unwrap(path: Path, number: int, _: str) -> None:
    """A decorator goes, or comes."""
    node = chosen(path, number)
    if node is not None:
        lines = path.read_text().split("\n")
        if node.decorator_list:
            del lines[node.decorator_list[0].lineno - 1]
        else:
            decorator = ("passes_on", "property", "staticmethod", "contextlib.contextmanager")[number % 4]
            lines.insert(node.lineno - 1, f"{' ' * node.col_offset}@{decorator}")
        path.write_text("\n".join(lines))


def new_base(path: Path, number: int, _: str) -> None:
    """A class gets another base, or loses those that it has."""
    classes = [node for node in definitions(path) if isinstance(node, ast.ClassDef)]
    if classes:
        base = ("", "(Client)", "(Plain)", "(Template)", "(dict)", "(requests.Session)")[number % 6]
        node = classes[number % len(classes)]
        replace_line(path, node.lineno, r"(\([^)]*\))?:", f"{base}:")


def new_module(path: Path, number: int, statement: str) -> None:
    """A file comes: a module that somebody imports in vain, or one that hides another, or a library's."""
    folder = path.parent if number % 4 else path.parent / ("package", "values", "time", "fresh")[number // 4 % 4]
    folder.mkdir(exist_ok=True)
    names = ("time", "requests", "missing", "inner", "values", "deep", "exported", "fresh", "__init__", "package")
    texts = ("def sleep(x): pass\n", "import time\ndef deep(): time.sleep(1)\n", f"import time\n{statement}\n", "")
    (folder / f"{names[number % len(names)]}.py").write_text(texts[number // 3 % 4])


def rename_file(path: Path, number: int, _: str) -> None:
    names = ("renamed", "missing", "base", "values", "time", "inner")
    path.rename(path.with_name(f"{names[number % len(names)]}.py"))


def new_package(path: Path, number: int, _: str) -> None:
    """A module becomes a package of the same name; or a package begins or ends to be one."""
    if number % 2:
        folder = path.with_suffix("")
        folder.mkdir(exist_ok=True)
        path.rename(folder / "__init__.py")
    else:
        init = path.parent / "__init__.py"
        if init.exists():
            init.unlink()
        else:
            init.write_text("")


FILE_EDITS: tuple[Edit, ...] = (new_module, new_module, rename_file, new_package)

EDITS: tuple[Edit, ...] = (
    *(insert, insert, insert, remove_line),
    *(new_local, new_function, new_class, new_method, new_import, rename, new_signature, new_result, remove, unwrap),
    *(new_base, new_import),
)
