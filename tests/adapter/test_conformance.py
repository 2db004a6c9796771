"""`asgiway conformance`: an application for each rule of PEP 3333 that breaks it, and clean ones of five frameworks.

Where a rule is broken at a line of the application, that line says so: `# breaks RULE`.
"""

from __future__ import annotations

import inspect
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from asgiway.cli import main
from asgiway.conformance import RULES, Finding, Report, Request, check
from asgiway.conformance.checking import _judge
from asgiway.conformance.drive import Outcome
from asgiway.conformance.findings import Findings, Places
from asgiway.conformance.validator import rule_of
from asgiway.errors import AppProtocolError

ROOT = Path(__file__).parents[2]
OK = "200 OK"
TEXT = [("Content-Type", "text/plain")]
App = Callable[[dict[str, Any], Any], Any]

BREAKERS: dict[str, App] = {}
QUIET: dict[str, App] = {}


def breaks(rule: str) -> Callable[[App], App]:
    def remember(app: App) -> App:
        assert rule in RULES
        BREAKERS[f"{rule}:{app.__name__}"] = app
        return app

    return remember


def quiet(app: App) -> App:
    QUIET[app.__name__] = app
    return app


# -------------------------------------------------------------------------------------------------- what breaks a rule
def one_argument(environ: Any) -> Any:
    return []


BREAKERS["application-callable:one_argument"] = cast("App", one_argument)


_the_only_one = iter([b"once"])


