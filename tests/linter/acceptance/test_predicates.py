"""Section 4 of linter-acceptance: under which arguments, and in which state, a call of the catalogue blocks."""

from __future__ import annotations

from tests.linter.acceptance.support import holds


def test_queue_get_and_put() -> None:
    """Predicate: queue.get and put with block=False or timeout=0."""
    holds("""
        import queue

        async def f(q: queue.Queue, t):
            q.get()  #! queue.Queue.get
            q.get(True, t)  #! queue.Queue.get
            q.get(block=False)
            q.get(False)
            q.get(timeout=0)
            q.get_nowait()
            q.put(1)  #! queue.Queue.put
            q.put(1, timeout=t)  #! queue.Queue.put
            q.put(1, False)
            q.put(1, block=False)
            q.put(1, timeout=0)
            q.put_nowait(1)
    """)


def test_lock_acquire() -> None:
    """Predicate: lock.acquire with blocking=False or timeout=0."""
    holds("""
        import threading

        async def f(lock: threading.Lock, again: threading.RLock, many: threading.Semaphore):
            lock.acquire()  #! threading.Lock.acquire
            lock.acquire(timeout=2)  #! threading.Lock.acquire
            lock.acquire(blocking=False)
            lock.acquire(False)
            lock.acquire(timeout=0)
            again.acquire()  #! threading.RLock.acquire
            again.acquire(blocking=False)
            many.acquire()  #! threading.Semaphore.acquire
            many.acquire(blocking=False)
    """)


def test_event_wait() -> None:
    """Predicate: Event.wait(0)."""
    holds("""
        import threading

        async def f(event: threading.Event, t):
            event.wait()  #! threading.Event.wait
            event.wait(t)  #! threading.Event.wait
            event.wait(0)
            event.wait(timeout=0)
            event.is_set()
    """)


def test_future_result() -> None:
    """Predicate: Future.result() after done()."""
    holds("""
        from concurrent.futures import Future, ThreadPoolExecutor

        async def f(waiting: Future, ready: Future, pool: ThreadPoolExecutor):
            waiting.result()  #! concurrent.futures.Future.result
            pool.submit(print).result()  #! concurrent.futures.Future.result
            if ready.done():
                ready.result()
                ready.exception()
    """)


def test_select() -> None:
    """Predicate: select(..., 0)."""
    holds("""
        import select
        import selectors

        async def f(selector: selectors.SelectSelector):
            select.select([], [], [])  #! select.select
            select.select([], [], [], 1)  #! select.select
            select.select([], [], [], 0)
            selector.select()  #! selectors.SelectSelector.select
            selector.select(0)
    """)


def test_cpu_percent() -> None:
    """Predicate: psutil.cpu_percent(interval=None)."""
    holds("""
        import psutil

        async def f():
            psutil.cpu_percent(interval=1)  #! psutil.cpu_percent
            psutil.cpu_percent(0.1)  #! psutil.cpu_percent
            psutil.cpu_percent()
            psutil.cpu_percent(interval=None)
            psutil.cpu_percent(interval=0)
    """)


def test_smtp_without_host() -> None:
    """Predicate: SMTP() without host."""
    holds("""
        import smtplib

        async def f(host):
            smtplib.SMTP(host)  #! smtplib.SMTP
            smtplib.SMTP("mail.example", 25)  #! smtplib.SMTP
            later = smtplib.SMTP()
            later.connect(host)  #! smtplib.SMTP.connect
    """)


def test_non_blocking_sockets() -> None:
    """Predicate: a socket with setblocking(False) or settimeout(0)."""
    holds("""
        import socket

        async def f():
            plain = socket.socket()
            plain.recv(1)  #! socket.socket.recv
            plain.connect(("a", 1))  #! socket.socket.connect
            calm = socket.socket()
            calm.setblocking(False)
            calm.recv(1)
            still = socket.socket()
            still.settimeout(0)
            still.accept()
            bounded = socket.socket()
            bounded.settimeout(5)
            bounded.accept()  #! socket.socket.accept
    """)


