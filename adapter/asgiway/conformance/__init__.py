"""``asgiway conformance``: which rules of PEP 3333 does a WSGI application break?

``rules`` is the table of what is demanded, ``watch`` and ``headers`` see what an application does, ``validator`` asks
``wsgiref.validate`` for a second opinion, ``drive`` makes the requests, ``checking`` puts them together, ``load``,
``report`` and ``command`` are the way in and out. In a test of your own::

    from asgiway.conformance import Request, check

    assert not check(application, [Request("GET", "/")]).breaches
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asgiway.conformance.checking import Report, check
    from asgiway.conformance.drive import Request
    from asgiway.conformance.findings import Finding, Place
    from asgiway.conformance.rules import RULES, Rule

__all__ = ["RULES", "Finding", "Place", "Report", "Request", "Rule", "check"]

_HOMES = {
    "checking": ("Report", "check"),
    "drive": ("Request",),
    "findings": ("Finding", "Place"),
    "rules": ("RULES", "Rule"),
}


def __getattr__(name: str) -> Any:
    # Late, since the command line registers ``command`` whatever command it is about to run.
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"asgiway.conformance.{module}"), name)
    raise AttributeError(f"module 'asgiway.conformance' has no attribute {name!r}")
