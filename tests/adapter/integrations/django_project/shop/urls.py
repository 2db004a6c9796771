"""Views that show what the adapter promises to Django."""

# Django has no types.
# pyright: reportMissingTypeStubs=false, reportMissingModuleSource=false

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.contrib import admin  # type: ignore[import-untyped]
from django.contrib.auth.models import User  # type: ignore[import-untyped]
from django.core.signals import request_finished, request_started  # type: ignore[import-untyped]
from django.db import connections  # type: ignore[import-untyped]
from django.http import (  # type: ignore[import-untyped]
    FileResponse,
    JsonResponse,
    StreamingHttpResponse,
)
from django.http import HttpResponse as DjangoResponse
from django.urls import path, reverse  # type: ignore[import-untyped]
from django.views.decorators.csrf import csrf_exempt  # type: ignore[import-untyped]

HttpResponse: Any = DjangoResponse
SIGNALS: Counter[str] = Counter()
GO_ON = threading.Event()
TOGETHER = threading.Barrier(4)


def _started(**more: Any) -> None:
    SIGNALS["started"] += 1


def _finished(**more: Any) -> None:
    SIGNALS["finished"] += 1


request_started.connect(_started)
request_finished.connect(_finished)


def index(request: Any) -> Any:
    return HttpResponse(f"script {request.META['SCRIPT_NAME']!r}, admin {reverse('admin:index')}")


def stream(request: Any) -> Any:
    """A piece, then, when the client asks for /go-on, another."""

    def pieces() -> Iterator[bytes]:
        yield b"first "
        assert GO_ON.wait(30)
        GO_ON.clear()
        yield b"second"

    return StreamingHttpResponse(pieces())


def go_on(request: Any) -> Any:
    GO_ON.set()
    return HttpResponse()


def endless(request: Any) -> Any:
    def pieces() -> Iterator[bytes]:
        try:
            while True:
                yield b"x" * 65536
        finally:
            SIGNALS["generator closed"] += 1

    return StreamingHttpResponse(pieces())


def fails(request: Any) -> Any:
    raise LookupError("on purpose")


def users(request: Any) -> Any:
    """The synchronous ORM, as ever."""
    return JsonResponse({"users": User.objects.count()})


@csrf_exempt  # type: ignore[untyped-decorator]
def upload(request: Any) -> Any:
    file = request.FILES["file"]
    return JsonResponse({"size": file.size, "sha256": hashlib.sha256(file.read()).hexdigest(), **request.POST.dict()})


@csrf_exempt  # type: ignore[untyped-decorator]
def raw(request: Any) -> Any:
    return JsonResponse({"size": len(request.body), "declared": request.META["CONTENT_LENGTH"]})


def file(request: Any) -> Any:
    return FileResponse(open(__file__, "rb"))  # the response closes it


def backend(request: Any) -> Any:
    """Which PostgreSQL process serves this thread; waits until four requests are here."""
    TOGETHER.wait(30)
    with connections["pg"].cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return HttpResponse(str(cursor.fetchone()[0]))


urlpatterns = [
    path("", index),
    path("admin/", admin.site.urls),
    path("stream", stream),
    path("go-on", go_on),
    path("endless", endless),
    path("fails", fails),
    path("users", users),
    path("upload", upload),
    path("raw", raw),
    path("file", file),
    path("backend", backend),
]
