"""The conformance application as a server runs it with nothing in between: ``uvicorn ...alone:app``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from typing import Any

from asgiway import WSGIMiddleware
from tests.adapter.wire_support import programs_lifecycle, programs_neighbours, programs_request, programs_response
from tests.adapter.wire_support.control import serve_control
from tests.adapter.wire_support.programs import conformance_app

logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
assert [programs_lifecycle, programs_neighbours, programs_request, programs_response]

adapter = WSGIMiddleware(conformance_app, workers=16)


async def _in_debug_mode(scope: Any, receive: Any, send: Any) -> None:
    """Servers switch asyncio's debug mode off again, whatever PYTHONASYNCIODEBUG says; trio has none."""
    if scope["type"] == "lifespan":
        with contextlib.suppress(RuntimeError):
            asyncio.get_running_loop().set_debug(True)
    await adapter(scope, receive, send)


app: Any = _in_debug_mode if "PYTHONASYNCIODEBUG" in os.environ else adapter
serve_control({"alone": adapter})
