"""The process: how it begins and ends, what it says, and that its event loop never waits for an analysis."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from tests.linter.cli_support import process
from tests.linter.server.editor import PATIENCE, editor, in_loop

BLOCKING = "import time\n\n\nasync def f():\n    time.sleep(1)\n"


def framed(*messages: dict[str, Any]) -> bytes:
    """Messages as they go over the wire."""
    bodies = [json.dumps({"jsonrpc": "2.0", **message}).encode() for message in messages]
    return b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)


def unframed(data: bytes) -> list[dict[str, Any]]:
    """What came over the wire; fails on anything that is no message."""
    found: list[dict[str, Any]] = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        length = next(int(line[16:]) for line in head.split(b"\r\n") if line.startswith(b"Content-Length: "))
        found.append(json.loads(rest[:length]))
        data = rest[length:]
    return found


INITIALIZE = {"id": 1, "method": "initialize", "params": {"capabilities": {}, "processId": None, "rootUri": None}}


def serve(data: bytes, cwd: Path, *prefix: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, *(prefix or ("-m", "asgiway_lint")), "server", "--stdio", "--clientProcessId=1"]
    return subprocess.run(command, input=data, cwd=cwd, capture_output=True, timeout=4 * PATIENCE, check=False)


def test_a_client_that_leaves_as_it_should_and_one_that_just_goes(tmp_path: Path) -> None:
    end = framed(
        INITIALIZE, {"method": "initialized", "params": {}}, {"id": 2, "method": "shutdown"}, {"method": "exit"}
    )
    ran = serve(end, tmp_path)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert [message["id"] for message in unframed(ran.stdout)] == [1, 2]
    gone = serve(framed(INITIALIZE, {"method": "initialized", "params": {}}), tmp_path)
    assert (gone.returncode, gone.stderr) == (1, b"")
    assert serve(b"", tmp_path).returncode == 1


def test_what_is_printed_does_not_get_between_the_messages(tmp_path: Path) -> None:
    code = (
        "import sys, asgiway_lint.cli as cli, asgiway_lint.server.app as app\n"
        "begin = app.Server.begin\n"
        "def noisy(self, params): print('noise'); begin(self, params); print('noise')\n"
        "app.Server.begin = noisy\n"
        "sys.exit(cli.main())"
    )
    ran = serve(framed(INITIALIZE, {"id": 2, "method": "shutdown"}, {"method": "exit"}), tmp_path, "-c", code)
    assert ran.returncode == 0
    assert [message["id"] for message in unframed(ran.stdout)] == [1, 2]
    assert ran.stderr.split() == [b"noise", b"noise"]


def test_without_the_extra_it_says_what_to_install(tmp_path: Path) -> None:
    for library in ("pygls", "lsprotocol"):
        code = f"import sys; sys.modules[{library!r}] = None; import asgiway_lint.cli as cli; sys.exit(cli.main())"
        ran = serve(b"", tmp_path, "-c", code)
        assert ran.returncode == 2
        assert ran.stderr.decode().rstrip().endswith("is not installed; install it with: pip install 'asgiway[lsp]'")


def test_options() -> None:
    ran = process("server", "--port", "1", cwd=Path.cwd())
    assert ran.returncode == 2
    assert "unknown option '--port'" in ran.stderr


@in_loop
async def test_an_answer_that_needs_no_analysis_does_not_wait_for_one(tmp_path: Path) -> None:
    """The loop is free while a large file is analysed: answers come, and an edit ends the check of the outdated text."""
    large = BLOCKING + "".join(f"\n\nasync def f{n}(a, b):\n    x = [a, b]\n    time.sleep({n})\n" for n in range(6000))
    async with editor(tmp_path) as vim:
        uri = vim.open(tmp_path / "large.py", large)
        for _ in range(5):
            assert await vim.hover("file:///nobody/has/opened/this.py", 0, 0) == ""
        assert vim.shown(uri) is None  # which takes a second or more
        vim.type(uri, BLOCKING)
        await vim.see(uri, "AW101")
        vim.type(uri, large)
        vim.type(uri, "async def f(): pass\n")
        await vim.see(uri)
        assert all(len(each.diagnostics) < 2 for each in vim.published if (each.version or 0) > 1)


@in_loop
async def test_a_request_that_is_cancelled_is_answered_so_and_the_next_one_works(tmp_path: Path) -> None:
    async with editor(tmp_path) as vim:
        uri = vim.open(tmp_path / "a.py", BLOCKING)
        params = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(4, 6))
        first = vim.client.protocol.send_request(types.TEXT_DOCUMENT_HOVER, params, msg_id="mine")
        vim.client.cancel_request(types.CancelParams("mine"))
        answer: Any = await asyncio.gather(asyncio.wrap_future(first), return_exceptions=True)
        assert answer[0] is None or "cancel" in str(answer[0]).lower() or isinstance(answer[0], types.Hover)
        assert "AW101" in await vim.hover(uri, 4, 6)


def test_a_file_that_breaks_the_analysis_breaks_nothing_else(tmp_path: Path) -> None:
    """A bug is logged, with what to do, and the server goes on."""
    code = (
        "import sys, asgiway_lint.cli as cli, asgiway_lint.server.knowledge as knowledge\n"
        "check = knowledge.Knowledge.check\n"
        "def broken(self, path):\n"
        "    if path.endswith('bad.py'): raise ZeroDivisionError('a bug')\n"
        "    return check(self, path)\n"
        "knowledge.Knowledge.check = broken\n"
        "sys.exit(cli.main())"
    )

    def opened(name: str) -> dict[str, Any]:
        uri = (tmp_path / name).as_uri()
        document = {"uri": uri, "languageId": "python", "version": 1, "text": BLOCKING}
        return {"method": "textDocument/didOpen", "params": {"textDocument": document}}

    def hover(number: int, name: str) -> dict[str, Any]:
        document = {"uri": (tmp_path / name).as_uri()}
        position = {"line": 4, "character": 6}
        return {
            "id": number,
            "method": "textDocument/hover",
            "params": {"textDocument": document, "position": position},
        }

    running = subprocess.Popen(
        [sys.executable, "-c", code, "server"],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(
        framed(INITIALIZE, {"method": "initialized", "params": {}}, opened("bad.py"), opened("good.py"))
    )
    running.stdin.write(framed(hover(7, "bad.py"), hover(8, "good.py")))
    running.stdin.flush()
    answers: dict[int, dict[str, Any]] = {}
    logged: list[str] = []
    while 8 not in answers:
        length = 0
        while (line := running.stdout.readline()) != b"\r\n":
            assert line, running.communicate()
            if line.startswith(b"Content-Length: "):
                length = int(line[16:])
        message = json.loads(running.stdout.read(length))
        logged += [message["params"]["message"]] if message.get("method") == "window/logMessage" else []
        if "id" in message:
            answers[message["id"]] = message
    _, complaint = running.communicate(
        framed({"id": 9, "method": "shutdown"}, {"method": "exit"}), timeout=4 * PATIENCE
    )
    assert running.returncode == 0
    assert "error" in answers[7]
    assert "AW101" in json.dumps(answers[8]["result"])
    assert complaint.count(b"bad.py cannot be checked: this is a bug in asgiway-lint; please report it") == 1
    assert b"ZeroDivisionError: a bug" in complaint
    assert ["ZeroDivisionError: a bug" in each for each in logged] == [True]


def test_the_end_does_not_wait_for_an_analysis(tmp_path: Path) -> None:
    code = (
        "import sys, time, asgiway_lint.cli as cli, asgiway_lint.server.knowledge as knowledge\n"
        "def endless(self, path, **more):\n"
        "    while True: time.sleep(0.01)\n"
        "knowledge.Knowledge.current = endless\n"
        "sys.exit(cli.main())"
    )
    document = {"uri": (tmp_path / "a.py").as_uri(), "languageId": "python", "version": 1, "text": BLOCKING}
    opened = {"method": "textDocument/didOpen", "params": {"textDocument": document}}
    started = {"method": "initialized", "params": {}}
    ran = serve(
        framed(INITIALIZE, started, opened, {"id": 2, "method": "shutdown"}, {"method": "exit"}), tmp_path, "-c", code
    )
    assert ran.returncode == 0
    assert serve(framed(INITIALIZE, started, opened), tmp_path, "-c", code).returncode == 1


def started(cwd: Path, **messages: Any) -> subprocess.Popen[bytes]:
    """A server that has answered `initialize`, and then waits."""
    running = subprocess.Popen(
        [sys.executable, "-m", "asgiway_lint", "server"],
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    initialize = {**INITIALIZE, "params": {"capabilities": {}, "processId": None, "rootUri": None, **messages}}
    running.stdin.write(framed(initialize, {"method": "initialized", "params": {}}))
    running.stdin.flush()
    assert running.stdout.readline().startswith(b"Content-Length: ")
    return running


def ended(running: subprocess.Popen[bytes]) -> tuple[int, bytes]:
    """How it ends by itself, and what it complains of; its standard input stays open."""
    try:
        code = running.wait(4 * PATIENCE)
    finally:
        running.kill()
    assert running.stdin is not None
    assert running.stderr is not None
    with running:
        return code, running.stderr.read()


@pytest.mark.skipif(sys.platform == "win32", reason="no signals")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_ends_it_though_the_client_is_still_there(tmp_path: Path, name: str) -> None:
    """Ctrl-C was lost: the thread that waits for the client cannot be ended."""
    running = started(tmp_path)
    running.send_signal(getattr(signal, name))
    assert ended(running) == (-getattr(signal, name), b"")


def test_a_client_that_takes_no_more_messages_is_gone(tmp_path: Path) -> None:
    running = started(tmp_path)
    assert running.stdout is not None
    assert running.stdin is not None
    running.stdout.close()
    running.stdin.write(framed({"id": 2, "method": "shutdown"}))
    running.stdin.flush()
    assert ended(running) == (1, b"warning: the client takes no more messages: Broken pipe\n")


@pytest.mark.skipif(sys.platform == "win32", reason="nobody to ask")
def test_a_client_whose_process_has_gone_is_gone(tmp_path: Path) -> None:
    """Another process of it may hold the pipe open. One that was never seen may be behind a container's wall."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as client:
        running = started(tmp_path, processId=client.pid)
        client.kill()
        client.wait()
        assert ended(running) == (1, b"warning: the client's process has gone\n")
    running = started(tmp_path, processId=client.pid)
    out, err = running.communicate(framed({"id": 2, "method": "shutdown"}, {"method": "exit"}), timeout=4 * PATIENCE)
    assert (running.returncode, err) == (0, b"")
    assert b'"id": 2' in out


