"""The commands of `asgiway-lint`, one module each: `run(arguments) -> exit code`."""

from __future__ import annotations
