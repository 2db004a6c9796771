"""One small client interface for the shop, implemented by Flask's test client and by httpx against a real server."""

from __future__ import annotations

import base64
import io
import json as jsonlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx
from flask import Flask

__all__ = [
    "ADMIN",
    "CUSTOMER",
    "FlaskShopClient",
    "HttpxShopClient",
    "Reply",
    "ShopClient",
    "Upload",
    "basic",
    "sign_in",
]

CUSTOMER = ("ines@spokeandsaddle.example", "cobbled-lanes")
ADMIN = ("anselm@spokeandsaddle.example", "true-the-wheel")


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart form."""

    field: str
    name: str
    content: bytes
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; header names in lower case."""

    status: int
    headers: Sequence[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return jsonlib.loads(self.body)

    def header(self, name: str) -> str | None:
        """Return the one value of a header; more than one is an error of the test."""
        values = [value for key, value in self.headers if key == name]
        assert len(values) <= 1, f"{name} came {len(values)} times"
        return values[0] if values else None

    @property
    def flashes(self) -> list[tuple[str, str]]:
        """The messages a page shows, as (kind, text)."""
        found = re.findall(r'<p class="flash (\w+)" role="status">(.*?)</p>', self.text, re.DOTALL)
        return [(kind, " ".join(text.split())) for kind, text in found]


class ShopClient(Protocol):
    """A browser with a cookie jar of its own."""

    def request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        files: Sequence[Upload] = (),
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = False,
    ) -> Reply: ...

    def set_cookie(self, name: str, value: str) -> None: ...

    def close(self) -> None: ...


class FlaskShopClient:
    """Through Flask's test client: no server, no adapter."""

    def __init__(self, app: Flask) -> None:
        self._client = app.test_client()

    def request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        files: Sequence[Upload] = (),
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = False,
    ) -> Reply:
        data: Any = body
        content_type = None
        if files:
            parts: dict[str, Any] = dict(form or {})
            for file in files:
                parts.setdefault(file.field, []).append((io.BytesIO(file.content), file.name, file.media_type))
            data, content_type = parts, "multipart/form-data"
        elif form is not None:
            data = dict(form)
        sent = dict(headers or {}) | ({"Content-Type": content_type} if content_type else {})
        with self._client.open(
            path, method=method, data=data, json=json, headers=sent, follow_redirects=follow
        ) as response:
            pairs = [(name.lower(), value) for name, value in response.headers.items()]
            return Reply(response.status_code, pairs, response.data)

    def set_cookie(self, name: str, value: str) -> None:
        self._client.set_cookie(name, value)

    def close(self) -> None:
        """Nothing to close."""


class HttpxShopClient:
    """Through a socket: the adapter behind a real server at ``address``."""

    def __init__(self, address: str) -> None:
        # trust_env off: a proxy from the environment has no business between us and the loopback interface.
        self._client = httpx.Client(base_url=address, timeout=60, trust_env=False)

    def request(
        self,
        method: str,
        path: str,
        *,
        form: Mapping[str, str] | None = None,
        files: Sequence[Upload] = (),
        json: Any = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        follow: bool = False,
    ) -> Reply:
        response = self._client.request(
            method,
            path,
            data=dict(form) if form is not None else None,
            files=[(file.field, (file.name, file.content, file.media_type)) for file in files] or None,
            json=json,
            content=body,
            headers=dict(headers or {}),
            follow_redirects=follow,
        )
        pairs = [(name.lower(), value) for name, value in response.headers.multi_items()]
        return Reply(response.status_code, pairs, response.content)

    def set_cookie(self, name: str, value: str) -> None:
        self._client.cookies.set(name, value)

    def close(self) -> None:
        self._client.close()


def basic(account: tuple[str, str]) -> dict[str, str]:
    """Return the header that signs a program in."""
    return {"Authorization": "Basic " + base64.b64encode(":".join(account).encode()).decode()}


def sign_in(client: ShopClient, account: tuple[str, str] = CUSTOMER) -> None:
    """Sign a browser in with the form."""
    reply = client.request("POST", "/account/sign-in", form={"email": account[0], "password": account[1]})
    assert reply.status == 303, reply.text
