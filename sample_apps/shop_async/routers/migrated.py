"""What is finished: nothing below may be reported. The last ones look wrong, and are not."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
import os
import queue
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx
import requests
from asgiref.sync import sync_to_async
from fastapi import APIRouter, BackgroundTasks
from fastapi.concurrency import run_in_threadpool

from shop_async.services import rates
from shop_async.services.clock import sleep
from shop_async.services.labels import print_label
from shop_async.settings import SettingsDep

__all__ = ["router"]

router = APIRouter(prefix="/migrated", tags=["migrated"])

WORKERS = concurrent.futures.ThreadPoolExecutor(2, thread_name_prefix="migrated")


@router.get("/rates")
async def with_an_async_client(settings: SettingsDep) -> Any:
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{settings.rates_url}/rates")
        return answer.json()


@router.get("/threads")
async def on_threads(settings: SettingsDep) -> list[float]:
    url = f"{settings.rates_url}/rates/SEK"
    loop = asyncio.get_running_loop()
    answers = [
        await asyncio.to_thread(requests.get, url, timeout=2),
        await run_in_threadpool(requests.get, url, timeout=2),
        await loop.run_in_executor(None, functools.partial(requests.get, url, timeout=2)),
        await loop.run_in_executor(WORKERS, lambda: requests.get(url, timeout=2)),
        await anyio.to_thread.run_sync(functools.partial(requests.get, url, timeout=2)),
        await asyncio.wrap_future(WORKERS.submit(requests.get, url, timeout=2)),
        await sync_to_async(requests.get)(url, timeout=2),
    ]
    return [answer.json()["rate"] for answer in answers]


@router.get("/nested")
async def a_function_for_a_thread(settings: SettingsDep) -> dict[str, Any]:
    def ask() -> float:
        time.sleep(0.01)
        return rates.current(settings.rates_url, "SEK")

    def names() -> list[str]:
        return sorted(path.name for path in settings.folder.glob("*.sqlite"))

    return {"rate": await asyncio.to_thread(ask), "databases": await anyio.to_thread.run_sync(names)}


@router.get("/sync")
def a_plain_handler(settings: SettingsDep) -> Any:
    time.sleep(0.01)
    return requests.get(f"{settings.rates_url}/rates", timeout=2).json()


@router.get("/decorated")
async def a_decorated_helper(settings: SettingsDep) -> dict[str, float]:
    return {"rate": await _rate_on_a_thread(settings.rates_url)}


@sync_to_async
def _rate_on_a_thread(url: str) -> float:
    time.sleep(0.01)
    return float(requests.get(f"{url}/rates/SEK", timeout=2).json()["rate"])


@router.post("/background", status_code=202)
async def in_the_background(settings: SettingsDep, tasks: BackgroundTasks) -> dict[str, bool]:
    tasks.add_task(print_label, settings.folder, "for later\n")
    threading.Thread(target=time.sleep, args=(0.01,), daemon=True).start()
    return {"accepted": True}


@router.get("/files")
async def files(settings: SettingsDep) -> dict[str, Any]:
    path = settings.folder / "note.txt"
    async with await anyio.open_file(path, "w") as file:
        await file.write("counted twice")
    text = await anyio.Path(path).read_text()
    size = (await asyncio.to_thread(os.stat, path)).st_size
    return {"text": text, "size": size, "name": path.name, "in": os.path.join("a", path.stem) + path.suffix}


@router.get("/process")
async def process() -> dict[str, str]:
    started = await asyncio.create_subprocess_exec("uname", "-s", stdout=asyncio.subprocess.PIPE)
    output, _ = await started.communicate()
    await started.wait()
    return {"system": output.decode().strip()}


@router.get("/waiting")
async def waiting() -> dict[str, Any]:
    line: asyncio.Queue[int] = asyncio.Queue()
    ready, door = asyncio.Event(), asyncio.Lock()
    await line.put(7)
    ready.set()
    await ready.wait()
    async with door:
        number = await line.get()
    await door.acquire()
    door.release()
    await sleep(0.001)
    await anyio.sleep(0)
    return {"number": number}


@router.get("/polling")
async def polling() -> dict[str, Any]:
    """Calls that could wait, told not to."""
    line: queue.Queue[int] = queue.Queue()
    line.put_nowait(1)
    line.put(2, block=False)
    taken = [line.get_nowait(), line.get(block=False)]
    try:
        taken.append(line.get(timeout=0))
    except queue.Empty:
        taken.append(0)
    door, bell = threading.Lock(), threading.Event()
    got = door.acquire(blocking=False)
    if got:
        door.release()
    future = WORKERS.submit(sum, range(4))
    while not future.done():
        await asyncio.sleep(0.001)
    return {"taken": taken, "got": got, "rung": bell.wait(0), "sum": future.result()}


@router.get("/shadowed")
async def shadowed() -> dict[str, Any]:
    """Names that mean something else here."""

    def open(name: str) -> str:
        return f"open {name}"

    class requests:
        @staticmethod
        def get(url: str) -> str:
            return url.upper()

    async def run(sleep: Callable[[float], Awaitable[None]]) -> None:
        await sleep(0.001)

    await run(asyncio.sleep)
    settings = {"get": "a dict's"}
    steps: list[Callable[[float], None]] = [time.sleep]
    return {
        "opened": open("the shop"),
        "url": requests.get("somewhere"),
        "from": settings.get("get"),
        "steps": len(steps),
        "joined": ", ".join(["a", "b"]),
        "path": str(Path("a") / "b"),
        "now": time.monotonic() > 0,
    }


@router.get("/accepted")
async def accepted_for_now(settings: SettingsDep) -> Any:
    answer = requests.get(f"{settings.rates_url}/rates/GBP", timeout=2)  # noqa: AW102  (goes with the next release)
    return answer.json()