def test_what_is_no_message_is_told_in_a_line_and_ends_nothing(tmp_path: Path) -> None:
    nonsense = (
        b"Content-Length: 5\r\n\r\nhello" + framed({"method": "textDocument/didOpen", "params": {}}) + framed({"a": 1})
    )
    ran = serve(framed(INITIALIZE) + nonsense + framed({"id": 2, "method": "shutdown"}, {"method": "exit"}), tmp_path)
    assert ran.returncode == 0
    complaints = ran.stderr.decode().splitlines()
    assert len(complaints) == 3
    assert all(each.startswith("error: a message of the client is not understood: ") for each in complaints)
    assert serve(b"garbage\r\n\r\n" + b"X" * 1_000_000, tmp_path).stderr == b""
    huge = serve(b"Content-Length: 99999999999999999\r\n\r\n{}", tmp_path)
    assert huge.returncode == 1
    assert b"Traceback" not in huge.stderr


@pytest.mark.parametrize("command", ["check", "rule"])
def test_nobody_else_pays_for_the_server(tmp_path: Path, command: str) -> None:
    (tmp_path / "a.py").write_text(BLOCKING)
    arguments = {"check": ["check", "--no-cache", "a.py"], "rule": ["rule", "AW101"]}[command]
    code = (
        "import sys, asgiway_lint.cli as cli\n"
        f"cli.main({arguments!r})\n"
        "sys.exit(any(n.partition('.')[0] in ('pygls', 'lsprotocol') or n.startswith('asgiway_lint.server') for n in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False, timeout=PATIENCE)
    assert ran.returncode == 0, ran.stderr
