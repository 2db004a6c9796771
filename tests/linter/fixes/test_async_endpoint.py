"""`async def` -> `def` for FastAPI endpoints that never await."""

from __future__ import annotations

from dataclasses import replace

import pytest

from asgiway_lint.fixes.model import Applicability, Fix
from tests.linter.fixes.support import SETTINGS, fixed, offers, refused

APP = """\
import sqlite3
import time

from fastapi import FastAPI

app = FastAPI()


@app.get("/stock")
async def stock(sku: str):
    connection = sqlite3.connect("shop.db")
    return connection.execute("SELECT 1").fetchone()
"""


def test_an_endpoint_becomes_a_plain_function_which_ends_all_its_findings() -> None:
    assert fixed(APP, unsafe=True) == APP.replace("async def stock", "def stock")
    assert fixed(APP) == APP
    (offer,) = [each for found in offers(APP) for each in found if each.name == "async-endpoint"]
    assert isinstance(offer, Fix)
    assert offer.applicability is Applicability.UNSAFE
    assert [finding.code for finding in offer.removes] == ["AW203", "AW103", "AW103", "AW103"]
    assert "`stock` then runs in a thread beside others" in offer.reason


def test_where_every_call_can_be_repaired_for_good_it_stays_a_coroutine() -> None:
    source = APP.replace('    connection = sqlite3.connect("shop.db")\n', "    time.sleep(1)\n").replace(
        'connection.execute("SELECT 1").fetchone()', "1"
    )
    assert "async def stock(sku: str):\n    await asyncio.sleep(1)\n" in fixed(source, unsafe=True)
    mixed = APP.replace("    return connection", "    time.sleep(1)\n    return connection")
    assert fixed(mixed, unsafe=True) == mixed.replace("async def stock", "def stock")


def test_native_code_counts_only_if_it_is_preferred() -> None:
    source = APP.replace("import sqlite3", "import requests").replace(
        'connection = sqlite3.connect("shop.db")\n    return connection.execute("SELECT 1").fetchone()',
        'return requests.get("http://127.0.0.1/", timeout=1, auth=sku).status_code',
    )
    thread = replace(SETTINGS, prefer_fix="thread")
    assert "\ndef stock(" in fixed(source, unsafe=True, settings=thread)


@pytest.mark.parametrize(
    "signature",
    ["async def stock(sku: str):", "async  def stock ( sku: str ) :", "async \\\n    def stock(sku: str):"],
)
def test_the_signature_stays(signature: str) -> None:
    new = fixed(APP.replace("async def stock(sku: str):", signature), unsafe=True)
    after = new.partition('@app.get("/stock")\n')[2]
    assert after.startswith("def stock")
    assert signature.endswith(after.partition("\n")[0].removeprefix("def"))


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        pytest.param("\n\nasync def other():\n    return await stock('x')\n", "is called in this file", id="awaited"),
        pytest.param("\n\napp.state.stock = list(map(print, [stock]))\n", "", id="in a list"),
        pytest.param("\n\napp.add_event_handler('startup', stock)\n", "is handed on in this file", id="handed on"),
    ],
)
def test_others_may_need_the_coroutine(more: str, reason: str) -> None:
    new = fixed(APP + more, unsafe=True)
    if reason:
        assert "async def stock" in new
        assert any(reason in each for each in refused(APP + more))
    else:
        assert "\ndef stock" in new