def test_types_and_not_names_decide() -> None:
    """Predicate: asyncio.Queue, Lock, Event and Thread-like names resolve by type, not by method name."""
    holds("""
        import asyncio
        import multiprocessing
        import queue
        import threading

        class Thread:
            def join(self): ...
            def start(self): ...

        async def f(q: asyncio.Queue, lock: asyncio.Lock, event: asyncio.Event, mine: Thread, stranger, text: str):
            q.get()
            lock.acquire()
            event.wait()
            mine.join()
            stranger.get()
            stranger.acquire()
            stranger.wait()
            stranger.join()
            text.join(["a"])

        async def g(q: queue.Queue, lock: threading.Lock, thread: threading.Thread, process: multiprocessing.Process):
            q.get()  #! queue.Queue.get
            lock.acquire()  #! threading.Lock.acquire
            thread.join()  #! threading.Thread.join
            process.join()  #! multiprocessing.Process.join
    """)


def test_querysets() -> None:
    """Predicate: lazy QuerySet methods do not block; for, list(), len(), bool(), qs[0] do."""
    holds("""
        from django.db import models

        class Book(models.Model):
            title = models.CharField(max_length=10)

        async def f():
            books = Book.objects.filter(a=1).exclude(b=2).order_by("c").values("d")
            Book.objects.all()
            books[1:3]
            for book in books:  #! django.db.models.query.QuerySet
                pass
            list(books)  #! django.db.models.query.QuerySet
            len(books)  #! django.db.models.query.QuerySet
            bool(books)  #! django.db.models.query.QuerySet
            books[0]  #! django.db.models.query.QuerySet
            if books:  #! django.db.models.query.QuerySet
                pass
            [book async for book in books]
            await books.acount()
    """)


def test_sleep_of_zero() -> None:
    """Predicate: time.sleep(0) suggests a checkpoint."""
    source = """
        import time

        async def f():
            time.sleep(0)  #! time.sleep
            time.sleep(1)  #! time.sleep
    """
    zero, one = holds(source)
    assert (zero.replacement, one.replacement) == ("asyncio.sleep(0), which lets other tasks run", "asyncio.sleep")
    assert holds(source, async_library="trio")[0].replacement == "trio.lowlevel.checkpoint"
    assert holds(source, async_library="anyio")[0].replacement == "anyio.lowlevel.checkpoint"


def test_generators_block_when_they_are_iterated() -> None:
    """Predicate: generators (Path.glob, os.walk, iglob, scandir, a project's own) block when iterated."""
    holds("""
        import asyncio
        import glob
        import os
        import time
        from pathlib import Path

        def own():
            yield 1
            time.sleep(1)

        async def f(path: Path):
            own()
            for _ in own():  #! time.sleep
                pass
            for _ in path.glob("*"):  #! pathlib.Path.glob
                pass
            for _ in os.walk("a"):  #! os.walk
                pass
            for _ in glob.iglob("a"):  #! glob.iglob
                pass
            for _ in os.scandir("a"):  #! os.scandir
                pass
            await asyncio.to_thread(list, path.glob("*"))
            await asyncio.to_thread(list, os.walk("a"))
            await asyncio.to_thread(sorted, glob.iglob("a"))
            await asyncio.to_thread(list, own())
    """)


def test_foreign_keys() -> None:
    """Predicate: FK attribute access, unless the query has brought the object along."""
    holds("""
        from django.db import models

        class Book(models.Model):
            author = models.ForeignKey("Author", on_delete=models.CASCADE)

        async def f(given: Book):
            book = await Book.objects.aget(pk=1)
            book.author  #! Book.author
            book.author_id
            given.author
            joined = await Book.objects.select_related("author").aget(pk=1)
            joined.author
    """)
