"""Finds a WSGI application by its name, ``module:attribute``, as WSGI servers do."""

from __future__ import annotations

import importlib
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from wsgiref.types import WSGIApplication

from asgiway.kinds import is_asgi

__all__ = ["LoadError", "Loaded", "load"]


class LoadError(Exception):
    """The application can't be found; the text is a sentence for its user."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """An application and where its source is.

    Parameters:
        app: the application.
        root: its module's file, or the folder of the package that this belongs to.
    """

    app: WSGIApplication
    root: Path | None


def load(name: str, *, factory: bool = False) -> Loaded:
    """Import an application; the current folder is looked in first.

    Parameters:
        name: ``module:attribute``; the attribute may have dots.
        factory: what is named is a function that returns the application.

    Raises:
        LoadError: there is no such thing, its import fails, or it is no WSGI application.
    """
    module_name, colon, attribute = name.partition(":")
    if not (module_name and colon and attribute):
        raise LoadError(f"{name!r} names no application; write module:attribute, such as shop.wsgi:application")
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(error.name + ".")):
            raise LoadError(
                f"there is no module {error.name!r} in {Path.cwd()} or on Python's path; "
                "run the command in the project's folder, or set PYTHONPATH"
            ) from None
        raise LoadError(f"{module_name!r} can't be imported: {_where(error)}") from None
    except (Exception, SystemExit) as error:
        raise LoadError(f"{module_name!r} can't be imported: {_where(error)}") from None
    app: Any = module
    for part in attribute.removesuffix("()").split("."):
        try:
            app = getattr(app, part)
        except AttributeError:
            offered = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
            hint = f"; it has {', '.join(sorted(offered)[:8])}" if offered else ""
            raise LoadError(f"module {module_name!r} has no {part!r}{hint}") from None
    if factory or attribute.endswith("()"):
        try:
            app = app()
        except Exception as error:
            raise LoadError(f"calling {name.removesuffix('()')}() fails: {_where(error)}") from None
    if not callable(app):
        raise LoadError(f"{name!r} is a {type(app).__name__}, not a WSGI application: it can't be called")
    if is_asgi(app):
        raise LoadError(f"{name!r} is an ASGI application; name the WSGI application that is inside, or to be wrapped")
    return Loaded(cast("WSGIApplication", app), _root(module_name))


def _where(error: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<frozen ")]
    place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames and len(frames) > 1 else ""
    return f"{type(error).__name__}: {error}{place}"


def _root(module_name: str) -> Path | None:
    file = getattr(sys.modules.get(module_name.partition(".")[0]), "__file__", None)
    if not isinstance(file, str):
        return None
    path = Path(file)
    return path.parent if path.name == "__init__.py" else path
