"""A small project whose files see each other in every way there is, and statements to put into it."""

from __future__ import annotations

__all__ = ["PROJECT", "STATEMENTS"]

PROJECT = {
    "base.py": """
import time, asyncio, functools, contextlib
import requests

def passes_on(function):
    @functools.wraps(function)
    def wrapper(*args):
        return function(*args)
    return wrapper

def retry(count, function):
    for _ in range(count):
        function()

def asks():
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True

def quiet(value=None):
    if value is not None:
        time.sleep(value)

@passes_on
def slow():
    time.sleep(1)

class Client:
    session = None

    def __init__(self, url):
        self.url = url
        self.http = requests.Session()

    @property
    def status(self):
        return self.http.get(self.url)

    def fetch(self):
        return self.http.get(self.url)

    def close(self):
        pass

    @contextlib.contextmanager
    def opened(self):
        yield self
""",
    "template.py": """
import time

class Template:
    def __init__(self):
        self.prepare()

    def prepare(self):
        pass

    def run(self):
        self.before()
        return [self.step(i) for i in range(3)]

    def before(self):
        pass

    def step(self, i):
        raise NotImplementedError

    def shout(self):
        self.loud()

    def loud(self):
        time.sleep(1)
""",
    "steps.py": """
import time
from template import Template

class Sleeps(Template):
    def step(self, i):
        time.sleep(i)

    def loud(self):
        pass

class Prepares(Sleeps):
    def prepare(self):
        time.sleep(1)

    def before(self):
        super().before()
        self.shout()

async def steps(given: Sleeps):
    given.run()
    given.shout()
    Prepares().run()
    Sleeps()
""",
    "mid.py": """
from base import Client, asks, quiet, retry, slow
import base as whole

class Special(Client):
    def fetch(self):
        return super().fetch()

    def both(self):
        self.close()
        return self.fetch()

def make() -> Special:
    return Special("u")

def guess():
    return Special("u")

def careful():
    if asks():
        return None
    return slow()

def through(function):
    retry(3, function)

def nothing():
    whole.quiet()
""",
    "app.py": """
import mid
from mid import careful, guess, make, nothing, through
from base import slow

async def one():
    slow()
    careful()
    nothing()

async def two():
    make().both()
    guess().status
    with guess().opened() as client:
        client.close()

async def three():
    through(slow)
    mid.through(print)
""",
    "calm.py": """
from base import Client
from mid import nothing

async def calm():
    Client("u").close()
    nothing()
""",
    "leaf.py": """
from time import sleep

async def leaf():
    sleep(1)
""",
    "stars.py": """
from base import *
from package.inner import *

def starry():
    slow()
""",
    "sky.py": """
from stars import *
from package import inner, exported
import package

async def sky():
    slow()
    Client("u").fetch()
    starry()
    deep()

async def night():
    inner.deep()
    exported()
    package.inner.deep()
    Pool(Client("v"), slow).use()
    Pool(None, None).use()
""",
    "values.py": """
import requests
from base import Client

class Plain:
    http = None
    session: requests.Session

    def __init__(self, flag=False):
        self.http = requests.Session()
        self.flag = flag

    def child(self):
        return Plain()

    def get(self):
        if self.flag:
            self.session.get("u")

class Thin(Plain):
    pass

shared = Plain()
other = Thin(True)

def one():
    return shared

def two(plain: Plain) -> Plain:
    return plain
""",
    "passed.py": """
import values
from values import Plain as Kept, one, other, shared, two

class Mine(Kept):
    kept = shared

mine = Mine()

def three():
    return one()

def run(function):
    function()

def calm():
    pass

def passes_on(function):
    def wrapper():
        return function()
    return wrapper

@passes_on
def wrapped():
    pass
""",
    "flow.py": """
import passed
import values
from passed import Kept, Mine, mine, one, shared, three

async def flow():
    Kept().http.get("u")
    Mine().http.get("u")
    mine.kept.session.get("u")
    three().child().http.get("u")
    passed.shared.http.get("u")

async def more():
    shared.session.get("u")
    values.shared.session.get("u")
    one().http.get("u")
    passed.two(None).http.get("u")
""",
    "unmade.py": """
from passed import Kept, Mine, one, shared, three, wrapped

async def nothing_yet():
    Kept().nothing.get("u")
    Mine().client.get("u")
    three().fresh.get("u")
    one().fetch().get("u")
    wrapped()
    shared.missing.session.get("u")
""",
    "calmer.py": """
import passed
from passed import Kept, run, shared

async def other_calls():
    Kept().get()
    run(shared.get)
    passed.run(passed.calm)
    Kept(False).child()
""",
    "chained.py": """
from passed import Kept, other, run

async def calls():
    other.get()
    Kept(True).get()
    run(other.get)
""",
    "package/__init__.py": """
from .inner import deep as exported
""",
    "package/inner.py": """
import time
from base import Client

def deep(client: Client = None):
    time.sleep(1)

class Pool:
    def __init__(self, client, function):
        self.client: Client = client
        self.function = function

    def use(self):
        if self.client:
            self.client.fetch()
        apply(self.function)

def apply(function):
    function()
""",
}

STATEMENTS = (
    "pass",
    "x = 1",
    "# a comment",
    "time.sleep(2)",
    "import time; time.sleep(3)",
    "return None",
    "return slow()",
    "return Client('u')",
    "slow()",
    "quiet(1)",
    "function()",
    "self.close()",
    "self.http = None",
    "self.extra = Client('v')",
    "asyncio.get_running_loop()",
    "if asks(): return",
    "yield 1",
    "global slow; slow = print",
    "value = lambda: time.sleep(1)",
    "retry(2, lambda: time.sleep(1))",
    "@property",
    "def inner(): time.sleep(1)",
    "self.http = requests.Session()",
    "self.session = None",
    "session = requests.Session()",
    "http = None",
    "shared = None",
    "shared = other = Plain()",
    "return requests.Session()",
    "return Plain()",
    "return self",
    "return shared",
    "if self.flag: return",
    "if not self.http: time.sleep(1)",
    "self.flag = True",
    "class Client: pass",
    "raise ValueError",
    "for _ in range(3): pass",
    "x = = 1",
)
