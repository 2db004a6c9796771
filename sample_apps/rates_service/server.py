"""The server itself: the standard library's threading HTTP server in a thread that its owner starts and stops."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Final, Self
from urllib.parse import parse_qs, urlsplit

__all__ = ["PUBLISHED_RATES", "RatesService"]

PUBLISHED_ON: Final = "2026-11-13"
PUBLISHED_RATES: Final[dict[str, float]] = {
    "EUR": 1.0,
    "CHF": 0.9364,
    "DKK": 7.4593,
    "GBP": 0.8512,
    "NOK": 11.6240,
    "SEK": 11.1875,
    "USD": 1.0847,
}
LONGEST_DELAY: Final = 5.0  # seconds


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "RatesService/1.0"

    def do_GET(self) -> None:
        """Answer ``/rates`` or ``/rates/<currency>``, after ``delay`` seconds when the query asks for it."""
        address = urlsplit(self.path)
        try:
            delay = float(parse_qs(address.query).get("delay", ["0"])[0])
        except ValueError:
            self._answer(400, {"error": "delay must be a number of seconds"})
            return
        if delay > 0:
            time.sleep(min(delay, LONGEST_DELAY))
        match address.path.strip("/").split("/"):
            case ["rates"]:
                self._answer(200, {"base": "EUR", "date": PUBLISHED_ON, "rates": PUBLISHED_RATES})
            case ["rates", currency] if currency.upper() in PUBLISHED_RATES:
                code = currency.upper()
                self._answer(
                    200, {"base": "EUR", "date": PUBLISHED_ON, "currency": code, "rate": PUBLISHED_RATES[code]}
                )
            case ["rates", currency]:
                self._answer(404, {"error": f"no rate is published for {currency}"})
            case _:
                self._answer(404, {"error": "ask for /rates or /rates/<currency>"})

    def _answer(self, status: int, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=60")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the shop logs the calls that fail."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Connections that clients keep alive would otherwise be joined one by one when the server closes.
    block_on_close = False
    request_queue_size = 128


class RatesService:
    """A rates server on the loopback interface, started by :meth:`start` and ended by :meth:`stop`.

    ``port`` 0 (the default) takes a free one; the address is in :attr:`url` from the constructor on.
    Raises :class:`OSError` when the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._thread: threading.Thread | None = None
        self.url: Final = f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> Self:
        """Serve from a daemon thread."""
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="rates-service", daemon=True
        )
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and free the port; a second call does nothing."""
        if self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._thread = None
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
