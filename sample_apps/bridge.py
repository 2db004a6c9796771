"""The demonstration site: native async routes beside the legacy shop, which asgiway runs unchanged.

From this folder: ``uvicorn --factory bridge:create_site``. ``asgiway demo`` serves the same site. State lives in the
folder that SHOP_FOLDER names, by default ``./.asgiway-demo``.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse

from asgiway import WSGIMiddleware
from flask_shop import create_app
from rates_service import RatesService

__all__ = ["create_site"]


def create_site(config: Mapping[str, Any] | None = None) -> FastAPI:
    """Build the site; ``config`` goes to the legacy shop (see ``flask_shop.settings``).

    Raises :class:`OSError` when the shop's folder cannot be written.
    """
    rates = RatesService()  # one service for the old shop and the new routes
    folder = os.environ.get("SHOP_FOLDER", ".asgiway-demo")
    shop = create_app({"INSTANCE_FOLDER": folder, "RATES_URL": rates.url, **(config or {})})
    legacy = WSGIMiddleware(shop)

    @asynccontextmanager
    async def lifespan(site: FastAPI) -> AsyncGenerator[None]:
        rates.start()
        try:
            # A mount is told nothing of startup and shutdown: who mounts the adapter has to drain it.
            async with legacy, httpx.AsyncClient(base_url=rates.url, trust_env=False) as client:
                site.state.rates_client = client
                yield
        finally:
            await run_in_threadpool(shop.extensions["shop"].close)
            await run_in_threadpool(rates.stop)

    site = FastAPI(title="Spoke & Saddle, on its way to ASGI", lifespan=lifespan)

    @site.get("/native/rates")
    async def native_rates() -> Any:
        """Answer as ``/rates`` of the old shop does, without holding a thread while the rates service thinks."""
        client: httpx.AsyncClient = site.state.rates_client
        return (await client.get("/rates")).json()

    @site.get("/native/ticker")
    async def ticker(seconds: float = 3) -> StreamingResponse:
        """Send an event every tenth of a second, which would cost a WSGI server a thread for each listener."""

        async def events() -> AsyncGenerator[str]:
            client: httpx.AsyncClient = site.state.rates_client
            for number in range(max(1, int(seconds * 10))):
                rate = (await client.get("/rates/SEK")).json()["rate"]
                yield f"id: {number}\nevent: rate\ndata: {rate}\n\n"
                await asyncio.sleep(0.1)

        return StreamingResponse(events(), media_type="text/event-stream")

    @site.get("/native/health")
    async def health() -> dict[str, str]:
        """Answer on the loop, however busy the old shop is."""
        return {"status": "ok"}

    site.mount("/", legacy)
    return site
