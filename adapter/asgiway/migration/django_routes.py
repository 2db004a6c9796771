"""Django's resolver, asked as Django asks it, with the language that LocaleMiddleware would choose from the path.

What middleware answers by itself (WhiteNoise, flat pages, a ``request.urlconf`` of its own) is in no resolver; see the
documentation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from importlib import import_module
from typing import Any, Final

from asgiway.environ import split_path
from asgiway.migration.legacy_routes import LegacyRoute
from asgiway.migration.url_patterns import Pattern, parse_django

__all__ = ["DjangoRoutes"]

Scope = MutableMapping[str, Any]

# Django carries no types.
_settings: Any = import_module("django.conf").settings
_urls: Any = import_module("django.urls")
_resolvers: Any = import_module("django.urls.resolvers")
_translation: Any = import_module("django.utils.translation")
_normalize: Callable[[str], list[tuple[str, list[str]]]] = import_module("django.utils.regex_helper").normalize
_Handler: Any = import_module("django.core.handlers.wsgi").WSGIHandler

_COMMON_MIDDLEWARE: Final = "django.middleware.common.CommonMiddleware"


class DjangoRoutes:
    """The resolver of a Django project; see LegacyMap for the methods.

    Parameters:
        complete: whether only it decides which URLs exist.
    """

    framework = "Django"

    def __init__(self, complete: bool) -> None:
        self.complete = complete

    @classmethod
    def of(cls, app: Any) -> DjangoRoutes | None:
        """The resolver of the project that `app` serves, if it is Django's handler or wraps it."""
        complete = True
        while app is not None:
            if isinstance(app, _Handler):
                return cls(complete and type(app) is _Handler)
            complete = False
            app = getattr(app, "application", None) or getattr(app, "app", None)
        return None

    def prepare(self) -> None:
        """See LegacyMap: import the URLconf."""
        _ = _urls.get_resolver().url_patterns

    def knows(self, scope: Scope) -> bool:
        """See LegacyMap."""
        path = _path_info(scope)
        return _may_resolve(path) or (_appends_slash() and not path.endswith("/") and _may_resolve(path + "/"))

    def serves(self, scope: Scope) -> LegacyRoute | None:
        """See LegacyMap."""
        try:
            found = _resolve(_path_info(scope))
        except _urls.Resolver404:
            return None
        methods = _methods(found.func)
        if methods and scope["method"] not in methods:
            return None
        return LegacyRoute(methods, "/" + found.route, _name(found.func), ((),))

    def routes(self) -> list[LegacyRoute]:
        """See LegacyMap."""
        return list(_routes(_urls.get_resolver().url_patterns, "", (("/",),)))


def _path_info(scope: Scope) -> str:
    path = split_path(scope["path"], scope.get("root_path", ""), scope.get("raw_path"))[1]
    return path.encode("latin-1").decode("utf-8", "replace")


def _resolve(path: str) -> Any:
    language = _translation.get_language_from_path(path) if _settings.USE_I18N else None
    if language is None:
        return _urls.get_resolver().resolve(path)
    with _translation.override(language):
        return _urls.get_resolver().resolve(path)


def _may_resolve(path: str) -> bool:
    try:
        _resolve(path)
    except _urls.Resolver404:
        return False
    except Exception:  # a converter that asks the database may not do so on the event loop: leave it to Django
        return True
    return True


def _appends_slash() -> bool:
    return bool(_settings.APPEND_SLASH) and _COMMON_MIDDLEWARE in _settings.MIDDLEWARE


def _routes(entries: list[Any], route: str, forms: tuple[Pattern, ...]) -> Iterator[LegacyRoute]:
    for entry in entries:
        inner_route = route + (
            str(entry.pattern).removeprefix("^") if route else str(entry.pattern)
        )  # as ResolverMatch
        inner_forms = tuple(_join(first, second) for first in forms for second in _forms(entry.pattern))
        if isinstance(entry, _urls.URLResolver):
            yield from _routes(entry.url_patterns, inner_route, inner_forms)
        else:
            yield LegacyRoute(_methods(entry.callback), "/" + inner_route, _name(entry.callback), inner_forms)


def _forms(pattern: Any) -> list[Pattern]:
    if not isinstance(pattern, _resolvers.RegexPattern):
        return [parse_django(str(pattern))]
    # Those that reverse() would use: with and without what is optional.
    return [
        parse_django(form % {name: f"<regex:{name}>" for name in names}) for form, names in _normalize(str(pattern))
    ]


def _join(first: Pattern, second: Pattern) -> Pattern:
    if first and second and isinstance(first[-1], str) and isinstance(second[0], str):
        return (*first[:-1], first[-1] + second[0], *second[1:])
    return (*first, *second)


def _methods(view: Any) -> frozenset[str]:
    """What a class-based view or a viewset of Django REST framework defines; empty for a function, which sees all."""
    actions: Any = getattr(view, "actions", None)
    if actions:
        names = {str(name).upper() for name in actions}
    else:
        view_class: Any = getattr(view, "view_class", None) or getattr(view, "cls", None)
        if view_class is None:
            return frozenset()
        names = {str(name).upper() for name in view_class.http_method_names if hasattr(view_class, name)}
    return frozenset(names | ({"HEAD"} if "GET" in names else set()))


def _name(view: Any) -> str:
    named = getattr(view, "view_class", None) or getattr(view, "cls", None) or view
    return f"{getattr(named, '__module__', '')}.{getattr(named, '__qualname__', type(named).__name__)}"
