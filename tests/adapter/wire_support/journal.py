"""What the programs under test tell, and the gates they wait at: shared memory of the server's process.

A program writes what happened to it (``note``) under the key of its request, and stops where a test wants it to stop
(``hold``); a test reads and releases through the control channel (``control``). So tests wait for facts, not for time.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from typing import Any

__all__ = ["PATIENCE", "Journal", "journal"]

PATIENCE = 20.0
"""Seconds before a wait that should have ended is given up; a safety net, not an expectation."""


class Journal:
    """Events by key, and gates by key and name; all methods may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: defaultdict[str, list[tuple[str, Any]]] = defaultdict(list)
        self._open: set[tuple[str, str]] = set()

    def note(self, key: str, event: str, value: Any = None) -> None:
        """Write that `event` has happened; `value` must fit into JSON."""
        with self._changed:
            self._events[key].append((event, value))
            self._changed.notify_all()

    def values(self, key: str, event: str) -> list[Any]:
        """The values of all events of that name, oldest first."""
        with self._changed:
            return [value for name, value in self._events[key] if name == event]

    def wait(self, key: str, event: str, count: int = 1) -> list[Any]:
        """Wait until `event` has happened `count` times; its values. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.values(key, event)) >= count, PATIENCE):
                raise TimeoutError(f"{event!r} not seen {count} times for {key!r}; seen: {self._events[key]}")
            return self.values(key, event)

    def hold(self, key: str, gate: str = "go") -> None:
        """Wait until the gate is opened. Raises TimeoutError, so that no thread outlives its test for long."""
        with self._changed:
            if not self._changed.wait_for(lambda: (key, gate) in self._open, PATIENCE):
                raise TimeoutError(f"gate {gate!r} of {key!r} was never opened")

    def release(self, key: str, gate: str = "go") -> None:
        """Open a gate, for ever."""
        with self._changed:
            self._open.add((key, gate))
            self._changed.notify_all()


journal = Journal()
