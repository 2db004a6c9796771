"""Where the demonstration runs: the folder of a clone, its sample_apps, a folder for the state, and a port.

Whatever is missing ends in a DemoError, whose text says what, where, and what to do next.
"""

from __future__ import annotations

import errno
import importlib
import socket
import sqlite3
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

__all__ = ["DemoError", "Place", "find_place", "listen"]

STATE: Final = ".asgiway-demo"
# Import name -> distribution; what the extra "demo" brings.
LIBRARIES: Final = {
    "uvicorn": "uvicorn",
    "fastapi": "fastapi",
    "flask": "flask",
    "httpx": "httpx",
    "requests": "requests",
    "libcst": "libcst",
    "pathspec": "pathspec",
}


class DemoError(Exception):
    """The demonstration cannot start; the text is for its user."""


@dataclass(frozen=True, slots=True)
class Place:
    """A folder with the sample applications."""

    folder: Path

    @property
    def sample_apps(self) -> Path:
        """The sample applications."""
        return self.folder / "sample_apps"

    @property
    def state(self) -> Path:
        """Where the shop's database and uploads are kept."""
        return self.folder / STATE

    def require_libraries(self) -> None:
        """Raise DemoError when a library of the extra "demo" is not installed."""
        missing = [distribution for module, distribution in LIBRARIES.items() if find_spec(module) is None]
        if missing:
            source = ".[demo]" if (self.folder / "pyproject.toml").exists() else "asgiway[demo]"
            raise DemoError(f"{_enumerate(missing)} not installed; install what the demo needs: pip install '{source}'")

    def prepare_state(self) -> None:
        """Make the folder for the state; raise DemoError when it cannot be written."""
        try:
            self.state.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=self.state):
                pass
        except OSError as error:
            raise DemoError(
                f"cannot write to {self.state} ({error.strerror}), where the shop keeps its data; "
                "free that name, or run the demo in a clone that you may write to"
            ) from error

    def build_site(self) -> Any:
        """Import sample_apps/bridge.py of this folder and return its ASGI application."""
        sys.path.insert(0, str(self.sample_apps))
        bridge = importlib.import_module("bridge")
        # A database or a rates service that the environment names belongs to somebody else.
        config = {"INSTANCE_FOLDER": self.state, "DATABASE_URL": None}
        try:
            return bridge.create_site(config)
        except (OSError, sqlite3.Error) as error:
            raise DemoError(
                f"the shop cannot use its data in {self.state} ({error}); remove that folder and try again"
            ) from error


def find_place() -> Place:
    """Return the current folder if it has the sample applications; raises DemoError if it has not."""
    folder = Path.cwd()
    for needed in ("bridge.py", "flask_shop/__init__.py", "shop_async/__init__.py"):
        if not (folder / "sample_apps" / needed).is_file():
            raise DemoError(
                f"there is no sample_apps/{needed} in {folder}; the sample applications are not part of the installed "
                "package: clone asgiway's repository and run the demo in the folder of the clone"
            )
    return Place(folder)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raises DemoError when the port is taken or the address is not this machine's."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise DemoError(
                f"port {port} on {host} is taken; choose another with --port, or any free one with --port 0"
            ) from error
        raise DemoError(
            f"cannot listen on {host} port {port} ({error.strerror}); choose others with --host and --port"
        ) from error


def _enumerate(names: list[str]) -> str:
    return f"{names[0]} is" if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]} are"
