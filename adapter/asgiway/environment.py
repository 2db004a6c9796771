"""Settings from ``ASGIWAY_<NAME>`` variables.

They are read when a ``WSGIMiddleware`` is made, by ``fills_settings`` around its constructor: an argument wins over the
environment, the environment over the default. What cannot be meant is refused, with one sentence: an unknown name (most
likely a slip), a value that is none, settings that contradict each other. ``ASGIWAY_LINT_*`` belongs to the linter.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import logging
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar, get_args

from asgiway.errors import SettingsError
from asgiway.settings import BodyMode, Settings, UnderscoreMode

__all__ = ["PREFIX", "fills_settings", "settings_from", "variables"]

PREFIX = "ASGIWAY_"
_OTHERS = ("ASGIWAY_LINT_",)

logger: logging.Logger = logging.getLogger("asgiway")

Params = ParamSpec("Params")
Self_ = TypeVar("Self_")


def settings_from(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The settings that the environment gives, by their names in ``asgiway.settings.Settings``, converted and checked.

    ``send_queue_size``, which has no effect, is taken as well.

    Parameters:
        environ: the variables; None: ``os.environ``.

    Raises:
        SettingsError: a name that is no setting, or a value that the setting cannot have.
    """
    if environ is None:
        environ = os.environ
    found: dict[str, Any] = {}
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable.startswith(_OTHERS):
            continue
        read = _READERS.get(variable)
        if read is None:
            raise SettingsError(_unknown(variable, environ[variable]))
        found[variable.removeprefix(PREFIX).lower()] = _value(variable, environ[variable], read)
    return found


def variables() -> tuple[str, ...]:
    """The names that are read."""
    return tuple(_READERS)


def fills_settings(
    init: Callable[Concatenate[Self_, Params], None],
) -> Callable[Concatenate[Self_, Params], None]:
    """Decorator of a constructor whose parameters are named as settings: those not passed come from the environment.

    Raises, from the constructor:
        SettingsError: see ``settings_from``; or the environment contradicts the arguments or itself.
    """
    signature = inspect.signature(init)

    @functools.wraps(init)
    def filled(self: Self_, /, *args: Params.args, **kwargs: Params.kwargs) -> None:
        given = settings_from()
        try:
            passed = signature.bind(self, *args, **kwargs).arguments
        except TypeError:
            pass  # the call below says it in the interpreter's own words
        else:
            added = {name: value for name, value in given.items() if name not in passed}
            _refuse_contradiction({**passed, **added}, added)
            if added:
                kwargs.update(added)
                logger.info("settings from the environment: %s", ", ".join(map(_as_set, added)))
        init(self, *args, **kwargs)

    return filled


def _as_set(name: str) -> str:
    variable = _variable(name)
    return f"{variable}={os.environ[variable]!r}"


def _refuse_contradiction(chosen: Mapping[str, Any], from_environment: Collection[str]) -> None:
    """Both numbers of threads were chosen, and do not go together: nobody can have meant that.

    With `request_timeout`, `max_workers` has another meaning besides: how many threads may be given up.
    """
    workers, most = chosen.get("workers"), chosen.get("max_workers")
    if not (isinstance(workers, int) and isinstance(most, int)) or chosen.get("request_timeout") is not None:
        return
    if workers > most:
        first, second = (
            _as_set(name) if name in from_environment else f"{name}={chosen[name]!r}"
            for name in ("workers", "max_workers")
        )
        raise SettingsError(
            f"{first} contradicts {second}; give no more workers than max_workers, or leave max_workers out: it is the "
            "bound of an adapter whose number of threads is not fixed"
        )


def _unknown(variable: str, value: str) -> str:
    names = [name.removeprefix(PREFIX) for name in _READERS]
    near = _nearest(variable.removeprefix(PREFIX).upper(), names)
    hint = f"did you mean {PREFIX}{near}?" if near else f"known are {', '.join(_READERS)}"
    return f"{variable}={value!r} is not a setting of asgiway; {hint}"


def _nearest(word: str, words: Sequence[str]) -> str | None:
    from difflib import get_close_matches  # only a mistake needs it

    return next(iter(get_close_matches(word, words, 1)), None)


def _value(variable: str, text: str, read: Callable[[str], Any]) -> Any:
    name = variable.removeprefix(PREFIX).lower()
    try:
        value = read(text)
    except ValueError as exc:
        raise SettingsError(f"{variable}={text!r} is not possible; {exc}") from exc.__cause__
    if name in _FIELDS:
        try:
            Settings(**{name: value})
        except SettingsError as exc:  # the same sentence, about the variable
            raise SettingsError(str(exc).replace(f"{name}={value!r}", f"{variable}={text!r}", 1)) from None
    return value


def _variable(name: str) -> str:
    return PREFIX + name.upper()


# ------------------------------------------------------------------------------------------------- one for each type


def _whole(text: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("give a whole number in plain digits")
    return int(digits)


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError("give a number of seconds") from None


def _optional(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """Empty and "none" stand for None."""

    def read_optional(text: str) -> Any:
        if text.strip().lower() in ("", "none"):
            return None
        try:
            return read(text)
        except ValueError as exc:
            raise ValueError(f"{exc}, or none") from exc.__cause__

    return read_optional


def _switch(text: str) -> bool:
    known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return known[text.strip().lower()]
    except KeyError:
        raise ValueError("use true or false") from None


def _one_of(modes: Any) -> Callable[[str], str]:
    """The values of a Literal."""
    allowed: tuple[str, ...] = get_args(modes)

    def read(text: str) -> str:
        if text not in allowed:
            near = _nearest(text.strip().lower(), allowed)
            raise ValueError(f"use one of {', '.join(allowed)}" + (f" (did you mean {near}?)" if near else ""))
        return text

    return read


def _callable(text: str) -> Callable[..., object]:
    """A function named as servers name applications, "package.module:attribute"."""
    module, colon, attribute = text.strip().partition(":")
    if not (module and colon and attribute):
        raise ValueError("give a function as package.module:attribute")
    try:
        found: Any = importlib.import_module(module)
    except Exception as exc:
        # Not only ImportError: it may also fail in the module's own lines.
        raise ValueError(f"module {module} can't be imported ({type(exc).__name__}: {exc})") from exc
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise ValueError(f"module {module} has no {attribute}") from None
    if not callable(found):
        raise ValueError(f"{attribute} of module {module} can't be called")
    result: Callable[..., object] = found
    return result


_READERS_BY_TYPE: dict[str, Callable[[str], Any]] = {
    "int": _whole,
    "int | None": _optional(_whole),
    "float": _seconds,
    "float | None": _optional(_seconds),
    "bool": _switch,
    "BodyMode": _one_of(BodyMode),
    "UnderscoreMode": _one_of(UnderscoreMode),
    "OnEvent | None": _optional(_callable),
}
"""By the annotation of a field of Settings; a test tells when a field's is missing."""

_FIELDS = {field.name: str(field.type) for field in dataclasses.fields(Settings)}
_READERS: dict[str, Callable[[str], Any]] = {
    _variable(name): _READERS_BY_TYPE[kind]
    for name, kind in {**_FIELDS, "send_queue_size": "int"}.items()
    if kind in _READERS_BY_TYPE
}
