"""Coroutines with an event loop of their own: the views of Flask, and of Django where the project runs under WSGI.

Both frameworks run each such view in a loop that is made for the request, in the request's thread; what blocks there keeps nobody
else waiting. That a Django project runs under WSGI shows in its settings and entry points, which a view does not import: they are
looked for in the folders around the view, from the inside out. One ``ASGI_APPLICATION`` or ``get_asgi_application`` there, and the view
counts as one that shares a loop.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final

from asgiway_lint.analysis import members
from asgiway_lint.analysis.evaluate import Evaluator
from asgiway_lint.analysis.values import EXT, FUNCTION, METHOD, Place, Value
from asgiway_lint.facts import Facts, model
from asgiway_lint.facts.model import Expr, Scope

__all__ = ["own_loop"]

_FLASK: Final = frozenset({"flask.Flask", "flask.Blueprint", "flask.app.Flask", "flask.blueprints.Blueprint"})
_FLASK_DECORATORS: Final = frozenset(
    {
        "after_request",
        "before_request",
        "delete",
        "errorhandler",
        "get",
        "patch",
        "post",
        "put",
        "route",
        "teardown_request",
    }
)
_FLASK_CLASSES: Final = frozenset({"flask.views.View", "flask.views.MethodView"})
_DJANGO_REQUESTS: Final = frozenset({"django.http.HttpRequest", "django.http.request.HttpRequest"})
_DJANGO_ROUTES: Final = frozenset(
    {"django.urls.path", "django.urls.re_path", "django.urls.conf.path", "django.urls.conf.re_path"}
)
_HANDLERS: Final = frozenset(
    {"delete", "dispatch", "dispatch_request", "get", "head", "options", "patch", "post", "put", "trace"}
)
_UNDER_WSGI: Final = frozenset({"django.core.wsgi.get_wsgi_application"})
_UNDER_ASGI: Final = frozenset({"django.core.asgi.get_asgi_application", "channels.routing.ProtocolTypeRouter"})
_ENTRY_POINTS: Final = ("asgi.py", "routing.py", "settings.py", "wsgi.py")
_SETTINGS: Final = "settings"
_URLS: Final = "urls.py"
# A folder with more in it than this is no Django project's.
_MAX_FOLDERS: Final = 200


def own_loop(evaluator: Evaluator, path: str, facts: Facts) -> Mapping[int, str]:
    """The coroutines of a module that run on an event loop of their own, and the framework that makes it.

    Args:
        evaluator: the run's evaluator.
        path: the file.
        facts: its facts.
    """
    coroutines = [index for index, scope in enumerate(facts.scopes) if scope.kind == "async"]
    packages = {name.partition(".")[0] for name in _imports(facts)}
    found: dict[int, str] = {}
    if "flask" in packages:
        registered = _registered_with_flask(evaluator, path, facts)
        found.update((i, "Flask") for i in coroutines if i in registered or _is_flask_view(evaluator, path, facts, i))
    if "django" in packages and _runs_under_wsgi(evaluator, path):
        routed = _routed(evaluator, path)
        found.update((i, "Django") for i in coroutines if i in routed or _is_django_view(evaluator, path, facts, i))
    return found


def _imports(facts: Facts) -> Iterator[str]:
    for scope in facts.scopes:
        for bindings in scope.bindings.values():
            for binding in bindings:
                if binding.kind == "import":
                    yield binding.a
                elif binding.kind == "from":
                    yield binding.a[0]


# ---- Flask


def _is_flask_view(evaluator: Evaluator, path: str, facts: Facts, index: int) -> bool:
    scope = facts.scopes[index]
    for decorator in scope.decorators:
        called = decorator[0] == model.CALL
        place = Place(path, scope.parent, scope.seq, scope.block)
        values = (
            evaluator.callee(path, evaluator.call(path, decorator[1])) if called else evaluator.values(decorator, place)
        )
        if any(value[0] == METHOD and value[1] in _FLASK and value[2] in _FLASK_DECORATORS for value in values):
            return True
    return _is_handler(evaluator, path, facts, scope, lambda name: name in _FLASK_CLASSES)


def _registered_with_flask(evaluator: Evaluator, path: str, facts: Facts) -> frozenset[int]:
    """Functions of the module that it hands to ``app.add_url_rule``."""
    found: set[int] = set()
    for call in facts.calls:
        if call.callee[0] == model.ATTR and call.callee[2] == "add_url_rule":
            values = evaluator.callee(path, call)
            if values and all(value[0] == METHOD and value[1] in _FLASK for value in values):
                given = dict(call.keywords).get("view_func") or (call.args[2] if len(call.args) > 2 else None)
                found.update(_functions(evaluator, given, Place(path, call.scope, call.seq, call.block), path))
    return frozenset(found)


# ---- Django


def _is_django_view(evaluator: Evaluator, path: str, facts: Facts, index: int) -> bool:
    scope = facts.scopes[index]
    if facts.scopes[scope.parent].kind == "class":
        return _is_handler(evaluator, path, facts, scope, _is_django_class)
    if not scope.params or scope.params[0].annotation is None:
        return False
    values = evaluator.values(scope.params[0].annotation, evaluator.end_of(path, scope.parent))
    return bool(values) and all(value[0] == EXT and value[1] in _DJANGO_REQUESTS for value in values)


def _is_django_class(name: str) -> bool:
    return name.startswith("django.views.") and name.endswith("View")


def _routed(evaluator: Evaluator, path: str) -> frozenset[int]:
    """Functions of a file that the ``urls.py`` beside it, or in a folder around it, routes requests to."""
    found: set[int] = set()
    for folder in _around(evaluator, path):
        if _URLS not in evaluator.finder.names(folder):
            continue
        urls = f"{folder}{os.sep}{_URLS}"
        evaluator.finder.tie(path, urls)
        facts = evaluator.facts(urls)
        for call in facts.calls if facts is not None else ():
            if len(call.args) > 1 and _DJANGO_ROUTES.intersection(evaluator.names_of(evaluator.callee(urls, call))):
                place = Place(urls, call.scope, call.seq, call.block)
                found.update(_functions(evaluator, call.args[1], place, path))
    return frozenset(found)


def _runs_under_wsgi(evaluator: Evaluator, path: str) -> bool:
    for folder in _around(evaluator, path):
        evaluator.finder.tie(path, folder)
        said = evaluator.table(("under WSGI", folder), partial(_says, evaluator, folder))
        if said is not None:
            return said
    return False


def _around(evaluator: Evaluator, path: str) -> Iterator[str]:
    """The folders around a file up to the project's own, nearest first."""
    folder = path.rpartition(os.sep)[0]
    while folder:
        yield folder
        if folder == evaluator.finder.root:
            return
        folder = folder.rpartition(os.sep)[0]


