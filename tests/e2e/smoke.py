"""What must work on every Python: run by test_other_pythons.py with each one that is present, with nothing but the
packages' own pure-Python dependencies on its path. Prints "smoke passed" and the version at its end."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asgiway import WSGIMiddleware

SECONDS = 30


def app(environ: dict[str, Any], start_response: Any) -> Any:
    path = environ["PATH_INFO"]
    if path == "/echo":
        body = environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [body]
    if path == "/stream":

        def chunks() -> Iterator[bytes]:
            start_response("200 OK", [])
            for number in range(1000):
                yield b"%d," % number

        return chunks()
    if path == "/broken":
        raise ValueError("broken")
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [threading.current_thread().name.encode()]


async def request(adapter: Any, path: str, body: bytes = b"") -> tuple[int, bytes]:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST" if body else "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"content-length", b"%d" % len(body))] if body else [],
        "client": None,
        "server": None,
    }
    incoming = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if incoming:
            return incoming.pop()
        await asyncio.sleep(SECONDS)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await asyncio.wait_for(adapter(scope, receive, send), SECONDS)
    return sent[0]["status"], b"".join(message["body"] for message in sent[1:])


async def adapter_works() -> None:
    async with WSGIMiddleware(app) as adapter:
        status, name = await request(adapter, "/")
        assert (status, name[:8]) == (200, b"asgiway-"), (status, name)
        assert await request(adapter, "/echo", b"x" * 300_000) == (200, b"x" * 300_000)
        assert await request(adapter, "/stream") == (200, b"".join(b"%d," % number for number in range(1000)))
        try:
            await request(adapter, "/broken")
        except ValueError:
            pass
        else:
            raise AssertionError("the error did not arrive")
        answers = await asyncio.gather(*(request(adapter, "/") for _ in range(64)))
        assert {status for status, _ in answers} == {200}
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("asgiway-")]


def linter_works() -> None:
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "code.py"
        code.write_text("import requests as r\n\n\nasync def f():\n    r.get('u')\n    await f()\n")
        done = subprocess.run(
            [sys.executable, "-m", "asgiway_lint", "check", "--isolated", "--no-cache", str(code)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            cwd=folder,
        )
        assert done.returncode == 1, done.stderr
        assert "code.py:5:5: AW102 [*] `requests.get`" in done.stdout, done.stdout


if __name__ == "__main__":
    asyncio.run(adapter_works(), debug=True)
    linter_works()
    print(f"smoke passed {sys.version_info.major}.{sys.version_info.minor}")