@breaks("called-again")
def same_iterator(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    return _the_only_one  # breaks called-again


@breaks("returns-iterable")
def nothing(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    if environ["PATH_INFO"] == "/":
        return None  # breaks returns-iterable
    return [b""]


@breaks("returns-iterable")
def bare_bytes(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    return b"body"  # breaks returns-iterable


@breaks("returns-iterable")
def bare_str(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    return "body"  # breaks returns-iterable


@breaks("returns-iterable")
def number(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    return 200  # breaks returns-iterable


@breaks("body-bytes")
def str_in_list(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    return ["text"]  # breaks body-bytes


@breaks("body-bytes")
def str_from_generator(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    yield b"bytes"
    yield "text"  # breaks body-bytes


@breaks("body-bytes")
def str_from_inner_generator(environ: Any, start_response: Any) -> Any:
    def inner() -> Iterator[Any]:
        yield 7  # breaks body-bytes

    start_response(OK, list(TEXT))
    yield from inner()


@breaks("body-len")
def wrong_len(environ: Any, start_response: Any) -> Any:
    class Body(list[bytes]):
        def __len__(self) -> int:
            return 1

    start_response(OK, list(TEXT))
    return Body([b"a", b"b"])  # breaks body-len


@breaks("start-response-called")
def never_started(environ: Any, start_response: Any) -> Any:
    return [b"body"]  # breaks start-response-called


@breaks("start-response-called")
def never_started_and_empty(environ: Any, start_response: Any) -> Any:
    return []  # breaks start-response-called


@breaks("start-response-called")
def started_late(environ: Any, start_response: Any) -> Any:
    yield b"too early"  # breaks start-response-called
    start_response(OK, list(TEXT))


@breaks("start-response-positional")
def keywords(environ: Any, start_response: Any) -> Any:
    start_response(OK, response_headers=list(TEXT))  # breaks start-response-positional
    return [b"body"]


@breaks("start-response-once")
def started_twice(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    start_response(OK, list(TEXT))  # breaks start-response-once
    return [b"body"]


@breaks("exc-info")
def exc_info_is_an_exception(environ: Any, start_response: Any) -> Any:
    start_response("500 Oops", list(TEXT), ValueError("x"))  # breaks exc-info
    return [b"body"]


@breaks("status-line")
def no_reason(environ: Any, start_response: Any) -> Any:
    start_response("200", list(TEXT))  # breaks status-line
    return [b"body"]


@breaks("native-strings")
def status_is_a_number(environ: Any, start_response: Any) -> Any:
    start_response(200, list(TEXT))  # breaks native-strings
    return [b"body"]


@breaks("status-line")
def status_with_line_break(environ: Any, start_response: Any) -> Any:
    start_response("200 OK\r\nX: y", list(TEXT))  # breaks status-line
    return [b"body"]


@breaks("headers-list")
def headers_tuple(environ: Any, start_response: Any) -> Any:
    start_response(OK, tuple(TEXT))  # breaks headers-list
    return [b"body"]


@breaks("headers-list")
def header_is_a_list(environ: Any, start_response: Any) -> Any:
    start_response(OK, [["Content-Type", "text/plain"]])  # breaks headers-list
    return [b"body"]


@breaks("header-name")
def colon_in_name(environ: Any, start_response: Any) -> Any:
    start_response(OK, [*TEXT, ("X-Colon:", "x")])  # breaks header-name
    return [b"body"]


@breaks("header-value")
def line_break_in_value(environ: Any, start_response: Any) -> Any:
    start_response(OK, [*TEXT, ("Location", "/a\r\nSet-Cookie: b")])  # breaks header-value
    return [b"body"]


@breaks("native-strings")
def bytes_headers(environ: Any, start_response: Any) -> Any:
    start_response(OK, [(b"Content-Type", b"text/plain")])  # breaks native-strings
    return [b"body"]


@breaks("native-strings")
def bytes_status(environ: Any, start_response: Any) -> Any:
    start_response(b"200 OK", list(TEXT))  # breaks native-strings
    return [b"body"]


@breaks("native-strings")
def beyond_latin_1(environ: Any, start_response: Any) -> Any:
    start_response(OK, [*TEXT, ("X-Name", "中文")])  # breaks native-strings
    return [b"body"]


@breaks("hop-by-hop")
def connection_header(environ: Any, start_response: Any) -> Any:
    start_response(OK, [*TEXT, ("Connection", "close")])  # breaks hop-by-hop
    return [b"body"]


@breaks("content-length")
def too_short(environ: Any, start_response: Any) -> Any:
    start_response(OK, [*TEXT, ("Content-Length", "10")])  # breaks content-length
    return [b"body"]


@breaks("content-length")
def too_long(environ: Any, start_response: Any) -> Any:
    start_response(OK, [*TEXT, ("Content-Length", "2")])  # breaks content-length
    return [b"body"]


@breaks("content-length")
def no_number(environ: Any, start_response: Any) -> Any:
    start_response(OK, [*TEXT, ("Content-Length", "four")])  # breaks content-length
    return [b"body"]


@breaks("content-length")
def two_lengths(environ: Any, start_response: Any) -> Any:
    start_response(OK, [*TEXT, ("Content-Length", "4"), ("Content-Length", "5")])  # breaks content-length
    return [b"body"]


@breaks("write-bytes")
def write_str(environ: Any, start_response: Any) -> Any:
    write = start_response(OK, list(TEXT))
    write("text")  # breaks write-bytes
    return []


@breaks("write-late")
def write_while_iterating(environ: Any, start_response: Any) -> Any:
    write = start_response(OK, list(TEXT))

    def body() -> Iterator[bytes]:
        yield b"a"
        write(b"b")  # breaks write-late

    return body()


@breaks("input-methods")
def seeks(environ: Any, start_response: Any) -> Any:
    environ["wsgi.input"].seek(0)  # breaks input-methods
    start_response(OK, list(TEXT))
    return [b"body"]


@breaks("input-methods")
def text_wrapper(environ: Any, start_response: Any) -> Any:
    stream = io.TextIOWrapper(environ["wsgi.input"])  # breaks input-methods
    stream.detach()
    start_response(OK, list(TEXT))
    return [b"body"]


@breaks("input-close")
def closes_input(environ: Any, start_response: Any) -> Any:
    environ["wsgi.input"].close()  # breaks input-close
    start_response(OK, list(TEXT))
    return [b"body"]


@breaks("input-close")
def input_in_with(environ: Any, start_response: Any) -> Any:
    with environ["wsgi.input"] as stream:
        stream.read(10)
    start_response(OK, list(TEXT))
    return [b"body"]


@breaks("errors-str")
def bytes_to_errors(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    try:
        environ["wsgi.errors"].writelines([b"log"])  # breaks errors-str
    except (TypeError, AssertionError):
        return [b"as expected"]
    return [b"body"]


@breaks("errors-methods")
def closes_errors(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    try:
        environ["wsgi.errors"].close()  # breaks errors-methods
    except (AttributeError, AssertionError):
        return [b"as expected"]
    return [b"body"]


@breaks("uncaught-exception")
def raises(environ: Any, start_response: Any) -> Any:
    raise LookupError("no such page")  # breaks uncaught-exception


@breaks("uncaught-exception")
def raises_while_iterating(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    yield b"a"
    raise LookupError("in the middle")  # breaks uncaught-exception


@breaks("uncaught-exception")
def exits(environ: Any, start_response: Any) -> Any:
    sys.exit("bye")  # breaks uncaught-exception


# --------------------------------------------------------------------------------------------------------------- notes
@breaks("write-used")
def writes(environ: Any, start_response: Any) -> Any:
    write = start_response(OK, list(TEXT))
    write(b"body")  # breaks write-used
    return []


@breaks("close-raised")
def close_fails(environ: Any, start_response: Any) -> Any:
    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"body"])

        def close(self) -> None:
            raise RuntimeError("can't close")  # breaks close-raised

    start_response(OK, list(TEXT))
    return Body()


@breaks("close-raised")
def goes_on_after_the_client(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    try:
        yield b"a"
        yield b"b"
    except GeneratorExit:
        raise RuntimeError("left alone") from None  # breaks close-raised


@breaks("body-forbidden")
def body_with_204(environ: Any, start_response: Any) -> Any:
    start_response("204 No Content", [])  # breaks body-forbidden
    return [b"body"]


@breaks("content-type")
def no_content_type(environ: Any, start_response: Any) -> Any:
    start_response(OK, [])  # breaks content-type
    return [b"body"]


@breaks("validator-stricter")
def redirect_without_type(environ: Any, start_response: Any) -> Any:
    start_response("302 Found", [("Location", "/")])  # breaks validator-stricter
    return []


@breaks("not-found")
def not_found(environ: Any, start_response: Any) -> Any:
    start_response("404 Not Found", list(TEXT))
    return [b"nothing here"]


@breaks("unfinished")
def endless(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    while True:
        yield b"again"


# --------------------------------------------------------------------------------------------------- what breaks nothing
@quiet
def plain(environ: Any, start_response: Any) -> Any:
    start_response(OK, [*TEXT, ("Content-Length", "4")])
    return [b"body"]


@quiet
def started_by_the_first_piece(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    yield b""
    yield b"body"


@quiet
def recovers(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    try:
        raise LookupError
    except LookupError:
        start_response("500 Internal Server Error", list(TEXT), sys.exc_info())
    return [b"sorry"]


@quiet
def reads_in_every_way(environ: Any, start_response: Any) -> Any:
    stream = environ["wsgi.input"]
    body = stream.read(1) + stream.readline() + b"".join(stream.readlines()) + b"".join(stream) + stream.read()
    assert hasattr(stream, "read")
    assert not hasattr(stream, "invented")
    environ["wsgi.errors"].flush()
    start_response(OK, list(TEXT))
    return [body]


@quiet
def a_file(environ: Any, start_response: Any) -> Any:
    start_response(OK, list(TEXT))
    return environ["wsgi.file_wrapper"](io.BytesIO(b"content"), 3)


@quiet
class AClass:
    __name__ = "AClass"

    def __init__(self, environ: Any, start_response: Any) -> None:
        self.start = start_response

    def __iter__(self) -> Iterator[bytes]:
        self.start(OK, list(TEXT))
        yield b"body"


@quiet
def not_modified(environ: Any, start_response: Any) -> Any:
    start_response("304 Not Modified", [("ETag", '"x"'), ("Content-Length", "9")])
    return []


def run(app: App, *requests: Request) -> Report:
    return check(app, requests or [Request("GET")], seconds=20)


def marked_line(app: App, rule: str) -> int | None:
    lines, first = inspect.getsourcelines(app)
    marked = [first + offset for offset, line in enumerate(lines) if f"# breaks {rule}" in line]
    return marked[0] if marked else None


@pytest.mark.parametrize("name", BREAKERS)
def test_a_broken_rule_is_found_at_its_line(name: str) -> None:
    rule = name.partition(":")[0]
    report = run(BREAKERS[name])
    found = [finding for finding in (*report.breaches, *report.notes) if finding.rule.name == rule]
    assert found, report
    line = marked_line(BREAKERS[name], rule)
    if line is not None:
        places = [finding.place for finding in found]
        assert any(place and place.file == __file__ and place.line == line for place in places), (line, places)
    if RULES[rule].breach:
        assert {finding.rule.name for finding in report.breaches} <= {rule, *CONSEQUENCES.get(name, ())}
    else:
        assert not report.breaches


# One deed may break two rules.
CONSEQUENCES = {
    "start-response-called:started_late": {"uncaught-exception"},
    "exc-info:exc_info_is_an_exception": {"uncaught-exception"},
    "called-again:same_iterator": set[str](),
    "input-methods:text_wrapper": {"uncaught-exception"},
    "write-bytes:write_str": {"write-late"},
}


def test_there_is_an_application_for_every_rule() -> None:
    assert {name.partition(":")[0] for name in BREAKERS} == set(RULES) - {"adapter", "validator"}


@pytest.mark.parametrize("name", QUIET)
def test_a_clean_application(name: str) -> None:
    report = run(QUIET[name], Request("GET"), Request("POST", "/a%20b?c", (("X-A", "b"),), b"one\ntwo\nthree\n"))
    assert not report.breaches
    assert not report.notes
    assert [status for _, status in report.requests]


def test_what_only_the_adapter_or_the_validator_sees() -> None:
    findings = Findings("GET /")
    _judge(Outcome(error=AppProtocolError("new rule")), 1, findings, Places())
    assert [(found.rule.name, found.message) for found in findings] == [("adapter", "AppProtocolError: new rule")]
    assert rule_of("a complaint that a later Python makes") == "validator"


def test_the_same_finding_of_two_requests_is_one() -> None:
    (finding,) = run(connection_header, Request("GET"), Request("GET", "/other")).breaches
    assert finding.requests == ("GET /", "GET /other")


def test_a_response_that_takes_too_long_is_a_note() -> None:
    import time

    def slow(environ: Any, start_response: Any) -> Any:
        start_response(OK, list(TEXT))
        while True:
            yield b"x"
            time.sleep(0.02)

    report = check(slow, [Request("GET")], seconds=0.1)
    assert [note.rule.name for note in report.notes] == ["unfinished"]
    assert not report.breaches


def finding_of_a_view(report: Report) -> Finding:
    (finding,) = report.breaches
    return finding


def test_the_line_of_a_view_behind_a_framework() -> None:
    import flask

    app = flask.Flask(__name__)

    @app.get("/")
    def view() -> Any:
        return "page", {"Connection": "close"}

    @app.get("/stream")
    def stream() -> Any:
        def pieces() -> Iterator[Any]:
            yield b"a"
            yield 1

        return pieces()

    assert [stream]
    first = inspect.getsourcelines(view)[1]
    finding = finding_of_a_view(run(app))
    assert finding.place is not None
    assert (finding.place.file, finding.place.line, finding.place.exact) == (__file__, first + 2, False)
    finding = finding_of_a_view(run(app, Request("GET", "/stream")))
    assert finding.rule.name == "body-bytes"
    assert finding.place is not None
    assert finding.place.line == inspect.getsourcelines(stream)[1] + 4


# --------------------------------------------------------------------------------------------------------- the command
@pytest.mark.parametrize("framework", ["flask", "django", "bottle", "falcon", "pyramid"])
def test_clean_applications_of_frameworks(framework: str) -> None:
    paths = [argument for name in ("page", "stream", "file", "moved", "empty") for argument in ("--path", f"/{name}")]
    command = [sys.executable, "-W", "error", "-m", "asgiway.cli", "conformance", "--format", "json"]
    if framework == "pyramid":  # its dependencies import what is deprecated
        command[1:3] = []
    app = f"tests.adapter.integrations.clean_apps:make_{framework}"
    done = subprocess.run(
        [*command, app, "--factory", *paths], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert len(report["requests"]) == 10
    assert {request["status"] for request in report["requests"] if request["method"] == "GET"} <= {200, 204, 302, 303}
    assert report["breaches"] == []
    assert {note["rule"] for note in report["notes"]} <= {"validator-stricter"}
    posted = subprocess.run(
        [*command, f"{app}()", "--path", "/echo", "--method", "POST", "--data", "abc"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert posted.returncode == 0, posted.stdout + posted.stderr
    assert json.loads(posted.stdout)["requests"] == [{"method": "POST", "path": "/echo", "status": 200}]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shop_with_faults.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain'), ('Connection', 'close')])\n"
        "    return [b'body']\n"
        "async def asgi(scope, receive, send): ...\n"
        "number = 3\n"
        "def broken_factory(): raise LookupError('no settings')\n"
    )
    (tmp_path / "fails_at_import.py").write_text("import json\n\nraise RuntimeError('no database')\n")
    (tmp_path / "needs_more.py").write_text("import not_installed_anywhere\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield_path = tmp_path
    for name in ("shop_with_faults", "fails_at_import", "needs_more"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return yield_path


@pytest.mark.usefixtures("project")
def test_breaches_end_with_1_and_are_told_with_place_and_section(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["conformance", "shop_with_faults:app"]) == 1
    assert capsys.readouterr() == (
        "shop_with_faults.py:2: hop-by-hop: the application sets Connection (PEP 3333, Other HTTP Features)"
        " [GET /, HEAD /]\n"
        "1 breach of PEP 3333 in GET / (200), HEAD / (200).\n",
        "",
    )


def test_json(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--path", "/x", "--method", "GET", "--header", "X-A: b", "--format", "json"]
    assert main(["conformance", "shop_with_faults:app", *arguments]) == 1
    assert json.loads(capsys.readouterr().out) == {
        "requests": [{"method": "GET", "path": "/x", "status": 200}],
        "breaches": [
            {
                "rule": "hop-by-hop",
                "source": "PEP 3333, Other HTTP Features",
                "message": "the application sets Connection",
                "filename": str(project / "shop_with_faults.py"),
                "line": 2,
                "exact": True,
                "requests": ["GET /x"],
            }
        ],
        "notes": [],
    }


def test_the_body_from_a_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "body").write_bytes(b"x" * 1000)
    (project / "echo.py").write_text(
        "def app(environ, start_response):\n"
        "    start_response(f'{200 + len(environ[\"wsgi.input\"].read(2000)) // 1000} OK', [('Content-Type', 'a/b')])\n"
        "    return []\n"
    )
    assert main(["conformance", "echo:app", "--method", "PUT", "--data", "@body"]) == 0
    assert capsys.readouterr().out == "No breaches of PEP 3333 in PUT / (201).\n"


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["shop"], "'shop' names no application; write module:attribute, such as shop.wsgi:application"),
        (["no_such_module:app"], "there is no module 'no_such_module' in "),
        (["json.nothing:app"], "there is no module 'json.nothing' in "),
        (["fails_at_import:app"], "'fails_at_import' can't be imported: RuntimeError: no database ("),
        (["needs_more:app"], "'needs_more' can't be imported: ModuleNotFoundError: No module named 'not_installed_any"),
        (["shop_with_faults:nothing"], "module 'shop_with_faults' has no 'nothing'; it has app, asgi, broken_factory"),
        (["shop_with_faults:asgi"], "'shop_with_faults:asgi' is an ASGI application; name the WSGI application"),
        (["shop_with_faults:number"], "'shop_with_faults:number' is a int, not a WSGI application"),
        (["shop_with_faults:broken_factory()"], "calling shop_with_faults:broken_factory() fails: LookupError"),
        (["shop_with_faults:app", "--path", "x"], "--path 'x' does not begin with a slash"),
        (["shop_with_faults:app", "--data", "@none"], "none can't be read: No such file or directory"),
        (["shop_with_faults:app", "--header", "x"], "'x' is not a header; write 'Name: value'"),
        (["shop_with_faults:app", "--timeout", "-1"], "'-1' is not a number of seconds above 0"),
    ],
)
def test_what_cannot_be_checked_ends_with_2_and_a_sentence(
    arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conformance", *arguments]) == 2
    assert sentence in capsys.readouterr().err
