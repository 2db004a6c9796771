"""Settings from ASGIWAY_* variables: which one wins, and what is refused in which words."""

from __future__ import annotations

import dataclasses
import inspect
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgiway import SettingsError, WSGIMiddleware
from asgiway.environment import settings_from, variables
from asgiway.settings import Settings

EVENTS: list[object] = []


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [])
    return []


def test_every_setting_has_its_variable_and_its_argument_with_the_same_default() -> None:
    fields = {field.name: field.default for field in dataclasses.fields(Settings)}
    assert set(variables()) == {f"ASGIWAY_{name.upper()}" for name in fields} | {"ASGIWAY_SEND_QUEUE_SIZE"}
    parameters = inspect.signature(WSGIMiddleware).parameters
    assert {name: parameters[name].default for name in fields} == fields


@pytest.mark.parametrize(
    ("variable", "text", "value"),
    [
        ("WORKERS", "4", 4),
        ("WORKERS", " 4 ", 4),
        ("WORKERS", "none", None),
        ("WORKERS", "None", None),
        ("WORKERS", "", None),
        ("SEND_QUEUE_SIZE", "20", 20),
        ("MAX_WORKERS", "64", 64),
        ("MAX_QUEUE", "0", 0),
        ("QUEUE_TIMEOUT", "2.5", 2.5),
        ("QUEUE_TIMEOUT", "10", 10.0),
        ("REQUEST_TIMEOUT", "1e1", 10.0),
        ("REQUEST_TIMEOUT", "none", None),
        ("DRAIN_TIMEOUT", "0", 0.0),
        ("BODY", "spool", "spool"),
        ("MAX_BODY_SIZE", "1048576", 1048576),
        ("MAX_BODY_SIZE", "", None),
        ("HIGH_WATER", "65536", 65536),
        ("UNDERSCORE_HEADERS", "refuse", "refuse"),
        ("MULTIPROCESS", "false", False),
        ("MULTIPROCESS", "YES", True),
        ("ON_EVENT", "tests.adapter.test_environment:EVENTS.append", EVENTS.append),
        ("ON_EVENT", "none", None),
    ],
)
def test_values(variable: str, text: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"ASGIWAY_{variable}", text)
    name = variable.lower()
    assert settings_from() == {name: value}
    if name != "send_queue_size":
        got = getattr(WSGIMiddleware(app).settings, name)
        assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    ("variable", "text", "sentence"),
    [
        (
            "WORKERS",
            "four",
            "ASGIWAY_WORKERS='four' is not possible; give a whole number in plain digits, or none",
        ),
        (
            "WORKERS",
            "4.0",
            "ASGIWAY_WORKERS='4.0' is not possible; give a whole number in plain digits, or none",
        ),
        ("WORKERS", "0", "ASGIWAY_WORKERS='0' is not possible; give a whole number of at least 1"),
        ("MAX_QUEUE", "", "ASGIWAY_MAX_QUEUE='' is not possible; give a whole number in plain digits"),
        ("MAX_QUEUE", "-1", "ASGIWAY_MAX_QUEUE='-1' is not possible; give a whole number in plain digits"),
        ("QUEUE_TIMEOUT", "30s", "ASGIWAY_QUEUE_TIMEOUT='30s' is not possible; give a number of seconds"),
        ("QUEUE_TIMEOUT", "nan", "ASGIWAY_QUEUE_TIMEOUT='nan' is not possible; give a number of at least 0"),
        (
            "REQUEST_TIMEOUT",
            "soon",
            "ASGIWAY_REQUEST_TIMEOUT='soon' is not possible; give a number of seconds, or none",
        ),
        (
            "BODY",
            "Streem",
            "ASGIWAY_BODY='Streem' is not possible; use one of auto, stream, spool, buffer (did you mean stream?)",
        ),
        (
            "UNDERSCORE_HEADERS",
            "keep",
            "ASGIWAY_UNDERSCORE_HEADERS='keep' is not possible; use one of drop, refuse, allow",
        ),
        ("MULTIPROCESS", "maybe", "ASGIWAY_MULTIPROCESS='maybe' is not possible; use true or false"),
        (
            "ON_EVENT",
            "print",
            "ASGIWAY_ON_EVENT='print' is not possible; give a function as package.module:attribute, or none",
        ),
        (
            "ON_EVENT",
            "no_such_module:f",
            "ASGIWAY_ON_EVENT='no_such_module:f' is not possible; module no_such_module can't be imported "
            "(ModuleNotFoundError: No module named 'no_such_module'), or none",
        ),
        ("ON_EVENT", "os:no.such", "ASGIWAY_ON_EVENT='os:no.such' is not possible; module os has no no.such, or none"),
        ("ON_EVENT", "os:sep", "ASGIWAY_ON_EVENT='os:sep' is not possible; sep of module os can't be called, or none"),
        ("WROKERS", "4", "ASGIWAY_WROKERS='4' is not a setting of asgiway; did you mean ASGIWAY_WORKERS?"),
        ("workers", "4", "ASGIWAY_workers='4' is not a setting of asgiway; did you mean ASGIWAY_WORKERS?"),
        ("MAXQUEUE", "4", "ASGIWAY_MAXQUEUE='4' is not a setting of asgiway; did you mean ASGIWAY_MAX_QUEUE?"),
    ],
)
def test_refused(variable: str, text: str, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"ASGIWAY_{variable}", text)
    with pytest.raises(SettingsError) as refused:
        WSGIMiddleware(app)
    assert str(refused.value) == sentence


