"""Which rules are on: ruff's arithmetic of selectors and layers."""

from __future__ import annotations

import pytest

from asgiway_lint.selection import Selection, SelectorError, check_selector, enabled_rules, expand

STABLE = ["AW001", "AW101", "AW102", "AW109", "AW202"]
PREVIEW = ["AW301"]


def on(*layers: Selection) -> list[str]:
    return sorted(enabled_rules(layers, STABLE, PREVIEW).codes)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param([], STABLE, id="everything stable by default"),
        pytest.param([Selection(select=("AW1",))], ["AW101", "AW102", "AW109"], id="a prefix"),
        pytest.param([Selection(select=("AW101",))], ["AW101"], id="a code"),
        pytest.param([Selection(select=("ALL",))], STABLE, id="ALL leaves preview rules off"),
        pytest.param([Selection(select=())], [], id="an empty selection is none"),
        pytest.param([Selection(ignore=("AW1",))], ["AW001", "AW202"], id="ignore alone"),
        pytest.param(
            [Selection(select=("AW1",), ignore=("AW102",))], ["AW101", "AW109"], id="the longer one wins: ignore"
        ),
        pytest.param([Selection(select=("AW102",), ignore=("AW1",))], ["AW102"], id="the longer one wins: select"),
        pytest.param([Selection(select=("AW1",), ignore=("AW1",))], [], id="of two equal ones ignore wins"),
        pytest.param([Selection(ignore=("ALL",), extend_select=("AW102",))], ["AW102"], id="all but one ignored"),
        pytest.param([Selection(extend_select=("AW301",))], [*STABLE, "AW301"], id="a preview rule by its code"),
        pytest.param([Selection(extend_select=("AW3",))], STABLE, id="a preview rule not by a prefix"),
        pytest.param([Selection(select=("AW1",)), Selection(select=("AW2",))], ["AW202"], id="a later select replaces"),
        pytest.param(
            [Selection(ignore=("AW102",)), Selection(select=("AW1",))],
            ["AW101", "AW102", "AW109"],
            id="a later select forgets earlier ignores, as in ruff",
        ),
        pytest.param(
            [Selection(select=("AW1",)), Selection(ignore=("AW109",))],
            ["AW101", "AW102"],
            id="a later ignore takes away",
        ),
        pytest.param(
            [Selection(select=("AW101",)), Selection(extend_select=("AW2",))],
            ["AW101", "AW202"],
            id="a later layer adds",
        ),
        pytest.param(
            [Selection(ignore=("AW102",)), Selection(extend_select=("AW1",))], STABLE, id="a later layer brings back"
        ),
    ],
)
def test_layers_add_up(layers: list[Selection], expected: list[str]) -> None:
    assert on(*layers) == sorted(expected)


@pytest.mark.parametrize(
    ("layers", "by_name"),
    [
        pytest.param([Selection(select=("AW109",))], ["AW109"], id="a code"),
        pytest.param([Selection(extend_select=("AW109",))], ["AW109"], id="an added code"),
        pytest.param([Selection(select=("AW1",))], [], id="a prefix is no name"),
        pytest.param([Selection(select=("AW109",)), Selection(select=("AW1",))], [], id="replaced"),
        pytest.param([Selection(select=("AW109",)), Selection(ignore=("AW109",))], [], id="ignored later"),
        pytest.param([Selection(select=("AW109",)), Selection(extend_select=("AW2",))], ["AW109"], id="added to"),
    ],
)
def test_rules_asked_for_by_name(layers: list[Selection], by_name: list[str]) -> None:
    assert sorted(enabled_rules(layers, STABLE, PREVIEW).by_name) == by_name


def test_selectors_are_checked() -> None:
    assert [check_selector(s, STABLE) for s in ("AW1", "aw101", "all", "AW")] == ["AW1", "AW101", "ALL", "AW"]
    with pytest.raises(SelectorError, match=r"unknown rule code 'AW999' \(did you mean 'AW109'\?\)"):
        check_selector("AW999", STABLE)
    with pytest.raises(SelectorError, match=r"'E501'"):
        check_selector("E501", STABLE)
    with pytest.raises(SelectorError, match="''"):
        check_selector("", STABLE)


def test_expand() -> None:
    assert expand(["AW10", "AW202"], STABLE) == {"AW101", "AW102", "AW109", "AW202"}
    assert expand(["ALL"], STABLE) == set(STABLE)
    assert expand([], STABLE) == frozenset()
