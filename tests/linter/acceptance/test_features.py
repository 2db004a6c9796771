"""Section 2 of linter-acceptance, the rows that the engine answers: each is a Y."""

from __future__ import annotations

from pathlib import Path

from tests.linter.acceptance.support import findings, holds, project, silent


def test_import_aliases() -> None:
    """Row 1: import alias, from-import alias."""
    holds("""
        import time as t
        import os.path as p
        from requests import get as fetch

        async def f():
            t.sleep(1)  #! time.sleep
            p.exists("a")  #! os.path.exists
            fetch("u")  #! requests.get
    """)


def test_function_local_imports() -> None:
    """Row 2: function-local imports."""
    holds("""
        async def f(flag):
            import time
            from requests import get
            time.sleep(1)  #! time.sleep
            get("u")  #! requests.get
            if flag:
                import subprocess as s
                s.run(["a"])  #! subprocess.run

        async def g(get):
            get("u")
    """)


def test_builtins() -> None:
    """Row 3: builtins.x; shadowed builtins."""
    holds("""
        import builtins
        from builtins import open as reads

        async def f():
            builtins.open("a")  #! builtins.open
            reads("a")  #! builtins.open
            open("a")  #! builtins.open
            input()  #! builtins.input

        async def g(open, input):
            open("a")
            input()
    """)
    silent("""
        def open(name): ...

        async def f():
            open("a")
    """)


def test_value_aliases() -> None:
    """Row 4: value alias `x = time.sleep; x()`."""
    holds("""
        import time
        import requests

        pause = time.sleep

        class Client:
            fetch = staticmethod(requests.get)

            def __init__(self):
                self.wait = time.sleep

            async def use(self):
                self.wait(1)  #! time.sleep

        async def f():
            pause(1)  #! time.sleep
            local = pause
            local(1)  #! time.sleep
    """)


def test_getattr() -> None:
    """Row 5: getattr(mod, "f")()."""
    holds("""
        import time
        import requests

        async def f(name):
            getattr(time, "sleep")(1)  #! time.sleep
            getattr(requests.Session(), "get")("u")  #! requests.Session.get
            getattr(time, name)(1)
    """)


def test_instances_by_constructor() -> None:
    """Row 6: instance via constructor (plain name)."""
    holds("""
        import httpx
        import sqlite3
        import urllib3
        from pathlib import Path

        async def f():
            client = httpx.Client()
            client.get("u")  #! httpx.Client.get
            pool = urllib3.PoolManager()
            pool.request("GET", "u")  #! urllib3.PoolManager.request
            path = Path("a")
            path.read_text()  #! pathlib.Path.read_text
            other = httpx.AsyncClient()
            other.get("u")
    """)


def test_instances_by_annotation() -> None:
    """Row 7: instance via annotation (param)."""
    holds("""
        from typing import Annotated, Optional
        from requests import Session

        async def f(a: Session, b: Optional[Session], c: "Session | None", d: Annotated[Session, 1], e: object):
            a.get("u")  #! requests.Session.get
            b.get("u")  #! requests.Session.get
            c.get("u")  #! requests.Session.get
            d.get("u")  #! requests.Session.get
            e.get("u")
    """)


def test_instances_by_with() -> None:
    """Row 8: instance via `with X() as y`."""
    holds("""
        import httpx
        import requests

        async def f():
            with requests.Session() as a, httpx.Client() as b:
                a.get("u")  #! requests.Session.get
                b.get("u")  #! httpx.Client.get
            async with httpx.AsyncClient() as c:
                c.get("u")
    """)


def test_attributes_of_self() -> None:
    """Row 9: self.attr instances."""
    holds("""
        import requests

        class Base:
            def connect(self):
                self.late = requests.Session()

        class Client(Base):
            shared = requests.Session()

            def __init__(self, given: requests.Session, unknown):
                self.session = requests.Session()
                self.given = given
                self.unknown = unknown

            async def use(self):
                self.session.get("u")  #! requests.Session.get
                self.given.get("u")  #! requests.Session.get
                self.shared.get("u")  #! requests.Session.get
                self.late.get("u")  #! requests.Session.get
                self.unknown.get("u")
    """)


def test_chained_calls() -> None:
    """Row 10: inline `X().m()`, `(p / "a").m()`."""
    holds("""
        import requests
        import psycopg2
        from pathlib import Path

        async def f(p: Path, connection: psycopg2.extensions.connection):
            requests.Session().get("u")  #! requests.Session.get
            (p / "a").read_text()  #! pathlib.Path.read_text
            p.parent.joinpath("b").exists()  #! pathlib.Path.exists
            connection.cursor().execute("q")  #! psycopg2.extensions.cursor.execute
    """)


