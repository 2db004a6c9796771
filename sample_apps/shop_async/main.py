"""The application: routers, and a lifespan that has already been migrated with care."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.concurrency import run_in_threadpool

from rates_service import RatesService
from shop_async.routers import migrated, orders, products, rates, reports, stock
from shop_async.settings import Settings
from shop_async.storage import open_storage

__all__ = ["app", "create_app"]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncGenerator[None]:
    settings: Settings = app.state.settings
    service: RatesService | None = None
    if not settings.rates_url:
        service = await asyncio.to_thread(_start_rates_service)
        app.state.settings = dataclasses.replace(settings, rates_url=service.url)
    engine: Engine = await run_in_threadpool(open_storage, settings.folder)
    app.state.engine = engine
    try:
        yield
    finally:
        app.state.settings = settings
        await run_in_threadpool(engine.dispose)
        if service is not None:
            await asyncio.to_thread(service.stop)


def _start_rates_service() -> RatesService:
    return RatesService().start()


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the application; nothing is opened before it starts."""
    app = FastAPI(title="Spoke & Saddle", lifespan=_lifespan)
    app.state.settings = settings or Settings.from_environment()
    for module in (products, rates, orders, stock, reports, migrated):
        app.include_router(module.router)
    return app


app = create_app()
