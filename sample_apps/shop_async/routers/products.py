"""Products: ``async def`` handlers around a synchronous Session, however it arrives."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shop_async.storage import Product, get_session

__all__ = ["router"]

router = APIRouter(prefix="/api/products", tags=["products"])

SessionDep = Annotated[Session, Depends(get_session)]


class NewProduct(BaseModel):
    """What a new article needs."""

    sku: str = Field(pattern=r"^[A-Z]{3}-\d{4}$")
    category: str
    name: str = Field(min_length=1)
    price_cents: int = Field(gt=0)
    stock: int = Field(ge=0)


@router.get("")
async def list_products(session: SessionDep, page: int = 1, per_page: int = 20) -> dict[str, Any]:
    wanted = select(Product).order_by(Product.sku).limit(per_page).offset((page - 1) * per_page)
    found = session.scalars(wanted)  # AW104 typed: sqlalchemy.orm.Session.scalars
    count = session.scalar(select(func.count()).select_from(Product))  # AW104 typed: sqlalchemy.orm.Session.scalar
    return {"count": count, "page": page, "products": [product.as_json() for product in found]}


@router.get("/{sku}")
async def get_product(sku: str, session: Session = Depends(get_session)) -> dict[str, Any]:
    product = session.scalar(select(Product).where(Product.sku == sku))  # AW104 typed: sqlalchemy.orm.Session.scalar
    if product is None:
        raise HTTPException(404, f"{sku} is not sold here")
    return product.as_json()


@router.post("", status_code=201)
async def create_product(new: NewProduct, session: Annotated[Session, Depends(get_session)]) -> dict[str, Any]:
    product = Product(**new.model_dump())
    session.add(product)
    try:
        session.commit()  # AW104 typed: sqlalchemy.orm.Session.commit
    except IntegrityError as error:
        session.rollback()  # AW104 typed: sqlalchemy.orm.Session.rollback
        raise HTTPException(409, f"{new.sku} is sold already") from error
    session.refresh(product)  # AW104 typed: sqlalchemy.orm.Session.refresh
    return product.as_json()


@router.delete("/{sku}", status_code=204)
async def delete_product(sku: str, session: SessionDep) -> None:
    product = await _find(session, sku)
    session.delete(product)  # AW104 typed: sqlalchemy.orm.Session.delete
    session.commit()  # AW104 typed: sqlalchemy.orm.Session.commit


async def _find(session: Session, sku: str) -> Product:
    """Not a handler, but it runs on the loop all the same."""
    result = session.execute(select(Product).where(Product.sku == sku))  # AW104 typed: sqlalchemy.orm.Session.execute
    product = result.scalar_one_or_none()
    if product is None:
        raise HTTPException(404, f"{sku} is not sold here")
    return product


@router.get("/{sku}/stock")
def get_stock(sku: str, session: SessionDep) -> dict[str, int]:
    """A plain ``def`` handler: FastAPI runs it on a thread, where it may block."""
    stock = session.scalar(select(Product.stock).where(Product.sku == sku))
    if stock is None:
        raise HTTPException(404, f"{sku} is not sold here")
    return {"stock": stock}
