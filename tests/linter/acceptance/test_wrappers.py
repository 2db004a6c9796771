"""Section 4 of linter-acceptance: what is handed to a sanctioned wrapper runs elsewhere, directly, in a lambda or in a partial."""

from __future__ import annotations

import pytest

from tests.linter.acceptance.support import holds, silent

# Name of the wrapper -> imports, and the call with {} for what is handed over; `await` where there is something to await.
CALLS = {
    "asyncio.to_thread": ("import asyncio", "await asyncio.to_thread({})"),
    "loop.run_in_executor": ("import asyncio", "await asyncio.get_running_loop().run_in_executor(None, {})"),
    "loop.run_in_executor of an unknown loop": ("", "await unknown.run_in_executor(None, {})"),
    "anyio.to_thread.run_sync": ("import anyio", "await anyio.to_thread.run_sync({})"),
    "anyio.to_process.run_sync": ("import anyio.to_process", "await anyio.to_process.run_sync({})"),
    "trio.to_thread.run_sync": ("import trio", "await trio.to_thread.run_sync({})"),
    "asgiref.sync_to_async": ("from asgiref.sync import sync_to_async", "await sync_to_async({})()"),
    "channels.db.database_sync_to_async": (
        "from channels.db import database_sync_to_async",
        "await database_sync_to_async({})()",
    ),
    "starlette.concurrency.run_in_threadpool": (
        "from starlette.concurrency import run_in_threadpool",
        "await run_in_threadpool({})",
    ),
    "fastapi.concurrency.run_in_threadpool": (
        "from fastapi.concurrency import run_in_threadpool",
        "await run_in_threadpool({})",
    ),
    "asyncer.asyncify": ("from asyncer import asyncify", "await asyncify({})()"),
    "hass.async_add_executor_job": ("", "await hass.async_add_executor_job({})"),
    "concurrent Executor.submit": (
        "from concurrent.futures import ThreadPoolExecutor\npool = ThreadPoolExecutor()",
        "pool.submit({})",
    ),
    "threading.Thread(target=)": ("import threading", "threading.Thread(target={}).start()"),
    "multiprocessing.Process(target=)": ("import multiprocessing", "multiprocessing.Process(target={})"),
    "AsyncSession.run_sync": (
        "from sqlalchemy.ext.asyncio import AsyncSession\nsession: AsyncSession",
        "await session.run_sync({})",
    ),
    "AsyncConnection.run_sync": (
        "from sqlalchemy.ext.asyncio import AsyncConnection\nconnection: AsyncConnection",
        "await connection.run_sync({})",
    ),
}
HANDED_OVER = {
    "a library's function": "time.sleep",
    "a helper": "helper",
    "a lambda": "lambda: time.sleep(1)",
    "a lambda that calls a helper": "lambda: helper()",
    "functools.partial": "functools.partial(time.sleep, 1)",
    "functools.partial of a helper": "functools.partial(helper, 1)",
    "a method": "sessions.get",
}


def module(imports: str, statement: str) -> str:
    return f"""
import functools
import time
import requests
{imports}

sessions = requests.Session()

def helper(n=1):
    time.sleep(n)

async def f(unknown, hass):
    {statement}
"""


@pytest.mark.parametrize("given", HANDED_OVER.values(), ids=HANDED_OVER)
@pytest.mark.parametrize("wrapper", CALLS.values(), ids=CALLS)
def test_handed_over(wrapper: tuple[str, str], given: str) -> None:
    """Wrapper: each of the list, with functions, helpers, methods, lambdas and partials."""
    imports, call = wrapper
    silent(module(imports, call.format(given)))


@pytest.mark.parametrize("wrapper", CALLS.values(), ids=CALLS)
def test_called_while_handing_over(wrapper: tuple[str, str]) -> None:
    """Wrapper: an argument that is a call is made here and now."""
    imports, call = wrapper
    statement = call.format("requests.get('u').json")
    holds(module(imports, f"{statement}  #! requests.get"))


def test_iterate_in_threadpool() -> None:
    """Wrapper: starlette.concurrency.iterate_in_threadpool, of fastapi, too."""
    holds("""
        import fastapi.concurrency
        from pathlib import Path
        from starlette.concurrency import iterate_in_threadpool

        async def f(path: Path):
            async for _ in iterate_in_threadpool(path.iterdir()):
                pass
            async for _ in fastapi.concurrency.iterate_in_threadpool(path.iterdir()):
                pass
            for _ in path.iterdir():  #! pathlib.Path.iterdir
                pass
    """)


@pytest.mark.parametrize(
    ("imports", "decorator"),
    [
        ("from asgiref.sync import sync_to_async", "sync_to_async"),
        ("from asgiref.sync import sync_to_async", "sync_to_async(thread_sensitive=False)"),
        ("from channels.db import database_sync_to_async", "database_sync_to_async"),
        ("from asyncer import asyncify", "asyncify"),
        ("import asgiref.sync", "asgiref.sync.sync_to_async"),
    ],
)
def test_decorated_helpers_are_asynchronous(imports: str, decorator: str) -> None:
    """Wrapper: decorated helpers count as async."""
    silent(f"""
        import time
        {imports}

        @{decorator}
        def helper():
            time.sleep(1)

        async def f():
            await helper()
            found = helper()
            await found
    """)


def test_what_runs_on_the_loop_is_not_sanctioned() -> None:
    """Wrapper: loop.call_soon(f) and add_done_callback(f) are none; f runs on the loop."""
    found = holds("""
        import asyncio
        import time

        def helper(*_):
            time.sleep(1)

        async def work(): ...

        async def f(loop: asyncio.AbstractEventLoop):
            loop.call_soon(helper)  #! time.sleep
            loop.call_later(1, helper)  #! time.sleep
            task = asyncio.create_task(work())
            task.add_done_callback(helper)  #! time.sleep
    """)
    assert {finding.code for finding in found} == {"AW201"}


def test_background_tasks() -> None:
    """Wrapper: FastAPI's and Starlette's `def` endpoints, dependencies and background tasks run in threads."""
    silent("""
        import time
        from fastapi import BackgroundTasks, Depends, FastAPI
        from starlette.background import BackgroundTask

        app = FastAPI()

        def helper():
            time.sleep(1)

        @app.get("/")
        def endpoint():
            time.sleep(1)

        @app.get("/a")
        async def other(tasks: BackgroundTasks, given=Depends(helper)):
            tasks.add_task(helper)
            return BackgroundTask(helper)
    """)
