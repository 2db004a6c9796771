"""Who serves what in a MigrationRouter: its routes of both sides as rows, and the conflicts between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from asgiway.migration.conflicts import Conflict, Evidence, Oracles, gather, judge
from asgiway.migration.legacy_routes import LegacyMap, LegacyRoute
from asgiway.migration.matching import NativeMatch, NativeRoute, NativeTable, probe
from asgiway.migration.router import MigrationRouter

__all__ = ["Row", "Survey", "survey"]


@dataclass(frozen=True, slots=True)
class Row:
    """A route and who serves it.

    Parameters:
        methods: sorted; empty: all.
        path: as its framework writes it.
        served_by: "native" or "legacy".
        endpoint: what the framework calls the function.
        replaces: endpoints of the legacy routes from which a native one has taken URLs.
        host: the host it is bound to, or "".
    """

    methods: tuple[str, ...]
    path: str
    served_by: Literal["native", "legacy"]
    endpoint: str
    replaces: tuple[str, ...] = ()
    host: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """The whole picture.

    Parameters:
        rows: native ones in their order, then what is left to the legacy side.
        conflicts: the worst first.
        legacy_framework: None: its routes are not known, and everything without a native route goes there.
    """

    rows: tuple[Row, ...]
    conflicts: tuple[Conflict, ...]
    legacy_framework: str | None


def survey(router: MigrationRouter) -> Survey:
    """Read both sides of a router and try sample requests on their matchers; no handler runs."""
    native = router.table.routes()
    known = router.legacy_map
    legacy = [] if known is None else known.routes()
    evidence = gather(native, legacy, _oracles(router.table, native, known, legacy))
    conflicts = judge(evidence, native, legacy)
    rows = [*_native_rows(native, evidence), *_legacy_rows(legacy, evidence)]
    return Survey(tuple(rows), tuple(conflicts), None if known is None else known.framework)


def _oracles(
    table: NativeTable, routes: list[NativeRoute], known: LegacyMap | None, olds: list[LegacyRoute]
) -> Oracles:
    listed = {old: old for old in olds}

    def match(method: str, path: str, host: str) -> NativeMatch:
        return table.match(probe(method, path, host))

    def native(method: str, path: str, host: str) -> NativeRoute | None:
        found = match(method, path, host)
        return next((route for route in routes if table.owns(route, found)), None) if found.served else None

    def legacy(method: str, path: str, host: str) -> LegacyRoute | None:
        found = None if known is None else known.serves(probe(method, path, host))
        return None if found is None else listed.get(found)

    def rejected(method: str, path: str, host: str) -> list[str]:
        return table.rejects(match(method, path, host))

    return Oracles(native, legacy, rejected)


def _native_rows(native: list[NativeRoute], evidence: Evidence) -> list[Row]:
    replaced: dict[NativeRoute, list[str]] = {}
    for route, old in evidence.overlaps:
        replaced.setdefault(route, []).append(old.endpoint)
    return [
        Row(
            methods=("WEBSOCKET",) if route.kind == "websocket" else tuple(sorted(route.methods)),
            path=route.path,
            served_by="native",
            endpoint=route.endpoint,
            replaces=tuple(dict.fromkeys(replaced.get(route, ()))),
            host=route.host,
        )
        for route in native
    ]


def _legacy_rows(legacy: list[LegacyRoute], evidence: Evidence) -> list[Row]:
    gone: dict[LegacyRoute, set[str]] = {}
    for (_, old), overlap in evidence.overlaps.items():
        if not overlap.kept_paths:
            taken = {method for method, _ in overlap.taken}
            gone.setdefault(old, set()).update(taken | {"HEAD"} if "GET" in taken else taken)
    rows: list[Row] = []
    for old in legacy:
        left = old.methods - gone.get(old, set())
        if old.methods and not left - {"OPTIONS"}:
            continue
        rows.append(Row(tuple(sorted(left)), old.path, "legacy", old.endpoint, host=old.host))
    return rows
