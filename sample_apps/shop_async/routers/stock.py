"""Stock takes: waiting on threads, queues, locks and processes from inside coroutines."""

from __future__ import annotations

import hashlib
import queue
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from subprocess import check_output
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, HTTPException

from shop_async.settings import SettingsDep

__all__ = ["router"]

router = APIRouter(prefix="/api/stock", tags=["stock"])

COUNTED: queue.Queue[str] = queue.Queue()
SHELF = threading.Lock()


@router.post("/counted/{sku}", status_code=202)
async def counted(sku: str) -> dict[str, int]:
    COUNTED.put_nowait(sku)
    return {"waiting": COUNTED.qsize()}


@router.get("/next")
async def next_counted() -> dict[str, str]:
    try:
        return {"sku": COUNTED.get(timeout=0.02)}  # AW111 typed: queue.Queue.get
    except queue.Empty:
        raise HTTPException(404, "Nobody has counted anything.") from None


@router.post("/recount")
async def recount() -> dict[str, Any]:
    done = threading.Event()
    worker = threading.Thread(target=done.set)
    worker.start()
    done.wait(1)  # AW111 typed: threading.Event.wait
    worker.join()  # AW111 typed: threading.Thread.join
    SHELF.acquire()  # AW111 typed: threading.Lock.acquire
    try:
        with ThreadPoolExecutor(1) as pool:  # AW111: concurrent.futures.ThreadPoolExecutor
            total = pool.submit(sum, range(10)).result()  # AW111 typed: concurrent.futures.Future.result
    finally:
        SHELF.release()
    return {"total": total, "done": done.is_set()}


@router.get("/machine")
async def machine() -> dict[str, Any]:
    name = subprocess.run(["uname", "-s"], capture_output=True, text=True, check=True).stdout  # AW107: subprocess.run
    release = check_output(["uname", "-r"], text=True)  # AW107: subprocess.check_output
    process = subprocess.Popen(["uname", "-m"], stdout=subprocess.PIPE, text=True)  # AW107: subprocess.Popen
    kind, _ = process.communicate()  # AW107 typed: subprocess.Popen.communicate
    node = subprocess.getoutput("uname -n")  # AW107: subprocess.getoutput
    return {"system": name.strip(), "release": release.strip(), "machine": kind.strip(), "node": node}


@router.get("/neighbour")
async def neighbour(settings: SettingsDep) -> dict[str, Any]:
    host, port = urlsplit(settings.rates_url).hostname, urlsplit(settings.rates_url).port
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)  # AW110: socket.getaddrinfo
    with socket.create_connection((host, port), timeout=2) as line:  # AW110: socket.create_connection
        line.sendall(b"GET /rates/SEK HTTP/1.0\r\n\r\n")  # AW110 typed: socket.socket.sendall
        first = line.recv(1024)  # AW110 typed: socket.socket.recv
    return {"addresses": len(found), "answer": first[:15].decode()}


@router.get("/seal/{sku}")
async def seal(sku: str) -> dict[str, str]:
    digest = hashlib.scrypt(sku.encode(), salt=b"spoke", n=1024, r=8, p=1)  # AW113: hashlib.scrypt
    return {"seal": digest.hex()[:16]}
