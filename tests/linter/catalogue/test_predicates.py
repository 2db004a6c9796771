"""Each predicate against the calls that users write: which block, which do not, and what unknown arguments mean."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway_lint.catalogue.predicates import PREDICATES, UNKNOWN, Argument, CallArguments, Instance, Symbol, blocks


def call(*positional: Argument, has_star: bool = False, **keywords: Argument) -> CallArguments:
    return CallArguments(positional, keywords, has_star)


STARRED = call(has_star=True)

BLOCKS = [
    ("", call()),
    ("queue-get", call()),
    ("queue-get", call(True)),
    ("queue-get", call(timeout=5)),
    ("queue-get", call(timeout=None)),
    ("queue-get", call(True, 0.5)),
    ("queue-get", call(timeout=UNKNOWN)),
    ("queue-get", call(block=UNKNOWN)),
    ("queue-get", STARRED),
    ("queue-put", call(UNKNOWN)),
    ("queue-put", call(False)),  # the item
    ("queue-put", call(UNKNOWN, True, 3)),
    ("lock-acquire", call()),
    ("lock-acquire", call(timeout=-1)),
    ("lock-acquire", call(True, 2)),
    ("lock-acquire", call(UNKNOWN)),
    ("file-lock-acquire", call()),
    ("file-lock-acquire", call(timeout=-1)),
    ("file-lock-acquire", call(10)),
    ("first-timeout", call()),
    ("first-timeout", call(1)),
    ("first-timeout", call(None)),
    ("first-timeout", call(timeout=UNKNOWN)),
    ("second-timeout", call(UNKNOWN)),
    ("second-timeout", call(0)),  # not the timeout
    ("fourth-timeout", call(UNKNOWN, UNKNOWN, UNKNOWN)),
    ("fourth-timeout", call(UNKNOWN, UNKNOWN, UNKNOWN, 1)),
    ("fourth-timeout", call(UNKNOWN, UNKNOWN, UNKNOWN, -1)),
    ("poll-timeout", call()),
    ("poll-timeout", call(-1)),
    ("poll-timeout", call(1.0)),
    ("redis-message", call(timeout=1)),
    ("redis-message", call(True, 1.0)),
    ("redis-message", call(timeout=UNKNOWN)),
    ("redis-message", call(timeout=None)),
    ("wait-true", call()),
    ("wait-true", call(True)),
    ("file-argument", call(Instance("io.TextIOWrapper"))),
    ("file-argument", call(stream=Instance("io.BufferedReader"))),
    ("second-file-argument", call(UNKNOWN, Instance("io.TextIOWrapper"))),
    ("second-file-argument", call(UNKNOWN, stream=Instance("io.TextIOWrapper"))),
    ("path-argument", call("cat.png")),
    ("path-argument", call(Instance("pathlib.Path"))),
    ("path-argument", call(fp=Instance("builtins.str"))),
    ("interval-given", call(1)),
    ("interval-given", call(interval=0.1)),
    ("interval-given", call(UNKNOWN)),
    ("host-given", call("mail.example")),
    ("host-given", call(host=UNKNOWN)),
    ("auto-bind", call(UNKNOWN, auto_bind=True)),
    ("auto-bind", call(auto_bind=Symbol("ldap3.AUTO_BIND_NO_TLS"))),
    ("options-zero", call(UNKNOWN, 0)),
    ("wait3-options-zero", call(0)),
    ("waitid-waits", call(Symbol("os.P_PID"), UNKNOWN, Symbol("os.WEXITED"))),
    ("spawn-waits", call(Symbol("os.P_WAIT"), "ls")),
    ("lock-mode-waits", call(UNKNOWN, Symbol("fcntl.LOCK_EX"))),
    ("lock-mode-waits", call(UNKNOWN, Symbol("fcntl.LOCK_SH"))),
    ("lock-mode-waits", call(UNKNOWN, cmd=Symbol("fcntl.LOCK_EX"))),
    ("os-lock-mode-waits", call(UNKNOWN, Symbol("os.F_LOCK"), 0)),
    ("consume-timeout", call()),
    ("consume-timeout", call(10, timeout=-1)),
    ("asynchronous-false", call(asynchronous=False)),
    ("async-argument-missing", call("$")),
    ("async-argument-missing", call("$", async_=False)),
    ("zmq-recv-waits", call()),
    ("zmq-recv-waits", call(0)),
    ("zmq-send-waits", call(b"data")),
    ("false-argument", call(False)),
    ("false-argument", call(0)),
    ("zero-argument", call(0)),
    ("zero-argument", call(0.0)),
]
DOES_NOT_BLOCK = [
    ("queue-get", call(False)),
    ("queue-get", call(block=False)),
    ("queue-get", call(timeout=0)),
    ("queue-get", call(True, 0)),
    ("queue-get", call(block=False, timeout=UNKNOWN)),
    ("queue-put", call(UNKNOWN, False)),
    ("queue-put", call(UNKNOWN, block=False)),
    ("queue-put", call(UNKNOWN, timeout=0.0)),
    ("lock-acquire", call(False)),
    ("lock-acquire", call(blocking=False)),
    ("lock-acquire", call(block=False)),  # multiprocessing's spelling
    ("lock-acquire", call(timeout=0)),
    ("file-lock-acquire", call(blocking=False)),
    ("file-lock-acquire", call(timeout=0)),
    ("first-timeout", call(0)),
    ("first-timeout", call(timeout=0.0)),
    ("second-timeout", call(UNKNOWN, 0)),
    ("second-timeout", call(UNKNOWN, timeout=0)),
    ("fourth-timeout", call(UNKNOWN, UNKNOWN, UNKNOWN, 0)),
    ("poll-timeout", call(0)),
    ("redis-message", call()),
    ("redis-message", call(timeout=0)),
    ("redis-message", call(ignore_subscribe_messages=True)),
    ("redis-message", STARRED),
    ("wait-true", call(False)),
    ("wait-true", call(wait=False)),
    ("file-argument", call("a: 1")),
    ("file-argument", call(Instance("io.StringIO"))),
    ("file-argument", call(UNKNOWN)),
    ("file-argument", STARRED),
    ("second-file-argument", call(Instance("io.TextIOWrapper"))),
    ("second-file-argument", call(UNKNOWN, None)),
    ("path-argument", call(Instance("io.BytesIO"))),
    ("path-argument", call(UNKNOWN)),
    ("path-argument", STARRED),
    ("auto-bind", call(auto_bind=Instance("argparse.Namespace"))),
    ("interval-given", call()),
    ("interval-given", call(None)),
    ("interval-given", call(interval=0)),
    ("interval-given", STARRED),
    ("host-given", call()),
    ("host-given", call("")),
    ("host-given", call(timeout=5)),
    ("host-given", STARRED),
    ("auto-bind", call(UNKNOWN)),
    ("auto-bind", call(auto_bind=False)),
    ("auto-bind", call(auto_bind=UNKNOWN)),
    ("auto-bind", call(auto_bind=Symbol("ldap3.AUTO_BIND_NONE"))),
    ("options-zero", call(UNKNOWN, Symbol("os.WNOHANG"))),
    ("options-zero", call(UNKNOWN, UNKNOWN)),
    ("wait3-options-zero", call(Symbol("os.WNOHANG"))),
    ("waitid-waits", call(Symbol("os.P_PID"), UNKNOWN, UNKNOWN)),
    ("spawn-waits", call(Symbol("os.P_NOWAIT"), "ls")),
    ("spawn-waits", call(1, "ls")),
    ("lock-mode-waits", call(UNKNOWN, Symbol("fcntl.LOCK_UN"))),
    ("lock-mode-waits", call(UNKNOWN, UNKNOWN)),  # LOCK_EX | LOCK_NB
    ("os-lock-mode-waits", call(UNKNOWN, Symbol("os.F_TLOCK"), 0)),
    ("consume-timeout", call(10, 0)),
    ("asynchronous-false", call()),
    ("asynchronous-false", call(asynchronous=True)),
    ("async-argument-missing", call("$", async_=True)),
    ("zmq-recv-waits", call(Symbol("zmq.NOBLOCK"))),
    ("zmq-recv-waits", call(flags=UNKNOWN)),
    ("zmq-send-waits", call(b"data", Symbol("zmq.DONTWAIT"))),
    ("false-argument", call(True)),
    ("false-argument", call(UNKNOWN)),
    ("zero-argument", call(None)),
    ("zero-argument", call(5)),
]


@pytest.mark.parametrize(("name", "arguments"), BLOCKS)
def test_blocks(name: str, arguments: CallArguments) -> None:
    assert blocks(name, arguments)


@pytest.mark.parametrize(("name", "arguments"), DOES_NOT_BLOCK)
def test_does_not_block(name: str, arguments: CallArguments) -> None:
    assert not blocks(name, arguments)


def test_every_predicate_is_tested_both_ways() -> None:
    assert {name for name, _ in BLOCKS if name} == {name for name, _ in DOES_NOT_BLOCK} == set(PREDICATES)


def test_an_unknown_predicate_is_an_error() -> None:
    with pytest.raises(KeyError):
        blocks("sometimes", call())


ARGUMENTS: st.SearchStrategy[Argument] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.builds(Symbol, st.text(max_size=8)),
    st.just(UNKNOWN),
)
KEYWORDS = st.sampled_from(
    ["block", "blocking", "timeout", "wait", "interval", "host", "options", "flags", "operation", "flag", "async_"]
)


@given(
    name=st.sampled_from(sorted(PREDICATES)),
    positional=st.lists(ARGUMENTS, max_size=5),
    keywords=st.dictionaries(KEYWORDS, ARGUMENTS, max_size=4),
    star=st.booleans(),
)
def test_a_predicate_answers_for_any_arguments(
    name: str, positional: list[Argument], keywords: dict[str, Argument], star: bool
) -> None:
    arguments = CallArguments(tuple(positional), keywords, star)
    assert blocks(name, arguments) in (True, False)
    assert blocks(name, arguments) is blocks(name, arguments)
