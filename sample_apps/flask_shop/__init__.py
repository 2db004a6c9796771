"""Spoke & Saddle, a bicycle parts shop: the legacy application, written as Flask 3 applications are.

It knows nothing of asgiway. Run it as it always ran, from the folder above::

    flask --app flask_shop run

or hand ``create_app()`` to any WSGI server, or to ``asgiway.WSGIMiddleware``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from flask import Flask

from flask_shop import errors, hooks, signals
from flask_shop.database import open_database
from flask_shop.rates import Rates
from flask_shop.schema import prepare
from flask_shop.settings import defaults, load_secret_key
from flask_shop.state import Shop
from flask_shop.views import account, admin, api, cart, catalog, files

__all__ = ["create_app"]


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Build the application; ``config`` overrides :func:`flask_shop.settings.defaults`.

    ``INSTANCE_FOLDER`` says where the data lives (default: SHOP_FOLDER from the environment, else Flask's instance
    folder). It is created, and the data is seeded, on first start. Whoever stops the application calls
    ``app.extensions["shop"].close()``. Raises :class:`OSError` when the folder cannot be written.
    """
    chosen = dict(config or {})
    folder = chosen.pop("INSTANCE_FOLDER", os.environ.get("SHOP_FOLDER"))
    app = Flask(__name__, instance_path=str(Path(folder).absolute()) if folder else None)
    app.config.from_mapping(defaults())
    app.config.from_mapping(chosen)
    settings = cast(dict[str, Any], app.config)
    instance = Path(app.instance_path)
    instance.mkdir(parents=True, exist_ok=True)
    app.secret_key = settings["SECRET_KEY"] or load_secret_key(instance)

    database = open_database(settings["DATABASE_URL"], instance / "shop.sqlite", settings["DATABASE_POOL_SIZE"])
    prepare(database)
    uploads = instance / "uploads"
    uploads.mkdir(exist_ok=True)
    rates = Rates(settings["RATES_URL"], settings["RATES_TIMEOUT"], settings["RATES_MAX_AGE"])
    app.extensions["shop"] = Shop(database=database, rates=rates, uploads=uploads)

    for blueprint in (catalog.pages, cart.pages, account.pages, api.pages, files.pages, admin.pages):
        app.register_blueprint(blueprint)
    hooks.register(app)
    errors.register(app)
    signals.register(app)
    return app