def _says(evaluator: Evaluator, folder: str) -> bool | None:
    """Whether the entry points and settings in a folder, and in those right below it, are for WSGI only; None if there are none."""
    wsgi = asgi = False
    for file in _entry_points(evaluator, folder):
        evaluator.finder.tie(folder, file)
        facts = evaluator.facts(file)
        if facts is None:
            continue
        bound = facts.scopes[0].bindings
        called = {name for call in facts.calls for name in evaluator.names_of(evaluator.callee(file, call))}
        wsgi |= "WSGI_APPLICATION" in bound or not _UNDER_WSGI.isdisjoint(called)
        asgi |= "ASGI_APPLICATION" in bound or not _UNDER_ASGI.isdisjoint(called)
    return wsgi and not asgi if wsgi or asgi else None


def _entry_points(evaluator: Evaluator, folder: str) -> Iterator[str]:
    names = evaluator.finder.names
    inner = sorted(name for name in names(folder) if "." not in name)
    for place in (folder, *[f"{folder}{os.sep}{name}" for name in inner[:_MAX_FOLDERS]]):
        here = names(place)
        for name in _ENTRY_POINTS:
            if name in here:
                yield f"{place}{os.sep}{name}"
        if _SETTINGS in here:
            settings = f"{place}{os.sep}{_SETTINGS}"
            for name in sorted(names(settings)):
                if name.endswith(".py"):
                    yield f"{settings}{os.sep}{name}"


# ---- both


def _is_handler(evaluator: Evaluator, path: str, facts: Facts, scope: Scope, is_view: Callable[[str], bool]) -> bool:
    """Whether a method answers requests in a class that has a framework's class of views among its bases."""
    if scope.name not in _HANDLERS or facts.scopes[scope.parent].kind != "class":
        return False
    bases: tuple[Value, ...] = members.bases(evaluator, path, scope.parent)
    return any(base[0] == EXT and is_view(base[1]) for base in bases)


def _functions(evaluator: Evaluator, expr: Expr | None, place: Place, path: str) -> Iterator[int]:
    """The functions of the file `path` that an expression may be."""
    for value in evaluator.values(expr, place) if expr is not None else ():
        if value[0] == FUNCTION and value[1] == path:
            yield value[2]
