"""The project around the files under check: which file an import means, the facts of that file, and their cache."""

from __future__ import annotations
