"""The adapters of a process by the names under which health answers, metrics and dumps show them."""

from __future__ import annotations

from collections.abc import Sequence

from asgiway.errors import SettingsError
from asgiway.middleware import WSGIMiddleware

__all__ = ["name_mounts"]


def name_mounts(
    adapters: Sequence[WSGIMiddleware], names: Sequence[str] | None, user: str
) -> dict[str, WSGIMiddleware]:
    """Each adapter under its name, in the given order.

    Parameters:
        adapters: at least one.
        names: one for each; None: "mount-1", "mount-2" and so on.
        user: who asks, for the errors.

    Raises:
        TypeError: something else than a WSGIMiddleware was given.
        SettingsError: no adapter, or not as many different names as adapters.
    """
    if not adapters:
        raise SettingsError(f"{user} has no adapter to look at; give it the WSGIMiddleware of each mount")
    for adapter in adapters:
        if not isinstance(adapter, WSGIMiddleware):  # pyright: ignore[reportUnnecessaryIsInstance] - the usual slip
            raise TypeError(f"{user} needs the WSGIMiddleware of each mount, but got {adapter!r}")
    if names is None:
        names = [f"mount-{number}" for number in range(1, len(adapters) + 1)]
    if isinstance(names, str) or len(names) != len(adapters) or len(set(names)) != len(names):
        raise SettingsError(
            f"names={names!r} does not fit: {user} has {len(adapters)} adapter(s); give a list with a name of its own for each"
        )
    return dict(zip(names, adapters, strict=True))