def test_module_globals() -> None:
    """Row 11: module-global instances, also bound twice, also of another module."""
    holds("""
        import requests

        session = None
        session = requests.Session()

        async def f():
            session.get("u")  #! requests.Session.get
    """)


def test_helpers_of_the_module() -> None:
    """Row 12: same-module transitive (sync helper)."""
    (finding,) = holds("""
        import time

        def helper():
            deeper()

        def deeper():
            time.sleep(1)

        async def f():
            helper()  #! time.sleep
    """)
    assert [link.call for link in finding.chain] == ["helper()", "deeper()", "time.sleep"]


def test_helpers_of_other_modules(tmp_path: Path) -> None:
    """Row 13: cross-module transitive."""
    found = project(
        tmp_path,
        {
            "app.py": """
                from shop import charge

                async def f():
                    charge()
            """,
            "shop/__init__.py": "from .gateway import charge\n",
            "shop/gateway.py": """
                import requests
                from . import log

                def charge():
                    log.note()
                    return requests.post("u")
            """,
            "shop/log.py": "def note(): ...\n",
        },
    )
    assert found.pop("app.py") == [(5, "requests.post")]
    assert not any(found.values())


def test_methods_of_the_object() -> None:
    """Row 14: method transitive (self.helper())."""
    holds("""
        import time

        class Base:
            def inherited(self):
                time.sleep(1)

        class Service(Base):
            def helper(self):
                self.inherited()

            @property
            def slow(self):
                return self.helper()

            async def use(self):
                self.helper()  #! time.sleep
                super().inherited()  #! time.sleep
                self.slow  #! time.sleep
    """)


def test_nested_functions() -> None:
    """Row 15: nested sync def not flagged."""
    holds("""
        import time

        async def f():
            def inner():
                time.sleep(1)

            class Local:
                def method(self):
                    time.sleep(1)

            return inner, Local

        async def g():
            def inner():
                time.sleep(1)

            inner()  #! time.sleep
    """)


def test_lambdas() -> None:
    """Row 16: lambda not flagged."""
    holds("""
        import time

        async def f(hand_over):
            hand_over(lambda: time.sleep(1))
            later = lambda: time.sleep(1)
            (lambda: time.sleep(1))()  #! time.sleep
            return later
    """)


def test_lambdas_and_partials_in_threads() -> None:
    """Row 17: lambda, partial passed to to_thread ok."""
    silent("""
        import asyncio
        import functools
        import requests

        async def f():
            await asyncio.to_thread(lambda: requests.get("u"))
            await asyncio.to_thread(functools.partial(requests.get, "u"))
    """)


def test_lazy_arguments_of_threads() -> None:
    """Row 18: lazy genexp, Path.glob in to_thread."""
    silent("""
        import asyncio
        from pathlib import Path

        async def f(p: Path):
            await asyncio.to_thread(list, p.glob("*"))
            await asyncio.to_thread(any, (each.exists() for each in [p]))
    """)


def test_awaited_calls() -> None:
    """Row 19: directly awaited call not flagged."""
    silent("""
        import requests

        async def f(session: requests.Session):
            await session.get("u")
            async with session.get("u"):
                pass
            found = session.get("u")
            await found
    """)


def test_passed_through() -> None:
    """Row 20: `await asyncio.to_thread(f)` pass-through."""
    silent("""
        import asyncio
        import time

        async def f():
            await asyncio.to_thread(time.sleep, 1)
    """)


def test_decorated_helpers() -> None:
    """Row 21: `@sync_to_async`, `@asyncify` decorated helper exempt, also as a method and behind a helper."""
    silent("""
        import time
        from asgiref.sync import sync_to_async
        from asyncer import asyncify

        @sync_to_async
        def a():
            time.sleep(1)

        @asyncify
        def b():
            time.sleep(1)

        class Service:
            @sync_to_async
            def c(self):
                time.sleep(1)

        async def f(service: Service):
            await a()
            await b()
            await service.c()
    """)


def test_fastapi_endpoints() -> None:
    """Row 22: FastAPI `def` endpoints exempt; suggestion async -> def."""
    found = findings("""
        import time
        from fastapi import FastAPI

        app = FastAPI()

        @app.get("/")
        def plain():
            time.sleep(1)

        @app.get("/a")
        async def endpoint():
            time.sleep(1)
    """)
    assert [(f.code, f.line) for f in found] == [("AW203", 12), ("AW101", 13)]
    assert found[0].replacement == "def endpoint"


