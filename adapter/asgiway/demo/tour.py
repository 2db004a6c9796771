"""What the demonstration shows: the addresses, what to try, and what the linter says of the half-migrated shop."""

from __future__ import annotations

import sys

from asgiway.demo.place import Place

__all__ = ["show_tour"]

TOUR = """\
The demonstration is running.

  {address}/                 the legacy Flask shop, unchanged, on asgiway.WSGIMiddleware
  {address}/native/rates     a native async route beside it
  {address}/docs             the native routes, documented by FastAPI

Try:
  curl '{address}/api/products?per_page=2'
  curl -s {address}/export/movements.csv | wc -l
  curl -u {account} -T pyproject.toml {address}/api/files/pyproject.toml
  curl -N {address}/native/ticker

The shop's data is in {state}.
"""


def show_tour(address: str, place: Place) -> None:
    """Print the addresses and what to try, then lint sample_apps/shop_async and print the diagnostics."""
    from flask_shop.schema import DEMO_ACCOUNTS  # from this folder's sample_apps

    email, _, password, _ = DEMO_ACCOUNTS[0]
    sys.stdout.write(TOUR.format(address=address, account=f"{email}:{password}", state=place.state))
    sys.stdout.write("\nMeanwhile, the half-migrated shop: asgiway-lint check sample_apps/shop_async\n\n")
    sys.stdout.flush()

    from asgiway_lint.cli import main as lint

    lint(
        [
            "check",
            "sample_apps/shop_async",
            "--output-format",
            "concise",
            "--cache-dir",
            str(place.state / "lint-cache"),
        ]
    )
    sys.stdout.write("\nThe site is still running. Ctrl-C drains and ends it.\n")
    sys.stdout.flush()
