"""Exact asynchronous twins: `book.save()` -> `await book.asave()`."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from asgiway_lint.catalogue import load
from asgiway_lint.fixes.model import Applicability, Fix
from asgiway_lint.fixes.twins import LIBRARIES, twin_of
from tests.linter.fixes.support import fixed, in_coroutine, offers, refused

USER = "from django.contrib.auth.models import User"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("User.objects.get(pk=x)", "await User.objects.aget(pk=x)", id="manager"),
        pytest.param(
            "n = User.objects.filter(pk=x).exclude(a=1).count() + 1",
            "n = await User.objects.filter(pk=x).exclude(a=1).acount() + 1",
            id="at the end of a chain",
        ),
        pytest.param(
            "print(User.objects.first().name)",
            "print((await User.objects.afirst()).name)",
            id="attribute of the result",
        ),
        pytest.param(
            "(\n    User.objects\n    # all of them\n    .all()\n    .delete()\n)",
            "(\n    await User.objects\n    # all of them\n    .all()\n    .adelete()\n)",
            id="over several lines",
        ),
        pytest.param("get_object_or_404(User, pk=x)", "await aget_object_or_404(User, pk=x)", id="a function"),
        pytest.param(
            "shortcuts.get_object_or_404(User)", "await shortcuts.aget_object_or_404(User)", id="by its module"
        ),
        pytest.param("cache.set('a', x)", "await cache.aset('a', x)", id="cache"),
        pytest.param("get_or_404(User)", "await aget_object_or_404(User)", id="another name"),
    ],
)
def test_django(old: str, new: str) -> None:
    imports = "\n".join(
        [
            USER,
            "import django.shortcuts as shortcuts" if "shortcuts." in old else "",
            "from django.core.cache import cache",
            "from django.shortcuts import get_object_or_404",
            "from django.shortcuts import get_object_or_404 as get_or_404",
        ]
    )
    assert (
        fixed(in_coroutine(*old.split("\n"), imports=imports)).partition("async def f(x):\n")[2]
        == in_coroutine(*new.split("\n")).partition("async def f(x):\n")[2]
    )


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            ["with transaction.atomic():", "    User.objects.get()"], id="a transaction belongs to one thread"
        ),
        pytest.param(["(lambda: User.objects.get())()"], id="lambda"),
        pytest.param(["User().full_clean()"], id="no twin"),
    ],
)
def test_refused(lines: list[str]) -> None:
    source = in_coroutine(*lines, imports=f"{USER}\nfrom django.db import transaction")
    assert "aget" not in fixed(source)
    assert "afull" not in fixed(source, unsafe=True)


def test_a_twin_that_needs_more_is_unsafe() -> None:
    source = in_coroutine("stripe.Customer.retrieve(x)", imports="import stripe")
    assert fixed(source) == source
    ((offer, *_),) = offers(source)
    assert isinstance(offer, Fix)
    assert (offer.name, offer.applicability, offer.requires) == ("async-twin", Applicability.UNSAFE, ("httpx",))
    assert "await stripe.Customer.retrieve_async(x)" in fixed(source, unsafe=True)


def test_twilio_has_no_exact_twin() -> None:
    """`create_async` works with another client only."""
    source = "from twilio.rest import Client\n\n\nasync def f(client: Client):\n    client.messages.create(to='x')\n"
    assert twin_of("twilio.rest.api.v2010.account.message.MessageList.create") == ""
    assert "create_async" not in fixed(source, unsafe=True)
    assert refused(source) == []


def test_every_twin_exists_in_the_library() -> None:
    """Looked up in the installed Django."""
    cache, models = importlib.import_module("django.core.cache"), importlib.import_module("django.db.models")
    library = load().library("django")
    assert library is not None
    assert "django" in LIBRARIES
    owners: dict[str, object] = {
        "django.db.models.query.QuerySet": models.QuerySet,
        "django.db.models.Model": models.Model,
        "django.core.cache.cache": cache.BaseCache,
    }
    checked = 0
    for name in library.entries:
        twin = twin_of(name)
        owner = owners.get(name.rpartition(".")[0])
        if twin and owner is not None:
            assert hasattr(owner, twin), name
            checked += 1
    assert checked >= 30


PROGRAM = """\
import asyncio
import sys

import django
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": sys.argv[1]}},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
    PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
)
django.setup()

from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import call_command


async def main():
    found = []
    user = User(username="mirela")
    user.email = "mirela@example.org"
    user.save()
    User.objects.create(username="mirko")
    user.refresh_from_db()
    found.append(user.email)
    found.append(User.objects.filter(username__startswith="m").count())
    found.append(User.objects.filter(username="nobody").exists())
    try:
        User.objects.get(username="nobody")
    except User.DoesNotExist as error:
        found.append(str(error))
    found.append(User.objects.order_by("pk").first().username)
    found.append(User.objects.filter(pk=user.pk).update(first_name="M"))
    cache.set("rate", 11.1875)
    found.append(cache.get("rate"))
    user.delete()
    found.append(User.objects.count())
    return found


call_command("migrate", verbosity=0)
print(asyncio.run(main()))
"""


def test_a_program_does_the_same(tmp_path: Path) -> None:
    """On a real database: before as Django allows it (unsafely), after as it wants it."""
    new = fixed(PROGRAM)
    assert new.count("    await ") + new.count("(await ") >= 8
    outputs: list[str] = []
    for name, text, variables in (("old", PROGRAM, {"DJANGO_ALLOW_ASYNC_UNSAFE": "1"}), ("new", new, {})):
        ran = subprocess.run(
            [sys.executable, "-c", text, str(tmp_path / name)],
            env={"PATH": "", **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        outputs.append(ran.stdout)
    assert outputs[0] == outputs[1]
    assert "['mirela@example.org', 2, False," in outputs[0]


def test_nothing_else_is_taken_for_a_twin() -> None:
    assert twin_of("asyncio.sleep") == twin_of("os.stat") == twin_of("requests.get") == ""
