"""Run by test_names.py in a process of its own: looks every name of the catalogue up in the libraries that are installed.

Prints a JSON object: problem -> names. Not installed packages are left out.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import sys
import warnings

from asgiway_lint.catalogue import Catalogue, load

Problems = dict[str, list[str]]


def _importable(top: str) -> bool:
    return top in sys.builtin_module_names or importlib.util.find_spec(top) is not None


def _resolve(name: str) -> object:
    """The object of a dotted name; LookupError when there is none."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: object = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            if not hasattr(found, part):
                raise LookupError(name)
            found = getattr(found, part)
        return found
    raise LookupError(name)


def _stands_for(alias: object, target: object) -> bool:
    if inspect.isclass(alias) and inspect.isclass(target):
        return issubclass(alias, target)
    return alias is target or inspect.ismodule(alias)


def _check(catalogue: Catalogue) -> Problems:
    problems: Problems = {
        "missing": [],
        "coroutine functions": [],
        "kind": [],
        "alias": [],
        "missing aliases": [],
        "missing types": [],
        "missing bases": [],
    }
    for entry in catalogue.entries():
        if entry.name.endswith(".*") or not _importable(entry.name.partition(".")[0]):
            continue
        try:
            found = _resolve(entry.name)
        except LookupError:
            problems["missing"].append(entry.name)
            continue
        if inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found):
            problems["coroutine functions"].append(entry.name)
        if entry.kind in ("function", "constructor") and inspect.isclass(found) != (entry.kind == "constructor"):
            problems["kind"].append(entry.name)
    for package in sorted(catalogue.packages):
        file = catalogue.library(package)
        if file is None or not _importable(package):
            continue
        for name, info in file.types.items():
            try:
                found = _resolve(name)
            except LookupError:
                problems["missing types"].append(name)
                continue
            if inspect.isclass(found):
                lineage = [f"{base.__module__}.{base.__qualname__}" for base in found.__mro__]
                known = {catalogue.canonical(base) for base in lineage} | set(lineage)
                problems["missing bases"] += [
                    f"{name}: {base}" for base in info.bases if catalogue.canonical(base) not in known
                ]
        for alias, target in file.aliases.items():
            try:
                if not _stands_for(_resolve(alias), _resolve(target)):
                    problems["alias"].append(alias)
            except LookupError:
                problems["missing aliases"].append(alias)
    return {problem: sorted(names) for problem, names in problems.items()}


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    if importlib.util.find_spec("django") is not None:
        settings = importlib.import_module("django.conf").settings
        settings.configure(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"])
        importlib.import_module("django").setup()
    print(json.dumps(_check(load())))
