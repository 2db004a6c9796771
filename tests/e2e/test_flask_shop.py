"""The legacy shop's own tests, run twice: with Flask's test client, and through the adapter on a real uvicorn.

Issue 2, section 3: "the same tests also run through the adapter on a real uvicorn and must give the same results".
Tests marked ``core`` run on PostgreSQL too.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flask_shop import create_app
from flask_shop.database import open_database
from flask_shop.products import CATEGORIES, PRODUCTS
from flask_shop.schema import FIRST_MOVEMENTS
from tests.e2e.running_shops import KINDS, POSTGRESQL_KINDS, RunningShop, run_shop
from tests.e2e.serving import free_port, wait_until
from tests.e2e.shop_clients import ADMIN, CUSTOMER, Reply, ShopClient, Upload, basic, sign_in

core = pytest.mark.parametrize("shop", [*KINDS, *POSTGRESQL_KINDS], indirect=True)

PAGES = Path(__file__).parents[2] / "sample_apps" / "flask_shop"


def add_to_cart(client: ShopClient, sku: str, quantity: int) -> Reply:
    return client.request("POST", "/cart/", form={"sku": sku, "quantity": str(quantity)}, follow=True)


def new_product(sku: str, **changes: Any) -> dict[str, Any]:
    product: dict[str, Any] = {
        "sku": sku,
        "category": "tools",
        "name": "Spoke key, 3.2 mm",
        "description": "Hardened steel; grips all four flats.",
        "price_cents": 1290,
        "stock": 40,
        "weight_grams": 38,
    }
    return product | changes


# --- the shop window


@core
def test_the_front_page_shows_categories_and_the_newest_products(client: ShopClient) -> None:
    page = client.request("GET", "/")
    assert page.status == 200
    assert page.header("content-type") == "text/html; charset=utf-8"
    assert int(page.header("content-length") or 0) == len(page.body)
    for name in CATEGORIES.values():
        assert name.replace("&", "&amp;") in page.text
    assert PRODUCTS[-1].name in page.text


def test_static_files_are_revalidated_with_etags(client: ShopClient) -> None:
    first = client.request("GET", "/static/shop.css")
    assert first.status == 200
    assert first.header("content-type") == "text/css; charset=utf-8"
    assert first.body == (PAGES / "static" / "shop.css").read_bytes()
    etag = first.header("etag")
    assert etag
    again = client.request("GET", "/static/shop.css", headers={"If-None-Match": etag})
    assert (again.status, again.body) == (304, b"")


@core
def test_the_product_list_pages_filters_and_searches(client: ShopClient) -> None:
    first = client.request("GET", "/products/")
    assert "page 1 of " in first.text
    assert 'rel="next"' in first.text
    assert client.request("GET", "/products/?page=99").status == 404
    lights = client.request("GET", "/products/?category=lights")
    assert "5 products" in lights.text
    assert "Headlight 80 lux, dynamo" in lights.text
    assert client.request("GET", "/products/?category=scooters").status == 404
    found = client.request("GET", "/products/?q=CHAIN+wear")
    assert "1 product for" in found.text
    assert "Chain wear indicator" in found.text
    assert "Nothing on our shelves" in client.request("GET", "/products/?q=penny-farthing").text


def test_search_words_are_escaped_in_the_page(client: ShopClient) -> None:
    page = client.request("GET", "/products/?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>" not in page.text
    assert "&lt;script&gt;" in page.text


@pytest.mark.parametrize(
    ("path", "status", "location"),
    [
        ("/products/drv-1011", 308, "/products/DRV-1011"),
        ("/shop.php?item=brk-2001", 301, "/products/BRK-2001"),
        ("/products?q=chain", 308, "/products/?q=chain"),
        ("/cart", 308, "/cart/"),
        ("/files/", 302, "/account/sign-in?next=/files/"),
    ],
)
def test_redirects(client: ShopClient, path: str, status: int, location: str) -> None:
    reply = client.request("GET", path)
    assert reply.status == status
    # Flask answers missing slashes with an absolute address.
    assert re.sub(r"^http://[^/]+", "", reply.header("location") or "") == location


def test_recently_viewed_products_are_kept_in_a_cookie(client: ShopClient) -> None:
    client.request("GET", "/products/TLS-6003")
    page = client.request("GET", "/products/BAG-5020")
    cookies = [value for name, value in page.headers if name == "set-cookie"]
    assert len(cookies) == 1
    assert cookies[0].startswith("recently_viewed=BAG-5020.TLS-6003; ")
    assert "HttpOnly" in cookies[0]
    front = client.request("GET", "/").text
    assert front.index("You looked at") < front.index("Front basket, oak and wire") < front.index("New on the shelf")


# --- currencies: another service over HTTP


def test_prices_follow_the_chosen_currency(client: ShopClient) -> None:
    reply = client.request("POST", "/currency", form={"currency": "SEK", "next": "/products/DRV-1011"}, follow=True)
    assert "334.51 SEK" in reply.text  # 29.90 EUR at 11.1875
    refused = client.request("POST", "/currency", form={"currency": "XAU"}, follow=True)
    assert refused.flashes == [("error", "We do not quote prices in that currency.")]
    assert client.request("GET", "/rates").json()["available"] is True


@pytest.mark.parametrize("kind", KINDS)
def test_a_dead_rates_service_leaves_euro_prices_and_a_notice(kind: str, fresh_folder: Path) -> None:
    with (
        run_shop(kind, fresh_folder, RATES_URL=f"http://127.0.0.1:{free_port()}") as shop,
        closing(shop.new_client()) as client,
    ):
        client.set_cookie("currency", "SEK")
        page = client.request("GET", "/products/DRV-1011")
        assert page.status == 200
        assert "29.90 EUR" in page.text
        assert [kind for kind, _ in page.flashes] == ["notice"]
        assert "cannot be fetched" in page.flashes[0][1]
        assert client.request("GET", "/rates").json() == {
            "available": False, "base": "EUR", "date": "", "rates": {"EUR": 1.0},
        }  # fmt: skip


# --- sessions and accounts


@core
def test_signing_in_starts_a_session_and_signing_out_ends_it(client: ShopClient) -> None:
    wrong = client.request("POST", "/account/sign-in", form={"email": CUSTOMER[0], "password": "guess"})
    assert wrong.status == 401
    assert wrong.flashes == [("error", "That address and password do not belong together.")]
    form = {"email": CUSTOMER[0].upper(), "password": CUSTOMER[1], "next": "/account/"}
    welcome = client.request("POST", "/account/sign-in", form=form)
    assert (welcome.status, welcome.header("location")) == (303, "/account/")
    cookie = welcome.header("set-cookie") or ""
    assert cookie.startswith("shop_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    account = client.request("GET", "/account/")
    assert account.flashes == [("success", "Welcome back, Inês Duarte.")]
    assert "Orders of Inês Duarte" in account.text
    assert client.request("GET", "/account/").flashes == []
    out = client.request("POST", "/account/sign-out", follow=True)
    assert out.flashes == [("success", "You are signed out.")]
    assert client.request("GET", "/account/").status == 302


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "files/"]
)
def test_sign_in_never_leads_to_another_site(client: ShopClient, target: str) -> None:
    form = {"email": CUSTOMER[0], "password": CUSTOMER[1], "next": target}
    assert client.request("POST", "/account/sign-in", form=form).header("location") == "/"


@core
def test_registration_checks_its_input_and_refuses_a_taken_address(client: ShopClient) -> None:
    form = {"email": "nowhere", "name": "Mirela Stan", "password": "long-enough-now"}
    assert client.request("POST", "/account/register", form=form).status == 422
    form["email"] = "mirela@spokeandsaddle.example"
    short = client.request("POST", "/account/register", form=form | {"password": "short"})
    assert (short.status, short.flashes) == (422, [("error", "A password has at least 10 characters.")])
    assert client.request("POST", "/account/register", form=form, follow=True).flashes == [
        ("success", "Welcome, Mirela Stan.")
    ]
    taken = client.request("POST", "/account/register", form=form)
    assert (taken.status, taken.flashes) == (422, [("error", "That address is registered already.")])


def test_a_forged_session_cookie_is_nobody(client: ShopClient) -> None:
    client.set_cookie("shop_session", "eyJjdXN0b21lcl9pZCI6MX0.aaaaaa.forgedsignatureforgedsignature")
    assert client.request("GET", "/account/").status == 302


# --- cart, checkout, signal


@core
def test_a_cart_becomes_an_order_and_the_signal_is_heard(shop: RunningShop, client: ShopClient) -> None:
    before = client.request("GET", "/api/products/LGT-4020").json()["stock"]
    movements = client.request("GET", "/api/stats").json()["movements"]
    assert add_to_cart(client, "LGT-4020", 3).flashes == [
        ("success", "In your cart: 3 of Spoke reflectors, pack of 36.")
    ]
    asked = client.request("POST", "/cart/checkout")
    assert (asked.status, asked.header("location")) == (302, "/account/sign-in?next=/cart/checkout")
    sign_in(client)  # keeps the cart
    placed = client.request("POST", "/cart/checkout")
    assert placed.status == 303
    order = client.request("GET", placed.header("location") or "")
    assert "Thank you, Inês Duarte." in order.flashes[1][1]
    assert "26.70 EUR" in order.text
    assert client.request("GET", "/api/products/LGT-4020").json()["stock"] == before - 3
    assert client.request("GET", "/api/stats").json()["movements"] == movements + 1
    number = (placed.header("location") or "").rsplit("/", 1)[1]
    with closing(shop.new_client()) as other:
        assert other.request("GET", f"/account/orders/{number}").status == 302
        sign_in(other, ADMIN)
        assert other.request("GET", f"/account/orders/{number}").status == 404
        assert f"order {number}, 26.70 EUR" in other.request("GET", "/admin/").text


@core
def test_a_cart_takes_no_more_than_there_is(client: ShopClient) -> None:
    assert add_to_cart(client, "WHL-3050", 10).flashes == [("error", "Only 9 left of Touring wheelset 36 spokes.")]
    assert add_to_cart(client, "WHL-3050", 100).flashes[0][0] == "error"
    assert client.request("POST", "/cart/", form={"sku": "XXX-0000"}).status == 404
    add_to_cart(client, "WHL-3050", 2)
    gone = add_to_cart(client, "WHL-3050", 0)
    assert "Nothing in it yet" in gone.text


@core
def test_the_last_pieces_are_sold_once_each_however_many_ask_at_once(shop: RunningShop, client: ShopClient) -> None:
    """TLS-6030 starts with 7 pieces; 12 customers order one each on threads of their own."""

    def order(_: int) -> int:
        with closing(shop.new_client()) as client:
            lines = {"lines": [{"sku": "TLS-6030", "quantity": 1}]}
            return client.request("POST", "/api/orders", json=lines, headers=basic(CUSTOMER)).status

    with ThreadPoolExecutor(12) as pool:
        statuses = sorted(pool.map(order, range(12)))
    assert statuses == [201] * 7 + [409] * 5
    assert client.request("GET", "/api/products/TLS-6030").json()["stock"] == 0
    assert "Sold out" in client.request("GET", "/products/TLS-6030").text


# --- JSON API


@core
def test_the_api_lists_products_in_pages(client: ShopClient) -> None:
    first = client.request("GET", "/api/products?per_page=5")
    assert [product["sku"] for product in first.json()["products"]] == sorted(p.sku for p in PRODUCTS)[:5]
    assert first.header("link") == '</api/products?page=2&per_page=5>; rel="next"'
    last = client.request("GET", "/api/products?per_page=100")
    assert last.header("link") is None
    assert last.json()["count"] >= len(PRODUCTS)


@core
def test_a_product_is_created_read_changed_and_deleted(client: ShopClient) -> None:
    admin = basic(ADMIN)
    created = client.request("POST", "/api/products", json=new_product("TLS-7001", name="Größe „L“ 车"), headers=admin)
    assert (created.status, created.header("location")) == (201, "/api/products/TLS-7001")
    taken = client.request("POST", "/api/products", json=new_product("TLS-7001"), headers=admin)
    assert (taken.status, taken.json()["message"]) == (409, "TLS-7001 is sold already.")
    read = client.request("GET", "/api/products/TLS-7001")
    assert read.json()["name"] == "Größe „L“ 车"
    assert "Größe „L“ 车" in client.request("GET", "/products/?q=%E8%BD%A6").text
    etag = read.header("etag") or ""
    unchanged = client.request("GET", "/api/products/TLS-7001", headers={"If-None-Match": etag})
    assert (unchanged.status, unchanged.body) == (304, b"")
    change = {"price_cents": 1490, "version": 1}
    changed = client.request("PUT", "/api/products/TLS-7001", json=change, headers=admin)
    assert (changed.status, changed.json()["price_cents"], changed.json()["version"]) == (200, 1490, 2)
    assert client.request("PUT", "/api/products/TLS-7001", json=change, headers=admin).status == 409
    gone = client.request("DELETE", "/api/products/TLS-7001", headers=admin)
    assert (gone.status, gone.body, gone.header("content-length")) == (204, b"", None)
    assert client.request("DELETE", "/api/products/TLS-7001", headers=admin).status == 404


@core
def test_the_api_names_every_wrong_field(client: ShopClient) -> None:
    wrong = new_product("tls-1", price_cents=0, stock=-1, category="scooters", name=" ", colour="red")
    del wrong["weight_grams"]
    reply = client.request("POST", "/api/products", json=wrong, headers=basic(ADMIN))
    assert reply.status == 422
    assert reply.json()["fields"] == {
        "category": "one of drivetrain, brakes, wheels, lights, bags, tools",
        "colour": "unknown field",
        "name": "a text that is not empty",
        "price_cents": "nothing is free",
        "sku": "three capital letters, a hyphen, four digits",
        "stock": "a whole number from 0",
        "weight_grams": "required",
    }
    lines = {"lines": [{"sku": "NO-SUCH"}, {"sku": "DRV-1011", "quantity": True}, 7]}
    refused = client.request("POST", "/api/orders", json=lines, headers=basic(CUSTOMER))
    assert set(refused.json()["fields"]) == {"lines.0.sku", "lines.1.quantity", "lines.2.sku"}


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"sku=1", "application/x-www-form-urlencoded", 415),
        (b"{", "application/json", 400),
        (b"[1]", "application/json", 400),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    client: ShopClient, body: bytes, media_type: str, status: int
) -> None:
    headers = basic(ADMIN) | {"Content-Type": media_type}
    reply = client.request("POST", "/api/products", body=body, headers=headers)
    assert reply.status == status
    assert reply.json()["request_id"] == reply.header("x-request-id")


@core
def test_changes_need_an_administrator(client: ShopClient) -> None:
    nobody = client.request("POST", "/api/products", json=new_product("TLS-7002"))
    assert (nobody.status, nobody.header("www-authenticate")) == (401, 'Basic realm="Spoke & Saddle"')
    assert client.request("POST", "/api/products", json={}, headers=basic((ADMIN[0], "wrong"))).status == 401
    customer = client.request("POST", "/api/products", json=new_product("TLS-7002"), headers=basic(CUSTOMER))
    assert (customer.status, customer.json()["message"]) == (403, "Your account may not do that.")
    sign_in(client)
    page = client.request("GET", "/admin/")
    assert (page.status, page.header("content-type")) == (403, "text/html; charset=utf-8")


# --- methods, errors, hooks


def test_head_has_the_headers_of_get_and_no_body(client: ShopClient) -> None:
    get = client.request("GET", "/api/products/DRV-1012")
    head = client.request("HEAD", "/api/products/DRV-1012")
    assert (head.status, head.body) == (200, b"")
    for name in ("content-type", "content-length", "etag"):
        assert head.header(name) == get.header(name)


def test_options_and_405_name_the_methods(client: ShopClient) -> None:
    options = client.request("OPTIONS", "/api/products/DRV-1012")
    assert options.status == 200
    assert set((options.header("allow") or "").split(", ")) == {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}
    refused = client.request("PATCH", "/api/products/DRV-1012")
    assert refused.status == 405
    assert refused.json()["error"] == "Method Not Allowed"
    assert set((refused.header("allow") or "").split(", ")) == {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}


@pytest.mark.parametrize(
    "path", ["/products/NOPE-1", "/products/Gr%C3%B6%C3%9Fe", "/%E8%BD%A6", "/a%2Fb", "/double//slash"]
)
def test_what_is_not_there_is_a_page_for_people(client: ShopClient, path: str) -> None:
    page = client.request("GET", path, follow=True)
    assert page.status == 404
    assert "There is no such page." in page.text


def test_what_is_not_there_is_json_below_api(client: ShopClient) -> None:
    reply = client.request("GET", "/api/nothing")
    assert (reply.status, reply.header("content-type")) == (404, "application/json")
    assert reply.json()["error"] == "Not Found"


def test_a_crash_is_a_500_page_and_the_next_request_is_served(client: ShopClient) -> None:
    sign_in(client, ADMIN)
    crashed = client.request("GET", "/admin/test-alert", headers={"X-Request-ID": "crash-1"})
    assert (crashed.status, crashed.header("x-request-id")) == (500, "crash-1")
    assert "Something broke on our side." in crashed.text
    assert "<code>crash-1</code>" in crashed.text
    assert "test alert" not in crashed.text
    assert client.request("GET", "/admin/").status == 200


def test_request_ids_are_taken_over_when_they_are_harmless(client: ShopClient) -> None:
    assert client.request("GET", "/", headers={"X-Request-ID": "deploy-42"}).header("x-request-id") == "deploy-42"
    made = client.request("GET", "/", headers={"X-Request-ID": "<b>"}).header("x-request-id")
    assert re.fullmatch(r"[0-9a-f]{16}", made or "")


def test_every_request_is_torn_down_and_every_response_closed_once(shop: RunningShop, client: ShopClient) -> None:
    client.request("GET", "/export/movements.csv?limit=5000")
    client.request("GET", "/nope")
    counters = shop.app.extensions["shop"].counters
    wait_until(lambda: counters.begun == counters.torn_down == counters.closed, f"nothing is left over: {counters}")
    assert counters.answered == counters.begun


# --- files


@core
def test_the_ledger_is_exported_in_full(client: ShopClient) -> None:
    """100,000 rows and those that the other tests added, streamed: no length is known beforehand."""
    expected = client.request("GET", "/api/stats").json()["movements"]
    assert expected >= FIRST_MOVEMENTS
    export = client.request("GET", "/export/movements.csv")
    assert export.header("content-type") == "text/csv; charset=utf-8"
    assert export.header("content-disposition") == "attachment; filename=movements.csv"
    assert export.header("content-length") is None
    rows = list(csv.reader(io.StringIO(export.text, newline="")))
    assert rows[0] == ["id", "moved_at", "sku", "quantity", "reason", "name"]
    assert len(rows) - 1 == expected
    assert rows[1][1:5] == ["2025-01-02 08:00", PRODUCTS[0].sku, "12", "delivery"]
    ids = [int(row[0]) for row in rows[1:]]
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("limit", [0, 1, 999, 1000, 1001])
def test_an_export_can_be_limited(client: ShopClient, limit: int) -> None:
    export = client.request("GET", f"/export/movements.csv?limit={limit}")
    assert export.body.count(b"\r\n") == limit + 1


def test_files_go_in_with_a_form_and_come_out_the_same(client: ShopClient) -> None:
    sign_in(client)
    photo = bytes(range(256)) * 2000  # 512 kB: more than werkzeug and the adapter keep in memory
    reply = client.request(
        "POST",
        "/files/",
        files=[
            Upload("document", "../../rim dent.png", photo, "image/png"),
            Upload("document", "empty.txt", b"", "text/plain"),
        ],
        follow=True,
    )
    assert reply.flashes[-1] == ("success", "2 files stored.")
    number = re.findall(r'href="(/files/\d+)">rim_dent\.png', reply.text)[0]
    whole = client.request("GET", number)
    assert (whole.status, whole.header("content-type")) == (200, "image/png")
    assert whole.header("content-disposition") == "attachment; filename=rim_dent.png"
    assert whole.header("accept-ranges") == "bytes"
    assert whole.body == photo
    empty = re.findall(r'href="(/files/\d+)">empty\.txt', reply.text)[0]
    assert client.request("GET", empty).body == b""
    assert client.request("POST", "/files/", files=[Upload("other", "a", b"a")], follow=True).flashes == [
        ("error", "Please choose a file first.")
    ]


@core
def test_downloads_answer_ranges_and_conditions(shop: RunningShop, client: ShopClient) -> None:
    content = os.urandom(100_000)
    stored = client.request("PUT", "/api/files/frame.bin", body=content, headers=basic(CUSTOMER))
    assert stored.status == 201
    assert stored.json()["sha256"] == hashlib.sha256(content).hexdigest()
    address = stored.header("location") or ""
    sign_in(client)
    middle = client.request("GET", address, headers={"Range": "bytes=1000-1999"})
    assert (middle.status, middle.header("content-range")) == (206, "bytes 1000-1999/100000")
    assert middle.body == content[1000:2000]
    end = client.request("GET", address, headers={"Range": "bytes=-10"})
    assert end.body == content[-10:]
    beyond = client.request("GET", address, headers={"Range": "bytes=200000-"})
    assert (beyond.status, beyond.header("content-range")) == (416, "bytes */100000")
    etag = client.request("HEAD", address).header("etag") or ""
    assert client.request("GET", address, headers={"If-None-Match": etag}).status == 304
    stale = client.request("GET", address, headers={"Range": "bytes=0-9", "If-Range": '"stale"'})
    assert (stale.status, len(stale.body)) == (200, 100_000)
    assert client.request("GET", address, headers={"Range": "bytes=0-9", "If-Range": etag}).status == 206
    with closing(shop.new_client()) as other:
        sign_in(other, ADMIN)
        assert other.request("GET", address).status == 404
    assert client.request("POST", f"{address}/delete", follow=True).flashes[-1] == ("success", "frame.bin is deleted.")
    assert client.request("GET", address).status == 404


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_that_is_too_large_is_refused(kind: str, fresh_folder: Path) -> None:
    with run_shop(kind, fresh_folder, MAX_CONTENT_LENGTH=10_000) as shop, closing(shop.new_client()) as client:
        headers = basic(CUSTOMER)
        reply = client.request("PUT", "/api/files/big.bin", body=bytes(10_001), headers=headers)
        assert (reply.status, reply.json()["error"]) == (413, "Request Entity Too Large")
        # Not 10,000: where wsgi.input_terminated is set (waitress and gunicorn do too) werkzeug refuses the last byte.
        assert client.request("PUT", "/api/files/fits.bin", body=bytes(9_999), headers=headers).status == 201
        form = client.request("POST", "/files/", files=[Upload("document", "b.bin", bytes(10_001))], headers=headers)
        assert form.status == 413
        assert len(list((fresh_folder / "uploads").iterdir())) == 1


# --- first start


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_shops_that_start_at_once_share_one_first_day(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    config: dict[str, Any] = {"INSTANCE_FOLDER": tmp_path / "shop", "DATABASE_URL": None}
    if database == "postgresql":
        config["DATABASE_URL"] = request.getfixturevalue("postgresql_url")("first_start")
    together = threading.Barrier(6)

    def start(_: int) -> tuple[str, int]:
        together.wait()
        app = create_app(config)
        stats = app.test_client().get("/api/stats").get_json()
        app.extensions["shop"].close()
        return str(app.secret_key), stats["movements"] + stats["products"]

    with ThreadPoolExecutor(6) as pool:
        assert len(set(pool.map(start, range(6)))) == 1
    connection = open_database(config["DATABASE_URL"], tmp_path / "shop" / "shop.sqlite").connect()
    try:
        assert connection.value("SELECT count(*) FROM movements") == FIRST_MOVEMENTS
        assert connection.value("SELECT count(*) FROM products") == len(PRODUCTS)
    finally:
        connection.close()
    leftovers = {path.name for path in (tmp_path / "shop").iterdir()} - {"shop.sqlite-wal", "shop.sqlite-shm"}
    assert leftovers == {"secret_key", "uploads"} | ({"shop.sqlite"} if database == "sqlite" else set())


def test_processes_that_start_at_once_share_one_first_day(tmp_path: Path) -> None:
    program = (
        "import sys; from flask_shop import create_app; app = create_app({'INSTANCE_FOLDER': sys.argv[1]}); "
        "print(app.test_client().get('/api/stats').get_json()['movements'], app.secret_key)"
    )
    environment = {key: value for key, value in os.environ.items() if key != "DATABASE_URL"}
    environment["PYTHONPATH"] = str(PAGES.parent)
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(3)
    ]
    answers = {process.communicate(timeout=60)[0] for process in started}
    assert [process.returncode for process in started] == [0, 0, 0]
    assert len(answers) == 1
    assert answers.pop().startswith(f"{FIRST_MOVEMENTS} ")
