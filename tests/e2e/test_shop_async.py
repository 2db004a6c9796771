"""The half-migrated shop really works: every route answers, on a real uvicorn, with PostgreSQL for the ledger."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
import pytest

from shop_async.main import create_app
from shop_async.settings import Settings
from tests.e2e.serving import serve


class Visitor:
    """An HTTP client that remembers which routes it used."""

    def __init__(self, address: str) -> None:
        self.client = httpx.Client(base_url=address, timeout=60, trust_env=False)
        self.visited: set[tuple[str, str]] = set()
        paths = self.client.get("/openapi.json").json()["paths"]
        self.routes = {(method.upper(), path) for path, methods in paths.items() for method in methods}

    def call(self, method: str, path: str, status: int = 200, **options: object) -> httpx.Response:
        answer = self.client.request(method, path, **options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        bare = path.partition("?")[0]
        matching = [
            route
            for route in self.routes
            if route[0] == method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", route[1]), bare)
        ]
        self.visited.add(min(matching, key=lambda route: route[1].count("{")))
        return answer


@pytest.fixture(scope="module")
def visitor(tmp_path_factory: pytest.TempPathFactory, postgresql_url: Callable[[str], str]) -> Generator[Visitor]:
    folder = tmp_path_factory.mktemp("shop_async") / "data"
    settings = Settings(folder=folder, rates_url="", database_url=postgresql_url("shop_async"))
    with serve(create_app(settings)) as address:
        visitor = Visitor(address)
        yield visitor
        visitor.client.close()


def test_products_are_listed_created_and_deleted(visitor: Visitor) -> None:
    listed = visitor.call("GET", "/api/products?per_page=3&page=2").json()
    assert [product["sku"] for product in listed["products"]] == ["BAG-5010", "BAG-5020", "BRK-2001"]
    new = {"sku": "TLS-7001", "category": "tools", "name": "Spoke key", "price_cents": 1290, "stock": 4}
    assert visitor.call("POST", "/api/products", 201, json=new).json() == new
    assert visitor.call("POST", "/api/products", 409, json=new).json()["detail"] == "TLS-7001 is sold already"
    assert visitor.call("POST", "/api/products", 422, json=new | {"sku": "tls"}).status_code == 422
    assert visitor.call("GET", "/api/products/TLS-7001").json() == new
    assert visitor.call("GET", "/api/products/TLS-7001/stock").json() == {"stock": 4}
    visitor.call("DELETE", "/api/products/TLS-7001", 204)
    visitor.call("DELETE", "/api/products/TLS-7001", 404)
    visitor.call("GET", "/api/products/TLS-7001", 404)
    visitor.call("GET", "/api/products/TLS-7001/stock", 404)


def test_rates_come_from_the_rates_service_in_every_way(visitor: Visitor) -> None:
    everything = visitor.call("GET", "/rates").json()
    assert everything["rates"]["SEK"] == 11.1875
    assert visitor.call("GET", "/rates/plain").json() == everything
    assert visitor.call("GET", "/rates/httpx").json() == everything
    assert visitor.call("GET", "/rates/of/sek").json()["rate"] == 11.1875
    assert visitor.call("GET", "/rates/of/XAU", 404).json()["detail"] == "no rate is published for XAU"
    assert visitor.call("GET", "/rates/patiently/USD").json()["rate"] == 1.0847
    assert visitor.call("GET", "/rates/several?currencies=SEK,GBP").json() == {"SEK": 11.1875, "GBP": 0.8512}
    # The service has no HEAD: 501 is its answer, and reaching it is what matters here.
    assert visitor.call("GET", "/rates/session").json() == [200, 501, 200]
    assert visitor.call("GET", "/rates/annotated").json() == [200, 200, 200, 200]
    assert visitor.call("GET", "/rates/ticker?ticks=2").text == "11.1875\n11.1875\n"
    assert visitor.call("GET", "/rates/paced").json() == {"pace": "slow"}


def test_orders_reach_postgresql_sqlite_and_the_label_printer(visitor: Visitor) -> None:
    order = {"sku": "BAG-5001", "quantity": 2, "recipient": "Mirela"}
    first = visitor.call("POST", "/api/orders/ledger", 201, json=order).json()["id"]
    rows = visitor.call("GET", "/api/orders/ledger/BAG-5001").json()
    assert rows == [{"id": first, "sku": "BAG-5001", "quantity": -2}]
    assert visitor.call("POST", "/api/orders/notes", 201, json=order).json() == {"notes": 1}
    assert visitor.call("POST", "/api/orders/notes", 201, json=order).json() == {"notes": 2}
    placed = visitor.call("POST", "/api/orders", 201, json=order).json()
    assert placed["postage_cents"] == 490
    assert placed["postage_ore"] == 5482
    labels = visitor.call("POST", "/api/orders/labels", 201, json=[order, order | {"sku": "TLS-6001"}]).json()
    assert len(set(labels["labels"])) == 2
    assert labels["count"] >= 3
    quote = visitor.call("GET", "/api/orders/quote?cents=1000&currency=SEK").json()
    assert quote == {"amount": 11188, "nordic": [7459, 11624], "open": True}
    assert visitor.call("GET", "/api/orders/quote?patient=true").json()["amount"] == 11188


def test_stock_takes_wait_for_threads_queues_and_processes(visitor: Visitor) -> None:
    visitor.call("GET", "/api/stock/next", 404)
    assert visitor.call("POST", "/api/stock/counted/BRK-2001", 202).json() == {"waiting": 1}
    assert visitor.call("GET", "/api/stock/next").json() == {"sku": "BRK-2001"}
    assert visitor.call("POST", "/api/stock/recount").json() == {"total": 45, "done": True}
    assert all(visitor.call("GET", "/api/stock/machine").json().values())
    assert visitor.call("GET", "/api/stock/neighbour").json()["answer"].startswith("HTTP/1.")
    assert len(visitor.call("GET", "/api/stock/seal/BRK-2001").json()["seal"]) == 16


def test_reports_are_written_read_listed_and_removed(visitor: Visitor) -> None:
    visitor.call("GET", "/reports/prices", 404)
    written = visitor.call("PUT", "/reports/prices", 201).json()
    assert written["name"] == "prices.csv"
    report = visitor.call("GET", "/reports/prices").text
    assert report.startswith("sku,name,price_cents")
    assert visitor.call("GET", "/reports").json()["reports"] == ["prices.csv"]
    upload = {"report": ("Häuser.csv", b"sku\r\nA\r\nB\r\n", "text/csv")}
    assert visitor.call("POST", "/reports/import", 201, files=upload).json() == {"rows": 2}
    visitor.call("DELETE", "/reports/prices", 204)
    visitor.call("DELETE", "/reports/prices", 404)


def test_the_migrated_routes_answer(visitor: Visitor) -> None:
    assert visitor.call("GET", "/migrated/rates").json()["base"] == "EUR"
    assert visitor.call("GET", "/migrated/threads").json() == [11.1875] * 7
    assert visitor.call("GET", "/migrated/nested").json()["rate"] == 11.1875
    assert visitor.call("GET", "/migrated/sync").json()["base"] == "EUR"
    assert visitor.call("GET", "/migrated/decorated").json() == {"rate": 11.1875}
    assert visitor.call("POST", "/migrated/background", 202).json() == {"accepted": True}
    files = visitor.call("GET", "/migrated/files").json()
    assert files == {"text": "counted twice", "size": 13, "name": "note.txt", "in": "a/note.txt"}
    assert visitor.call("GET", "/migrated/process").json()["system"]
    assert visitor.call("GET", "/migrated/waiting").json() == {"number": 7}
    assert visitor.call("GET", "/migrated/polling").json() == {"taken": [1, 2, 0], "got": True, "rung": False, "sum": 6}
    assert visitor.call("GET", "/migrated/shadowed").json()["url"] == "SOMEWHERE"
    assert visitor.call("GET", "/migrated/accepted").json()["currency"] == "GBP"


def test_every_route_was_visited(visitor: Visitor, request: pytest.FixtureRequest) -> None:
    ran = {item.name for item in request.session.items if item.path == Path(__file__)}
    if len(ran) < 7:
        pytest.skip("only a part of this file was selected")
    assert visitor.routes - visitor.visited == set()


def test_without_postgresql_the_ledger_says_what_it_needs(tmp_path: Path) -> None:
    with serve(create_app(Settings(folder=tmp_path, rates_url=""))) as address:
        answer = httpx.get(f"{address}/api/orders/ledger/BAG-5001", trust_env=False)
    assert (answer.status_code, answer.json()["detail"]) == (503, "The ledger needs PostgreSQL: set DATABASE_URL.")