def test_dependencies() -> None:
    """Row 23: Depends(), Annotated[...] typing."""
    holds("""
        from typing import Annotated
        from fastapi import Depends, FastAPI
        from sqlalchemy.orm import Session, sessionmaker

        SessionLocal = sessionmaker()

        def get_db():
            db = SessionLocal()
            try:
                yield db
            finally:
                db.close()

        Database = Annotated[Session, Depends(get_db)]

        async def a(db: Session = Depends(get_db)):
            db.get(1)  #! sqlalchemy.orm.Session.get

        async def b(db: Annotated[Session, Depends(get_db)]):
            db.commit()  #! sqlalchemy.orm.Session.commit

        async def c(db: Database):
            db.execute("q")  #! sqlalchemy.orm.Session.execute

        async def d(db=Depends(get_db)):
            db.flush()  #! sqlalchemy.orm.Session.flush
    """)


def test_django_orm() -> None:
    """Row 24: Django ORM in async view (get -> aget)."""
    found = holds("""
        from django.db import models

        class Book(models.Model):
            title = models.CharField(max_length=10)

        async def view(request, book: Book):
            Book.objects.get(pk=1)  #! django.db.models.manager.Manager.get
            book.save()  #! django.db.models.Model.save
            await Book.objects.aget(pk=1)
            await book.asave()
    """)
    assert [finding.replacement for finding in found] == ["aget", "asave"]


def test_sqlalchemy() -> None:
    """Row 25: SQLAlchemy Session."""
    holds("""
        from sqlalchemy import create_engine
        from sqlalchemy.ext.asyncio import AsyncSession
        from sqlalchemy.orm import Session
        from sqlmodel import Session as Other

        engine = create_engine("sqlite://")

        async def f(db: Session, mine: Other, right: AsyncSession):
            db.query(1).filter(2).all()  #! sqlalchemy.orm.Query.all
            mine.commit()  #! sqlmodel.Session.commit
            with Session(engine) as inner:
                inner.scalars("q")  #! sqlalchemy.orm.Session.scalars
            with engine.connect() as connection:  #! sqlalchemy.engine.Engine.connect
                connection.execute("q")  #! sqlalchemy.engine.Connection.execute
            await right.execute("q")
    """)


def test_caches_brokers_and_sdks() -> None:
    """Row 26: redis, pymongo, boto3, Elasticsearch, Kafka."""
    found = holds("""
        import boto3
        import redis
        import redis.asyncio
        from elasticsearch import Elasticsearch
        from kafka import KafkaProducer
        from pymongo import MongoClient

        r = redis.Redis()
        s3 = boto3.client("s3")
        es = Elasticsearch()
        producer = KafkaProducer()
        books = MongoClient()["shop"]["books"]

        async def f(right: redis.asyncio.Redis):
            r.get("a")  #! redis.Redis.get
            s3.put_object(Bucket="a")  #! botocore.client.BaseClient.put_object
            es.search(index="a")  #! elasticsearch.Elasticsearch.search
            producer.flush()  #! kafka.KafkaProducer.flush
            books.find_one({})  #! pymongo.collection.Collection.find_one
            await right.get("a")
    """)
    assert {finding.code for finding in found} == {"AW103", "AW105", "AW106"}


def test_database_drivers() -> None:
    """Row 27: psycopg2, pymysql, sqlite3."""
    holds("""
        import psycopg2
        import pymysql
        import sqlite3

        async def f():
            a = psycopg2.connect("")  #! psycopg2.connect
            with a.cursor() as cursor:
                cursor.execute("q")  #! psycopg2.extensions.cursor.execute
                cursor.fetchall()  #! psycopg2.extensions.cursor.fetchall
            a.commit()  #! psycopg2.extensions.connection.commit
            b = pymysql.connect()  #! pymysql.connect
            b.cursor().execute("q")  #! pymysql.cursors.Cursor.execute
            c = sqlite3.connect("")  #! sqlite3.connect
            c.execute("q").fetchone()  #! sqlite3.Connection.execute, sqlite3.Cursor.fetchone
    """)


def test_requests() -> None:
    """Row 28: requests functions, Session."""
    holds("""
        import requests

        async def f():
            requests.get("u")  #! requests.get
            requests.request("GET", "u")  #! requests.request
            session = requests.session()
            session.post("u")  #! requests.Session.post
    """)


def test_network_libraries_of_python() -> None:
    """Row 29: urllib, http.client, smtplib, ftplib, imaplib."""
    holds("""
        import ftplib
        import http.client
        import imaplib
        import smtplib
        import urllib.request

        async def f():
            urllib.request.urlopen("u")  #! urllib.request.urlopen
            http.client.HTTPSConnection("h").request("GET", "/")  #! http.client.HTTPSConnection.request
            smtplib.SMTP_SSL("h").send_message("m")  #! smtplib.SMTP_SSL, smtplib.SMTP_SSL.send_message
            ftplib.FTP("h").login()  #! ftplib.FTP, ftplib.FTP.login
            imaplib.IMAP4("h").select()  #! imaplib.IMAP4, imaplib.IMAP4.select
    """)


