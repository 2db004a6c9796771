"""The rules, one module each: ``aw102_blocking_http.py`` is rule AW102, slug ``blocking-http``.

The registry is the folder: a rule exists because its file does, so that there is no list to forget. Importing a rule
imports neither libcst nor the catalogue.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil

from asgiway_lint.rules.base import MODULE_NAME, Rule

__all__ = ["Rule", "all_rules", "rule_for"]


@functools.cache
def _modules() -> dict[str, str]:
    """Code -> name of the module that holds it, for every rule; no rule is imported."""
    found: dict[str, str] = {}
    for module in pkgutil.iter_modules(__path__):
        match = MODULE_NAME.fullmatch(module.name)
        if match is None:
            continue
        code = match["code"].upper()
        if code in found:
            raise ImportError(
                f"two rules have the code {code}: {found[code]}.py and {module.name}.py; rename one of them"
            )
        found[code] = module.name
    return dict(sorted(found.items()))


@functools.cache
def rule_for(code: str) -> Rule:
    """The rule with this code.

    Args:
        code: ``"AW102"``, exactly.

    Raises:
        KeyError: there is no such rule.
    """
    module = importlib.import_module(f"{__name__}.{_modules()[code]}")
    rule = module.RULE
    assert isinstance(rule, Rule), f"{module.__name__}.RULE is no Rule"
    return rule


@functools.cache
def all_rules() -> tuple[Rule, ...]:
    """Every rule, by code."""
    return tuple(rule_for(code) for code in _modules())
