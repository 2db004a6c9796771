"""The conformance application as a server runs it with nothing in between: ``uvicorn ...alone:app``."""

from __future__ import annotations

import logging

from asgiway import WSGIMiddleware
from tests.adapter.wire_support import programs_lifecycle, programs_request, programs_response
from tests.adapter.wire_support.control import serve_control
from tests.adapter.wire_support.programs import conformance_app

logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
assert [programs_lifecycle, programs_request, programs_response]

app = WSGIMiddleware(conformance_app, workers=16)
serve_control({"alone": app})
