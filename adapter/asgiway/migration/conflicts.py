"""Where native and legacy routes get into each other's way: pure functions over two lists of routes and two oracles.

The oracles are the frameworks' own matchers. Each conflict was seen with a sample path, which it names; what no sample
path shows is not reported. The kinds, and which of them lose URLs, are in ``KINDS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from asgiway.migration.legacy_routes import LegacyRoute
from asgiway.migration.matching import NativeRoute
from asgiway.migration.path_syntax import CONVERTERS
from asgiway.migration.url_patterns import Pattern, parse_starlette, samples, shape

__all__ = ["KINDS", "Conflict", "Evidence", "Oracles", "Severity", "gather", "judge"]

Severity = Literal["info", "warning", "error"]

KINDS: Final[dict[str, Severity]] = {
    "shadows": "info",
    "shadows-methods": "info",
    "shadows-part": "info",
    "slash-twins": "warning",
    "mount-owns": "warning",
    "swallows": "error",
    "rejects": "error",
    "unreachable": "error",
}
"""Kind -> severity. With an error, URLs are lost: a legacy URL gets another or no answer, or native code never runs."""

_ALL_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_GENERATED: Final = "fastapi.applications.FastAPI.setup."
_IMPLIED: Final = frozenset({"HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Conflict:
    """One finding.

    Parameters:
        kind: a key of KINDS.
        message: a sentence.
        example: a request that shows it, "GET /items/abc".
        native: the native route.
        legacy: the legacy route, if one is concerned.
    """

    kind: str
    message: str
    example: str
    native: NativeRoute
    legacy: LegacyRoute | None = None

    @property
    def severity(self) -> Severity:
        """See KINDS."""
        return KINDS[self.kind]


@dataclass(frozen=True, slots=True)
class Oracles:
    """Who would serve (method, path, host).

    Parameters:
        native: the native route, or None.
        legacy: the route of the legacy application alone, or None.
        rejected: names of path parameters that the native route would refuse with 422.
    """

    native: Callable[[str, str, str], NativeRoute | None]
    legacy: Callable[[str, str, str], LegacyRoute | None]
    rejected: Callable[[str, str, str], list[str]]


@dataclass(slots=True)
class Overlap:
    """What a native route takes from a legacy one: requests that were seen to go there, and paths that stay."""

    taken: dict[tuple[str, str], None] = field(default_factory=dict[tuple[str, str], None])
    kept_methods: set[str] = field(default_factory=set[str])
    kept_paths: dict[str, None] = field(default_factory=dict[str, None])
    covers_native: bool = False  # every sample of the native route was the legacy route's


@dataclass(frozen=True, slots=True)
class Evidence:
    """What sample requests have shown.

    Parameters:
        overlaps: (native, legacy) -> what goes from one to the other.
        unreachable: native route -> the methods that never reach it, and a request with what serves that instead.
        refused: (native, legacy) -> a request that was answered and now gets 422, and the parameters.
    """

    overlaps: dict[tuple[NativeRoute, LegacyRoute], Overlap]
    unreachable: dict[NativeRoute, tuple[list[str], tuple[str, str], NativeRoute | None]]
    refused: dict[tuple[NativeRoute, LegacyRoute], tuple[tuple[str, str], list[str]]]


def gather(native: Sequence[NativeRoute], legacy: Sequence[LegacyRoute], ask: Oracles) -> Evidence:
    """Try sample requests of every route on both sides."""
    evidence = Evidence({}, {}, {})
    for route in native:
        if route.kind != "websocket":
            _try_native(route, ask, evidence)
    for old in legacy:
        _try_legacy(old, ask, evidence)
    return evidence


def _try_native(route: NativeRoute, ask: Oracles, evidence: Evidence) -> None:
    host = next(samples(parse_starlette(route.host)), "") if route.host else ""
    paths = list(samples(parse_starlette(route.path)))
    sampled_well = all(isinstance(part, str) or part.kind in CONVERTERS for part in parse_starlette(route.path))
    elsewhere = False
    missed: list[str] = []
    witness: tuple[tuple[str, str], NativeRoute | None] | None = None
    for method in _methods(route.methods):
        reached = False
        servers: list[LegacyRoute | None] = []
        for path in paths:
            now = ask.native(method, path, host)
            if now == route:
                reached = True
                before = ask.legacy(method, path, host)
                servers.append(before)
                if before is not None:
                    overlap = evidence.overlaps.setdefault((route, before), Overlap())
                    overlap.taken[method, path] = None
            elif witness is None:
                witness = ((method, path), now)
                elsewhere = elsewhere or now is not None
        # With a converter of its own, no sample may be right: only what serves instead proves anything then.
        if not reached and (elsewhere or sampled_well):
            missed.append(method)
        if servers and servers[0] is not None and all(server == servers[0] for server in servers):
            evidence.overlaps[route, servers[0]].covers_native = True
    if missed and witness is not None:
        evidence.unreachable[route] = (missed, *witness)


def _try_legacy(old: LegacyRoute, ask: Oracles, evidence: Evidence) -> None:
    kept: dict[str, set[str]] = {}  # path -> methods
    for path in dict.fromkeys(path for form in old.forms for path in samples(form)):
        for method in _methods(old.methods):
            if ask.legacy(method, path, old.host) != old:
                continue
            now = ask.native(method, path, old.host)
            if now is None:
                kept.setdefault(path, set()).add(method)
                continue
            evidence.overlaps.setdefault((now, old), Overlap()).taken[method, path] = None
            refused = ask.rejected(method, path, old.host)
            if refused:
                evidence.refused.setdefault((now, old), ((method, path), refused))
    for (_, owner), overlap in evidence.overlaps.items():
        if owner != old:
            continue
        methods = {method for method, _ in overlap.taken}
        for path, left in kept.items():
            if left & methods:
                overlap.kept_paths[path] = None
            overlap.kept_methods |= left - methods


def judge(evidence: Evidence, native: Sequence[NativeRoute], legacy: Sequence[LegacyRoute]) -> list[Conflict]:
    """The conflicts that the evidence shows, the worst first."""
    found = [
        *_unreachable(evidence),
        *_refused(evidence),
        *_overlaps(evidence),
        *_slash_twins(native, legacy),
    ]
    order = {"error": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda each: order[each.severity])


def _unreachable(evidence: Evidence) -> Iterator[Conflict]:
    for route, (methods, (method, path), instead) in evidence.unreachable.items():
        by = "no native route" if instead is None else f"{instead.path} ({instead.endpoint})"
        yield Conflict(
            "unreachable",
            f"native {_title(route, methods)} never runs: {by} is taken for its URLs; put it in front",
            f"{method} {path}",
            route,
        )


def _refused(evidence: Evidence) -> Iterator[Conflict]:
    for (route, old), ((method, path), names) in evidence.refused.items():
        yield Conflict(
            "rejects",
            f"native {_title(route)} answers 422 where legacy {old.path} ({old.endpoint}) would serve: the annotation of "
            f"{', '.join(names)} refuses the value; a path converter such as {{{names[0]}:int}} lets it pass to legacy",
            f"{method} {path}",
            route,
            old,
        )


def _overlaps(evidence: Evidence) -> Iterator[Conflict]:
    by_native: dict[NativeRoute, list[LegacyRoute]] = {}
    for route, old in evidence.overlaps:
        by_native.setdefault(route, []).append(old)
    for route, olds in by_native.items():
        twin = _twin(parse_starlette(route.path), olds)
        for old in olds:
            conflict = _overlap(route, old, evidence.overlaps[route, old], old is twin)
            if conflict.kind != "swallows" or (route, old) not in evidence.refused:  # which says more of the same
                yield conflict


def _twin(pattern: Pattern, olds: Iterable[LegacyRoute]) -> LegacyRoute | None:
    """The legacy route that a native one is the successor of: the same shape, at best with the same converters."""
    best: tuple[int, LegacyRoute] | None = None
    for old in olds:
        for form in old.forms:
            if shape(form) == shape(pattern):
                alike = sum(a == b for a, b in zip(form, pattern, strict=True))
                if best is None or alike > best[0]:
                    best = alike, old
    return None if best is None else best[1]


def _overlap(route: NativeRoute, old: LegacyRoute, overlap: Overlap, twin: bool) -> Conflict:
    method, path = next(iter(overlap.taken))
    example = f"{method} {path}"
    methods = sorted({method for method, _ in overlap.taken})
    old_title = f"legacy {old.path} ({old.endpoint})"
    if route.endpoint.startswith(_GENERATED):
        return Conflict(
            "swallows",
            f"FastAPI's own page {route.path} takes URLs of {old_title}; move or remove it with docs_url, redoc_url, "
            "swagger_ui_oauth2_redirect_url or openapi_url of FastAPI()",
            example,
            route,
            old,
        )
    if twin and not overlap.kept_paths:
        left = overlap.kept_methods if old.methods else {"other methods"}
        if old.methods and not left:
            return Conflict("shadows", f"native {_title(route)} has taken over {old_title}", example, route, old)
        return Conflict(
            "shadows-methods",
            f"native {_title(route)} has taken {', '.join(methods)} over from {old_title}, which keeps "
            f"{', '.join(sorted(left))}",
            example,
            route,
            old,
        )
    if overlap.covers_native or twin:
        stays = f"; {next(iter(overlap.kept_paths))} stays legacy" if overlap.kept_paths else ""
        return Conflict(
            "shadows-part", f"native {_title(route)} takes some URLs of {old_title}{stays}", example, route, old
        )
    if route.kind in ("mount", "host"):
        return Conflict(
            "mount-owns",
            f"native mount {route.path} owns the URLs of {old_title}; what it has for them cannot be read",
            example,
            route,
            old,
        )
    return Conflict(
        "swallows", f"native {_title(route)} swallows URLs of {old_title}, which is another route", example, route, old
    )


def _slash_twins(native: Iterable[NativeRoute], legacy: Iterable[LegacyRoute]) -> Iterator[Conflict]:
    olds: dict[tuple[str, tuple[str | None, ...]], LegacyRoute] = {}
    for old in legacy:
        for form in old.forms:
            olds.setdefault((old.host, shape(form)), old)
    for route in native:
        if route.kind != "http" or route.path == "/":
            continue
        other = route.path.rstrip("/") if route.path.endswith("/") else route.path + "/"
        twin = olds.get((route.host, shape(parse_starlette(other))))
        if twin is None or (route.host, shape(parse_starlette(route.path))) in olds:
            continue
        if twin.methods and route.methods and not (twin.methods & route.methods) - _IMPLIED:
            continue
        path = next(samples(parse_starlette(other)))
        yield Conflict(
            "slash-twins",
            f"native {_title(route)} and legacy {twin.path} ({twin.endpoint}) differ by a slash only: both answer",
            f"{_methods(twin.methods)[0]} {path}",
            route,
            twin,
        )


def _methods(methods: frozenset[str]) -> list[str]:
    """The methods to try: those that are served because others are need no try of their own."""
    return sorted(methods - _IMPLIED) or sorted(methods) or list(_ALL_METHODS)


def _title(route: NativeRoute, methods: Iterable[str] | None = None) -> str:
    shown = sorted(methods if methods is not None else route.methods - _IMPLIED or route.methods)
    return f"{','.join(shown) or '*'} {route.path} ({route.endpoint})"
