"""``asgiway routes module:router``: loads the router that the argument names, and prints its survey.

Exit codes: 0 done; 1 with ``--check`` a conflict loses URLs; 2 there is no router to look at.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib
import sys
import traceback
from pathlib import Path
from typing import Any

from asgiway.console import complain, report
from asgiway.migration.matching import inner_apps
from asgiway.migration.report import as_json, as_text
from asgiway.migration.router import MigrationRouter
from asgiway.migration.survey import survey

__all__ = ["run"]


class _NoRouterError(Exception):
    """The argument leads to no router; the text is for the user."""


def run(options: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    try:
        router = _load(options.router, Path(options.app_dir))
        found = survey(router)
    except _NoRouterError as error:
        complain(f"asgiway routes: {error}")
        return 2
    report(as_json(found) if options.format == "json" else as_text(found))
    return 1 if options.check and any(conflict.severity == "error" for conflict in found.conflicts) else 0


def _load(target: str, folder: Path) -> MigrationRouter:
    module_name, colon, path = target.partition(":")
    if not (module_name and colon and path):
        raise _NoRouterError(f"{target!r} names no router; write module:attribute, for example main:app")
    if not folder.is_dir():
        raise _NoRouterError(f"--app-dir {folder}: there is no such folder")
    sys.path.insert(0, str(folder.resolve()))
    value: Any = _import(module_name, folder)
    owner = module_name
    for name in path.split("."):
        if not hasattr(value, name):
            near = difflib.get_close_matches(name, dir(value), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise _NoRouterError(f"{owner} has no attribute {name!r}{hint}")
        value = getattr(value, name)
        owner = f"{owner}.{name}"
    for app in inner_apps(value):
        if isinstance(app, MigrationRouter):
            _prepare(app)
            return app
    raise _NoRouterError(
        f"{target} is no MigrationRouter but of type {type(value).__qualname__}; "
        "name the variable that holds MigrationRouter(legacy=..., native=...)"
    )


def _prepare(router: MigrationRouter) -> None:
    try:
        if router.legacy_map is not None:
            router.legacy_map.prepare()
    except Exception as error:
        raise _failed("the legacy application's URLs", error) from error


def _import(module_name: str, folder: Path) -> Any:
    try:
        with contextlib.redirect_stdout(sys.stderr):  # what the module prints is not part of the report
            return importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            raise _NoRouterError(
                f"there is no module {error.name!r} in {folder.resolve()} or installed; "
                "run the command where the server runs, or give --app-dir"
            ) from error
        raise _failed(repr(module_name), error) from error
    except (Exception, SystemExit) as error:
        raise _failed(repr(module_name), error) from error


def _failed(what: str, error: BaseException) -> _NoRouterError:
    where = ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    if frames and frames[-1].filename != __file__:
        where = f" ({frames[-1].filename}:{frames[-1].lineno})"
    text = " ".join(str(error).split())
    return _NoRouterError(f"importing {what} failed{where}: {type(error).__name__}: {text}")
