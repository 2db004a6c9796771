"""Where the shop keeps its data and whom it asks for rates."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

__all__ = ["Settings", "SettingsDep"]


@dataclass(frozen=True, slots=True)
class Settings:
    """``database_url`` is PostgreSQL's, for the ledger; without it those routes answer 503."""

    folder: Path
    rates_url: str
    database_url: str | None = None

    @classmethod
    def from_environment(cls) -> Settings:
        """Read SHOP_FOLDER, RATES_URL (empty: the shop starts a rates service of its own) and DATABASE_URL."""
        return cls(
            folder=Path(os.environ.get("SHOP_FOLDER", ".shop_async")),
            rates_url=os.environ.get("RATES_URL", ""),
            database_url=os.environ.get("DATABASE_URL"),
        )


def _get_settings(request: Request) -> Settings:
    settings = request.app.state.settings
    assert isinstance(settings, Settings)
    return settings


SettingsDep = Annotated[Settings, Depends(_get_settings)]
