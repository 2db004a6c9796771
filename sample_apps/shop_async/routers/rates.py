"""Exchange rates over HTTP: the same call in every form in which it gets into a module."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from time import sleep
from time import sleep as pause
from typing import Any

import httpx
import requests
import requests as http_client
from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse
from requests import get as fetch

from shop_async.settings import SettingsDep

__all__ = ["router"]

router = APIRouter(prefix="/rates", tags=["rates"])

BROWSER = requests.Session()


@router.get("")
async def all_rates(settings: SettingsDep) -> Any:
    answer = requests.get(f"{settings.rates_url}/rates", timeout=2)  # AW102: requests.get
    answer.raise_for_status()
    return answer.json()


@router.get("/of/{currency}")
async def one_rate(currency: str, settings: SettingsDep) -> Any:
    url = f"{settings.rates_url}/rates/{currency}"
    answer = http_client.request("GET", url, timeout=2)  # AW102: requests.request
    if answer.status_code == 404:
        raise HTTPException(404, answer.json()["error"])
    return answer.json()


@router.get("/patiently/{currency}")
async def retried(currency: str, settings: SettingsDep) -> Any:
    for attempt in range(3):
        try:
            return fetch(f"{settings.rates_url}/rates/{currency}", timeout=2).json()  # AW102: requests.get
        except requests.ConnectionError:
            sleep(0.05 * attempt)  # AW101: time.sleep
    raise HTTPException(503, "The rates service does not answer.")


@router.get("/plain")
async def with_the_standard_library(settings: SettingsDep) -> Any:
    import urllib.request

    with urllib.request.urlopen(f"{settings.rates_url}/rates", timeout=2) as answer:  # AW102: urllib.request.urlopen
        return json.loads(answer.read())  # AW102 typed: http.client.HTTPResponse.read


@router.get("/httpx")
async def with_the_wrong_half_of_httpx(settings: SettingsDep) -> Any:
    headers = httpx.head(f"{settings.rates_url}/nothing").headers  # AW102: httpx.head
    answer = httpx.get(f"{settings.rates_url}/rates", headers={"Accept": headers["content-type"]})  # AW102: httpx.get
    return answer.json()


@router.get("/several")
async def several(settings: SettingsDep, currencies: str = "SEK,USD") -> dict[str, float]:
    urls = {code: f"{settings.rates_url}/rates/{code}" for code in currencies.split(",")}
    return {code: requests.get(url, timeout=2).json()["rate"] for code, url in urls.items()}  # AW102: requests.get


@router.get("/session")
async def with_a_session(settings: SettingsDep) -> list[int]:
    url = f"{settings.rates_url}/rates"
    with requests.Session() as browser:
        first = browser.get(url, timeout=2)  # AW102 typed: requests.Session.get
    second = BROWSER.head(f"{url}/SEK", timeout=2)  # AW102 typed: requests.Session.head
    third = requests.Session().get(url, timeout=2)  # AW102 typed: requests.Session.get
    return [first.status_code, second.status_code, third.status_code]


@router.get("/annotated")
async def through_annotations(settings: SettingsDep) -> list[int]:
    async def ask(client: requests.Session, path: str) -> int:
        return client.get(settings.rates_url + path, timeout=2).status_code  # AW102 typed: requests.Session.get

    root = settings.rates_url
    spare: requests.Session | None = _new_session() if root else None
    statuses = [await ask(BROWSER, "/rates"), await ask(_new_session(), "/rates/GBP")]
    if spare is not None:
        answer = spare.get(f"{root}/rates", timeout=2)  # AW102 typed: requests.Session.get
        statuses.append(answer.status_code)
    made = _new_session()
    last = made.get(f"{root}/rates/CHF", timeout=2)  # AW102 typed: requests.Session.get
    return [*statuses, last.status_code]


def _new_session() -> requests.Session:
    return requests.Session()


@router.get("/ticker")
async def ticker(settings: SettingsDep, ticks: int = 3) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        for _ in range(ticks):
            quotation = requests.get(f"{settings.rates_url}/rates/SEK", timeout=2).json()  # AW102: requests.get
            yield f"{quotation['rate']}\n"
            time.sleep(0.01)  # AW101: time.sleep

    return StreamingResponse(lines(), media_type="text/plain")


@router.get("/paced")
async def paced() -> dict[str, str]:
    wait = time.sleep
    wait(0.01)  # AW101 typed: time.sleep
    pause(0.01)  # AW101: time.sleep
    await asyncio.sleep(0.01)
    return {"pace": "slow"}
