"""Products in SQLite through SQLAlchemy, with the synchronous Session that the old code was written for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from fastapi import Request
from sqlalchemy import Engine, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from flask_shop.products import PRODUCTS

__all__ = ["Base", "Product", "get_session", "open_storage"]


class Base(DeclarativeBase):
    """The tables of the new shop."""


class Product(Base):
    """An article on the shelf; the price is in cents."""

    __tablename__ = "products"

    id: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(unique=True)
    category: Mapped[str]
    name: Mapped[str]
    price_cents: Mapped[int]
    stock: Mapped[int]

    def as_json(self) -> dict[str, object]:
        """Return what the API shows."""
        return {
            "sku": self.sku,
            "category": self.category,
            "name": self.name,
            "price_cents": self.price_cents,
            "stock": self.stock,
        }


def open_storage(folder: Path) -> Engine:
    """Create the tables and fill them on first start; blocks, so it is called on a thread."""
    folder.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{folder / 'shop_async.sqlite'}")
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        if session.scalar(select(func.count()).select_from(Product)) == 0:
            session.add_all(
                Product(sku=p.sku, category=p.category, name=p.name, price_cents=p.price, stock=p.stock)
                for p in PRODUCTS
            )
    return engine


def get_session(request: Request) -> Iterator[Session]:
    """Yield a session per request; FastAPI runs this synchronous generator on a thread."""
    engine = request.app.state.engine
    assert isinstance(engine, Engine)
    with Session(engine, expire_on_commit=False) as session:
        yield session
