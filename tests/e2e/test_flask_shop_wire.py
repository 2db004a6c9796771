"""What only a socket can show of the shop behind the adapter, and a comparison of both ways answer by answer."""

from __future__ import annotations

import hashlib
import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from flask_shop.products import PRODUCTS
from tests.e2e.running_shops import KINDS, RunningShop, RunningShops, run_shop
from tests.e2e.serving import wait_until
from tests.e2e.shop_clients import ADMIN, CUSTOMER, Reply, ShopClient, Upload, basic

pytestmark = pytest.mark.wire


@pytest.fixture
def served(shops: RunningShops) -> RunningShop:
    """Return the shop behind the adapter on uvicorn."""
    return shops.get("uvicorn")


# --- both ways, answer by answer


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the comparison."""

    method: str
    path: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])


PRODUCT = {
    "sku": "TLS-7100", "category": "tools", "name": "Größe 车", "description": "é", "price_cents": 1, "stock": 1,
    "weight_grams": 1,
}  # fmt: skip
CONVERSATION = [
    *(
        Request("GET", path)
        for path in ("/", "/products/", "/products/?q=tyre&page=1", "/products/?category=bags", "/cart")
    ),
    *(Request("GET", f"/products/{product.sku}") for product in PRODUCTS[:6]),
    *(Request(method, "/products/BRK-2001") for method in ("HEAD", "OPTIONS", "POST", "DELETE", "PROPFIND")),
    *(
        Request("GET", path)
        for path in ("/nope", "/api/nope", "/%E8%BD%A6", "/a%2Fb?x=%ff", "/static/shop.css", "/static/nope.css")
    ),
    Request("GET", "/static/shop.css", {"headers": {"Range": "bytes=10-19"}}),
    Request("GET", "/static/shop.css", {"headers": {"Range": "bytes=10-19,30-39"}}),
    Request("GET", "/static/shop.css", {"headers": {"Range": "bytes=999999-"}}),
    Request("GET", "/api/products?per_page=7&page=3"),
    Request("GET", "/api/products/DRV-1404", {"headers": {"If-None-Match": 'W/"x", "DRV-1404-1-15"'}}),
    Request("POST", "/api/products", {"json": PRODUCT}),
    Request("POST", "/api/products", {"json": PRODUCT, "headers": basic(ADMIN)}),
    Request("POST", "/api/products", {"json": PRODUCT, "headers": basic(ADMIN)}),
    Request("POST", "/api/products", {"json": {"sku": 1}, "headers": basic(ADMIN)}),
    Request(
        "POST", "/api/products", {"body": b"\xff{", "headers": basic(ADMIN) | {"Content-Type": "application/json"}}
    ),
    Request("PUT", "/api/products/TLS-7100", {"json": {"stock": 5}, "headers": basic(ADMIN)}),
    Request("GET", "/api/products/TLS-7100"),
    Request("DELETE", "/api/products/TLS-7100", {"headers": basic(ADMIN)}),
    Request("DELETE", "/api/products/TLS-7100", {"headers": basic(CUSTOMER)}),
    Request("PUT", "/api/files/a.txt", {"body": b"", "headers": basic(CUSTOMER) | {"Content-Type": "text/plain"}}),
    Request("PUT", "/api/files/b.bin", {"body": bytes(70_000), "headers": basic(CUSTOMER)}),
    Request(
        "POST", "/files/", {"files": [Upload("document", "ä.txt", b"1", "text/plain")], "headers": basic(CUSTOMER)}
    ),
    Request("GET", "/files/", {"headers": basic(CUSTOMER)}),
    Request("GET", "/files/2", {"headers": basic(CUSTOMER)}),
    Request("GET", "/files/2", {"headers": basic(CUSTOMER) | {"Range": "bytes=69999-"}}),
    Request("HEAD", "/files/2", {"headers": basic(CUSTOMER)}),
    Request("POST", "/account/sign-in", {"form": {"email": "x", "password": "y"}}),
    Request("POST", "/account/sign-in", {"form": {"email": CUSTOMER[0], "password": CUSTOMER[1]}}),
    Request("GET", "/account/"),
    Request("POST", "/cart/", {"form": {"sku": "BAG-5003", "quantity": "2"}}),
    Request("GET", "/cart/"),
    Request("POST", "/cart/checkout"),
    Request("GET", "/account/orders/1"),
    Request("POST", "/currency", {"form": {"currency": "GBP", "next": "/cart/"}}),
    Request("GET", "/products/BAG-5003"),
    Request("GET", "/export/movements.csv?limit=2500"),
    Request("HEAD", "/export/movements.csv"),
    Request("POST", "/account/sign-out"),
    Request("GET", "/account/"),
]

# Who adds them, or why they differ: the server (date, server, transfer-encoding), the clock and the request id (the rest).
VOLATILE = {"date", "server", "transfer-encoding", "connection", "server-timing", "last-modified"}


def normalised(reply: Reply) -> tuple[int, list[tuple[str, str]], str]:
    """Take out what depends on the moment, the port or the key that signs the session."""

    def steady(text: str) -> str:
        text = re.sub(r"http://[^/\s\"]+", "http://shop", text)
        text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\+00:00)?)?", "<moment>", text)
        text = re.sub(r"\d{4}-\d\d-\d\d at \d\d:\d\d", "<moment>", text)
        text = re.sub(r"shop_session=[^;]+", "shop_session=<signed>", text)
        return re.sub(r"Expires=[^;]+", "Expires=<moment>", text)

    headers = [(name, steady(value)) for name, value in reply.headers if name not in VOLATILE]
    return reply.status, sorted(headers), steady(reply.body.decode("latin-1"))


def test_flask_alone_and_flask_behind_the_adapter_give_the_same_answers(shops: RunningShops) -> None:
    """A conversation of 60 requests on two shops that begin with the same data: status, headers and body."""
    answers: dict[str, list[tuple[int, list[tuple[str, str]], str]]] = {}
    for kind in KINDS:
        with run_shop(kind, shops.fresh_folder(f"conversation-{kind}")) as shop, closing(shop.new_client()) as client:
            answers[kind] = [normalised(converse(client, number, step)) for number, step in enumerate(CONVERSATION)]
    for number, step in enumerate(CONVERSATION):
        alone, behind = (answers[kind][number] for kind in KINDS)
        assert behind == alone, f"step {number}: {step.method} {step.path}"
    # The conversation got where it should, sessions included.
    assert any("Thank you, " in body for _, _, body in answers["flask"])
    statuses = {answer[0] for answer in answers["flask"]}
    assert statuses >= {200, 201, 204, 206, 302, 303, 304, 308, 400, 401, 403, 404, 405, 409, 416, 422}


def converse(client: ShopClient, number: int, step: Request) -> Reply:
    # The same host name for both, as absolute redirects and thereby lengths depend on it.
    headers = dict(step.options.get("headers", {})) | {"X-Request-ID": f"step-{number}", "Host": "shop.example"}
    options: dict[str, Any] = step.options | {"headers": headers}
    return client.request(step.method, step.path, **options)


# --- what only a socket can do


def test_an_upload_without_a_length_arrives_whole(served: RunningShop) -> None:
    """Chunked transfer coding (acceptance 47)."""
    pieces = [bytes([number]) * 7_001 for number in range(60)]

    def body() -> Iterator[bytes]:
        yield from pieces

    assert served.address
    answer = httpx.put(
        f"{served.address}/api/files/frame.bin", content=body(), headers=basic(CUSTOMER), trust_env=False, timeout=60
    )
    assert answer.status_code == 201
    assert answer.json()["size_bytes"] == 60 * 7_001
    assert answer.json()["sha256"] == hashlib.sha256(b"".join(pieces)).hexdigest()


def test_a_client_that_leaves_the_export_frees_its_worker_and_its_connection(served: RunningShop) -> None:
    """Acceptance 84 and 87: the generator is closed, teardown runs, the next visitor is served."""
    counters = served.app.extensions["shop"].counters
    wait_until(lambda: counters.begun == counters.closed, "nothing else is under way")
    assert served.address
    address = httpx.URL(served.address)
    for _ in range(5):
        with socket.create_connection((address.host, address.port or 80), timeout=30) as line:
            line.sendall(b"GET /export/movements.csv HTTP/1.1\r\nHost: shop\r\n\r\n")
            assert line.recv(4096).startswith(b"HTTP/1.1 200")
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # leave with a reset
    wait_until(lambda: counters.begun == counters.torn_down == counters.closed, f"all five are closed: {counters}")
    with closing(served.new_client()) as client:
        assert client.request("GET", "/").status == 200


def test_a_slow_reader_gets_all_of_the_export_while_others_are_served(served: RunningShop) -> None:
    assert served.address
    with closing(served.new_client()) as client:
        total = client.request("GET", "/api/stats").json()["movements"]
        rows = 0
        with httpx.stream("GET", f"{served.address}/export/movements.csv", trust_env=False, timeout=60) as export:
            for number, piece in enumerate(export.iter_bytes(65536)):
                rows += piece.count(b"\n")
                if number in (0, 20):
                    assert client.request("GET", "/api/products/DRV-1011").status == 200
        assert rows == total + 1


@pytest.mark.parametrize("visitors", [48])
def test_many_visitors_at_once_each_keep_their_own_session(served: RunningShop, visitors: int) -> None:
    """More visitors than worker threads, all with a cart of their own: nothing is mixed up between threads."""
    together = threading.Barrier(visitors)
    seen: list[tuple[str, str]] = []
    errors: list[BaseException] = []

    def visit(number: int) -> None:
        product = PRODUCTS[number % 30]
        try:
            with closing(served.new_client()) as client:
                together.wait(60)
                client.request("GET", f"/products/{product.sku}")
                client.request("POST", "/cart/", form={"sku": product.sku, "quantity": "1"})
                cart = client.request("GET", "/cart/")
                seen.append((product.name, cart.text))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []
    assert len(seen) == visitors
    for name, cart in seen:
        assert name in cart
        assert cart.count('aria-label="Pieces of ') == 1


def test_the_instance_folder_is_the_only_place_that_is_written(fresh_folder: Path) -> None:
    before = {path for path in Path(__file__).parents[2].joinpath("sample_apps").rglob("*") if path.suffix != ".pyc"}
    with run_shop("uvicorn", fresh_folder) as shop, closing(shop.new_client()) as client:
        client.request("PUT", "/api/files/x.txt", body=b"x", headers=basic(CUSTOMER))
    after = {path for path in Path(__file__).parents[2].joinpath("sample_apps").rglob("*") if path.suffix != ".pyc"}
    assert after == before
