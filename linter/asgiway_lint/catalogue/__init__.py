"""The catalogue: which library calls block the event loop, and what to write instead.

Data, one ``<import package>.toml`` per library, read lazily by :mod:`.loader`; its format is described in ``README.md``
beside the files. Nothing in here imports a catalogued library or looks at the code under check.
"""

from __future__ import annotations

from asgiway_lint.catalogue.loader import Catalogue, load
from asgiway_lint.catalogue.model import CatalogueError, Entry, Kind, Wrapper
from asgiway_lint.catalogue.predicates import CallArguments, Symbol, Unknown, blocks

__all__ = [
    "CallArguments",
    "Catalogue",
    "CatalogueError",
    "Entry",
    "Kind",
    "Symbol",
    "Unknown",
    "Wrapper",
    "blocks",
    "load",
]