def test_processes() -> None:
    """Row 30: subprocess, os.spawn, wait."""
    holds("""
        import os
        import subprocess

        async def f():
            subprocess.run(["a"])  #! subprocess.run
            subprocess.check_output(["a"])  #! subprocess.check_output
            process = subprocess.Popen(["a"])  #! subprocess.Popen
            process.wait()  #! subprocess.Popen.wait
            process.communicate()  #! subprocess.Popen.communicate
            os.system("a")  #! os.system
            os.spawnl(os.P_WAIT, "a")  #! os.spawnl
            os.waitpid(1, 0)  #! os.waitpid
            os.waitpid(1, os.WNOHANG)
    """)


def test_opening_and_reading() -> None:
    """Row 31: open, io, the methods of files."""
    holds("""
        import io

        async def f():
            with open("a") as file:  #! builtins.open
                file.read()  #! io.TextIOWrapper.read
                for line in file:  #! io.TextIOWrapper
                    pass
            io.open("a")  #! io.open
            memory = io.StringIO()
            memory.read()
    """)


def test_file_operations_of_os() -> None:
    """Row 32: os.* file operations (listdir, remove, makedirs)."""
    holds("""
        import os

        async def f():
            os.listdir("a")  #! os.listdir
            os.remove("a")  #! os.remove
            os.makedirs("a")  #! os.makedirs
            os.rename("a", "b")  #! os.rename
            os.getcwd()
            os.environ["A"]
    """)


def test_copies_archives_and_temporary_files() -> None:
    """Row 33: shutil, glob, tempfile, zip, tar."""
    holds("""
        import glob
        import shutil
        import tarfile
        import tempfile
        import zipfile

        async def f():
            shutil.copy("a", "b")  #! shutil.copy
            shutil.rmtree("a")  #! shutil.rmtree
            glob.glob("*")  #! glob.glob
            tempfile.mkdtemp()  #! tempfile.mkdtemp
            zipfile.ZipFile("a").extractall()  #! zipfile.ZipFile, zipfile.ZipFile.extractall
            tarfile.open("a").getmembers()  #! tarfile.open, tarfile.TarFile.getmembers
    """)


def test_paths() -> None:
    """Row 34: os.path, pathlib."""
    holds("""
        import os.path
        from pathlib import Path

        async def f(path: Path):
            os.path.exists("a")  #! os.path.exists
            os.path.join("a", "b")
            path.exists()  #! pathlib.Path.exists
            path.write_bytes(b"")  #! pathlib.Path.write_bytes
            path.with_suffix(".b").name
    """)


def test_sockets_names_and_certificates() -> None:
    """Row 35: socket, DNS, SSL context."""
    holds("""
        import socket
        import ssl

        async def f():
            socket.getaddrinfo("h", 80)  #! socket.getaddrinfo
            socket.create_connection(("h", 80))  #! socket.create_connection
            socket.socket().connect(("h", 80))  #! socket.socket.connect
            ssl.create_default_context()  #! ssl.create_default_context
    """)


def test_waiting_for_threads() -> None:
    """Row 36: Lock.acquire, Queue.get, Event.wait, Thread.join, Future.result."""
    found = holds("""
        import queue
        import threading
        from concurrent.futures import Future

        lock = threading.Lock()

        async def f(q: queue.Queue, event: threading.Event, thread: threading.Thread, future: Future):
            lock.acquire()  #! threading.Lock.acquire
            q.get()  #! queue.Queue.get
            event.wait()  #! threading.Event.wait
            thread.join()  #! threading.Thread.join
            future.result()  #! concurrent.futures.Future.result
    """)
    assert {finding.code for finding in found} == {"AW111"}


def test_the_console() -> None:
    """Row 37: input()."""
    holds("""
        import getpass

        async def f():
            input("?")  #! builtins.input
            getpass.getpass()  #! getpass.getpass
            print("a")
    """)


def test_computing() -> None:
    """Row 38: CPU heavy (pbkdf2, bcrypt, PIL, pandas)."""
    found = holds("""
        import bcrypt
        import hashlib
        import pandas as pd
        from PIL import Image

        async def f(data, image: Image.Image):
            hashlib.pbkdf2_hmac("sha256", b"", b"", 1)  #! hashlib.pbkdf2_hmac
            bcrypt.hashpw(b"", b"")  #! bcrypt.hashpw
            image.resize((1, 1))  #! PIL.Image.Image.resize
            pd.read_csv("a")  #! pandas.read_csv
    """)
    assert {finding.code for finding in found} == {"AW113"}
