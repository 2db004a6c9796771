"""Errors of use: a wrong option, setting or path. The command line turns them into one sentence and exit code 2."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["ConfigError", "CrashError", "MissingExtraError", "UsageError", "nearest"]


class UsageError(Exception):
    """What the user asked for cannot be done; the message says what, where, and what to do next."""


class ConfigError(UsageError):
    """A configuration file, or a `--config` option, says something that makes no sense."""


class CrashError(UsageError):
    """A process has crashed while it checked files."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what}; asgiway-lint check --jobs 1 --verbose FOLDER for one folder after the other finds the file:"
            " exclude it, and please report it"
        )


class MissingExtraError(UsageError):
    """A library of the `lint` extra, or of the `lsp` extra, is not installed."""

    def __init__(self, library: str) -> None:
        extra = "lsp" if library in ("pygls", "lsprotocol") else "lint"
        super().__init__(f"{library} is not installed; install it with: pip install 'asgiway[{extra}]'")


def nearest(wrong: str, valid: Iterable[str]) -> str:
    """Return `" (did you mean 'x'?)"` for the valid word that looks most like the wrong one; empty if none does."""
    import difflib  # only a mistake needs it

    folded = {word.lower(): word for word in valid}
    close = difflib.get_close_matches(wrong.lower(), folded, 1)
    return f" (did you mean '{folded[close[0]]}'?)" if close else ""