def test_a_name_that_is_like_none_is_refused_with_all_that_there_are() -> None:
    with pytest.raises(
        SettingsError, match=r"ASGIWAY_XYZ='1' is not a setting of asgiway; known are ASGIWAY_WORKERS, "
    ):
        settings_from({"ASGIWAY_XYZ": "1"})


def test_the_linters_variables_are_left_to_the_linter() -> None:
    assert settings_from({"ASGIWAY_LINT_OUTPUT_FORMAT": "json", "PATH": "/bin", "asgiway_workers": "x"}) == {}


def test_arguments_win_over_the_environment_and_that_over_defaults(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ASGIWAY_WORKERS", "7")
    monkeypatch.setenv("ASGIWAY_MAX_QUEUE", "5")
    monkeypatch.setenv("ASGIWAY_DRAIN_TIMEOUT", "3")
    with caplog.at_level(logging.INFO, "asgiway"):
        # One of the arguments has the default's value: it was chosen all the same.
        settings = WSGIMiddleware(app, 2, max_queue=1024).settings
    assert (settings.workers, settings.max_queue, settings.drain_timeout) == (2, 1024, 3.0)
    assert settings.queue_timeout == 30.0
    assert caplog.messages == ["settings from the environment: ASGIWAY_DRAIN_TIMEOUT='3'"]
    assert WSGIMiddleware(app, None).settings.workers is None
    assert WSGIMiddleware(app).settings.workers == 7


def test_variables_are_read_when_the_adapter_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    before = WSGIMiddleware(app)
    monkeypatch.setenv("ASGIWAY_WORKERS", "3")
    assert before.settings.workers is None
    assert WSGIMiddleware(app).settings.workers == 3


def test_numbers_of_threads_that_contradict_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASGIWAY_MAX_WORKERS", "8")
    monkeypatch.setenv("ASGIWAY_WORKERS", "16")
    with pytest.raises(SettingsError, match=r"^ASGIWAY_WORKERS='16' contradicts ASGIWAY_MAX_WORKERS='8'; give no more"):
        WSGIMiddleware(app)
    with pytest.raises(SettingsError, match=r"^workers=9 contradicts ASGIWAY_MAX_WORKERS='8'; "):
        WSGIMiddleware(app, workers=9)
    with pytest.raises(SettingsError, match=r"^workers=9 contradicts max_workers=4; "):
        WSGIMiddleware(app, workers=9, max_workers=4)
    assert WSGIMiddleware(app, workers=8).settings.workers == 8
    assert WSGIMiddleware(app, max_workers=32).settings.workers == 16
    # With request_timeout it is the number of threads that may be given up.
    assert WSGIMiddleware(app, request_timeout=5).settings.max_workers == 8
    monkeypatch.delenv("ASGIWAY_MAX_WORKERS")
    assert WSGIMiddleware(app, workers=200).settings.workers == 200  # against the default, which nobody chose


def test_a_wrong_call_is_told_as_python_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASGIWAY_WORKERS", "3")
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrokers'"):
        WSGIMiddleware(app, wrokers=3)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'app'"):
        WSGIMiddleware()  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def test_a_receiver_whose_module_fails_is_refused_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failing_receiver.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(SettingsError, match=r"can't be imported \(ZeroDivisionError: division by zero\)") as refused:
        settings_from({"ASGIWAY_ON_EVENT": "failing_receiver:f"})
    assert isinstance(refused.value.__cause__, ZeroDivisionError)


@given(
    st.sampled_from([name for name in variables() if name != "ASGIWAY_ON_EVENT"]),
    st.one_of(
        st.text(), st.integers().map(str), st.floats().map(str), st.sampled_from(["none", "auto", "on", "9" * 5000])
    ),
)
def test_any_value_is_taken_or_refused_in_one_sentence_that_names_it(variable: str, text: str) -> None:
    refused: SettingsError | None = None
    value: Any = None
    try:
        (value,) = settings_from({variable: text}).values()
    except SettingsError as exc:
        refused = exc
    if refused is not None:
        assert str(refused).startswith(f"{variable}={text!r} ")
        assert "\n" not in str(refused)
    else:
        name = variable.removeprefix("ASGIWAY_").lower()
        if name != "send_queue_size":
            assert getattr(Settings(**{name: value}), name) == value


@given(st.integers(1, 10**9), st.floats(0.001, 10**6))
def test_numbers_come_through_as_they_are(number: int, seconds: float) -> None:
    given_ = {"ASGIWAY_MAX_QUEUE": str(number), "ASGIWAY_QUEUE_TIMEOUT": repr(seconds)}
    assert settings_from(given_) == {"max_queue": number, "queue_timeout": seconds}
