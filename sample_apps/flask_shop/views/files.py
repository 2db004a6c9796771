"""Files in and out: the ledger as CSV, documents uploaded with a form or as a raw body, and downloads with ranges."""

from __future__ import annotations

import csv
import hashlib
import io
import mimetypes
import secrets
from collections.abc import Iterator
from typing import IO, Final

from flask import (
    Blueprint,
    abort,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    send_file,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.utils import secure_filename

from flask_shop.accounts import current_customer, sign_in_required
from flask_shop.database import Row
from flask_shop.orders import now
from flask_shop.state import get_connection, get_shop

__all__ = ["pages"]

pages = Blueprint("files", __name__)

ROWS_AT_A_TIME: Final = 1000
PIECE: Final = 64 * 1024
COLUMNS: Final = ("id", "moved_at", "sku", "quantity", "reason", "name")


@pages.get("/export/movements.csv")
def export_movements() -> ResponseReturnValue:
    """Stream the whole ledger; the connection stays with this request until the last row has left."""
    most = request.args.get("limit", type=int)

    def lines() -> Iterator[str]:
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(COLUMNS)
        yield buffer.getvalue()
        last, left = 0, most
        while left is None or left > 0:
            wanted = ROWS_AT_A_TIME if left is None else min(left, ROWS_AT_A_TIME)
            rows = get_connection().rows(
                "SELECT m.id, m.moved_at, m.sku, m.quantity, m.reason, coalesce(p.name, '') AS name FROM movements m "
                "LEFT JOIN products p ON p.sku = m.sku WHERE m.id > ? ORDER BY m.id LIMIT ?",
                last,
                wanted,
            )
            buffer.seek(0)
            buffer.truncate()
            writer.writerows([row[column] for column in COLUMNS] for row in rows)
            yield buffer.getvalue()
            if len(rows) < wanted:
                return
            last = rows[-1]["id"]
            left = None if left is None else left - len(rows)

    headers = {"Content-Disposition": "attachment; filename=movements.csv", "Content-Type": "text/csv; charset=utf-8"}
    return stream_with_context(lines()), 200, headers


@pages.get("/files/")
@sign_in_required
def list_files() -> ResponseReturnValue:
    documents = get_connection().rows(
        "SELECT * FROM documents WHERE customer_id = ? ORDER BY id DESC", current_customer().id
    )
    return render_template("files.html", documents=documents)


@pages.post("/files/")
@sign_in_required
def upload() -> ResponseReturnValue:
    """Keep the files of a multipart form; several fields called ``document`` are several files."""
    given = [file for file in request.files.getlist("document") if file.filename]
    if not given:
        flash("Please choose a file first.", "error")
        return redirect(url_for(".list_files"), code=303)
    for file in given:
        _keep(file.filename or "", file.stream, file.mimetype)
    flash(f"{len(given)} file{'s' if len(given) > 1 else ''} stored.", "success")
    return redirect(url_for(".list_files"), code=303)


@pages.put("/api/files/<name>")
@sign_in_required
def upload_raw(name: str) -> ResponseReturnValue:
    """Keep the request's body under that name, reading it piece by piece: ``curl -T chain.pdf ...``."""
    document = _keep(name, request.stream, request.mimetype or mimetypes.guess_type(name)[0] or "")
    location = url_for(".download", document_id=document["id"])
    return jsonify(document), 201, {"Location": location}


def _keep(name: str, source: IO[bytes], media_type: str) -> Row:
    shop = get_shop()
    name = secure_filename(name) or "unnamed"
    stored_as = secrets.token_hex(16)
    digest, size = hashlib.sha256(), 0
    path = shop.uploads / stored_as
    try:
        with path.open("xb") as target:
            while piece := source.read(PIECE):
                digest.update(piece)
                size += len(piece)
                target.write(piece)
        row = get_connection().row(
            "INSERT INTO documents (customer_id, name, stored_as, media_type, size_bytes, sha256, uploaded_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id, name, media_type, size_bytes, sha256",
            current_customer().id,
            name,
            stored_as,
            media_type or "application/octet-stream",
            size,
            digest.hexdigest(),
            now(),
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    assert row is not None
    return row


def _find_document(document_id: int) -> Row:
    row = get_connection().row(
        "SELECT * FROM documents WHERE id = ? AND customer_id = ?", document_id, current_customer().id
    )
    if row is None:
        abort(404)
    return row


@pages.get("/files/<int:document_id>")
@sign_in_required
def download(document_id: int) -> ResponseReturnValue:
    """Send a document back, whole or in the range that was asked for."""
    document = _find_document(document_id)
    return send_file(
        get_shop().uploads / document["stored_as"],
        mimetype=document["media_type"],
        as_attachment=True,
        download_name=document["name"],
        etag=document["sha256"],
        conditional=True,
    )


@pages.post("/files/<int:document_id>/delete")
@sign_in_required
def delete(document_id: int) -> ResponseReturnValue:
    document = _find_document(document_id)
    get_connection().change("DELETE FROM documents WHERE id = ?", document_id)
    (get_shop().uploads / document["stored_as"]).unlink(missing_ok=True)
    flash(f"{document['name']} is deleted.", "success")
    return redirect(url_for(".list_files"), code=303)
