"""Reports: files written, read, listed and removed inside coroutines."""

from __future__ import annotations

import csv
import io
import os
import shutil
import tempfile
from os import remove as delete_file
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, UploadFile
from fastapi.responses import PlainTextResponse

from flask_shop.products import PRODUCTS
from shop_async.settings import SettingsDep

__all__ = ["router"]

router = APIRouter(prefix="/reports", tags=["reports"])


@router.put("/{name}", status_code=201)
async def write_report(name: str, settings: SettingsDep) -> dict[str, Any]:
    folder = os.path.join(settings.folder, "reports")
    os.makedirs(folder, exist_ok=True)  # AW109: os.makedirs
    path = os.path.join(folder, f"{Path(name).stem}.csv")
    with open(path, "w", newline="") as file:  # AW108: builtins.open
        file.write("sku,name,price_cents\r\n")  # AW108 typed: io.TextIOWrapper.write
        csv.writer(file).writerows((p.sku, p.name, p.price) for p in PRODUCTS)  # AW108 typed: csv.writer.writerows
    return {"name": os.path.basename(path), "size": os.path.getsize(path)}  # AW109: os.path.getsize


@router.get("/{name}", response_class=PlainTextResponse)
async def read_report(name: str, settings: SettingsDep) -> str:
    path = settings.folder / "reports" / f"{Path(name).stem}.csv"
    if not path.exists():  # AW109 typed: pathlib.Path.exists
        raise HTTPException(404, f"There is no report {name}.")
    return path.read_text()  # AW108 typed: pathlib.Path.read_text


@router.get("")
async def list_reports(settings: SettingsDep) -> dict[str, Any]:
    folder = settings.folder / "reports"
    folder.mkdir(exist_ok=True)  # AW109 typed: pathlib.Path.mkdir
    free = shutil.disk_usage(folder).free  # AW109: shutil.disk_usage
    return {"reports": sorted(os.listdir(folder)), "free": free}  # AW109: os.listdir


@router.delete("/{name}", status_code=204)
async def delete_report(name: str, settings: SettingsDep) -> None:
    try:
        delete_file(settings.folder / "reports" / f"{Path(name).stem}.csv")  # AW109: os.remove
    except FileNotFoundError:
        raise HTTPException(404, f"There is no report {name}.") from None


@router.post("/import", status_code=201)
async def import_report(report: UploadFile, settings: SettingsDep) -> dict[str, Any]:
    handle, scratch = tempfile.mkstemp(suffix=".csv")  # AW108: tempfile.mkstemp
    os.write(handle, await report.read())  # AW108: os.write
    os.close(handle)
    kept = settings.folder / "imported.csv"
    shutil.copyfile(scratch, kept)  # AW108: shutil.copyfile
    Path(scratch).unlink()  # AW109 typed: pathlib.Path.unlink
    (settings.folder / "imported.txt").write_text(report.filename or "")  # AW108 typed: pathlib.Path.write_text
    with io.open(kept) as file:  # noqa: UP020  # AW108: io.open
        lines = file.readlines()  # AW108 typed: io.TextIOWrapper.readlines
    return {"rows": len(lines) - 1}
