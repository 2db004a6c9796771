"""asgiway-lint: find the calls that block an event loop, also behind helpers, and name the replacement."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"
