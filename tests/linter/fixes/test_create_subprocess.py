"""`subprocess.run` -> `asyncio.create_subprocess_exec`, `run_process` of anyio and trio: real processes do the same (acceptance row 30)."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import anyio
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgiway_lint.comments import find_comments
from asgiway_lint.fixes.model import Applicability, Fix, Refusal
from tests.linter.fixes.files_support import outcome, program, rewritten, settings_for
from tests.linter.fixes.support import applied, fixed, in_coroutine, offers, with_library

IMPORTS = """\
import json
import subprocess
import sys
from pathlib import Path

SAYS = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(int(sys.argv[1]))"
ECHOES = "import sys; sys.stdout.write(sys.stdin.read())"
"""
PROGRAMS = {
    "captured": """
        return subprocess.run([sys.executable, "-c", SAYS, "3"], capture_output=True)
        """,
    "one_stream": """
        result = subprocess.run([sys.executable, "-c", SAYS, "0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return result
        """,
    "errors_only": """
        return subprocess.run([sys.executable, "-c", SAYS, "0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        """,
    "together": """
        return subprocess.run([sys.executable, "-uc", SAYS, "0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        """,
    "checked": """
        subprocess.run([sys.executable, "-c", SAYS, "4"], capture_output=True, check=True)
        """,
    "checked_well": """
        result = subprocess.run(
            [sys.executable, "-c", SAYS, "0"],
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        return result.returncode, result.stdout.decode().strip()
        """,
    "check_call": """
        return subprocess.check_call([sys.executable, "-c", "1"]), subprocess.DEVNULL
        """,
    "check_call_fails": """
        subprocess.check_call([sys.executable, "-c", SAYS, "5"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        """,
    "check_output": """
        return len(subprocess.check_output([sys.executable, "-c", SAYS, "0"], stderr=subprocess.DEVNULL).strip()) + 1
        """,
    "check_output_fails": """
        try:
            out = subprocess.check_output([sys.executable, "-c", SAYS, "6"], stderr=subprocess.PIPE)
        except subprocess.CalledProcessError as error:
            return error.returncode, error.cmd, error.output, error.stdout, error.stderr
        return out
        """,
    "call": """
        if subprocess.call(["false"]) != 0:
            return "failed"
        return "worked"
        """,
    "signal": """
        return subprocess.run(["sh", "-c", "kill -9 $$"]).returncode
        """,
    "missing": """
        return subprocess.run(["/no/such/program"], capture_output=True)
        """,
    "missing_folder": """
        return subprocess.run(["true"], cwd=folder / "missing")
        """,
    "folder": """
        (folder / "new").mkdir()
        subprocess.run(["touch", "a", folder / "b"], cwd=folder / "new")
        return subprocess.run(["env"], stdout=subprocess.PIPE, env={"A": "1"}, cwd=str(folder)).stdout
        """,
    "names": """
        command = [sys.executable, "-c"]
        command += [SAYS]
        more = ["0"]
        lines = []
        for line in subprocess.check_output([*command, *more], stderr=subprocess.DEVNULL).splitlines():
            lines.append(line)
        arguments = command + more
        done = subprocess.run(arguments, capture_output=True)
        return lines, done.args, done.stdout
        """,
    "taken": """
        process, stdout, _ = 1, 2, 3
        result = subprocess.run(["echo", "a"], stdout=subprocess.PIPE)
        return process, stdout, _, result.stdout
        """,
    "shell": """
        return subprocess.check_output("echo a | tr a b; exit 0", shell=True)
        """,
    "shell_fails": """
        subprocess.run("exit 3", shell=True, check=True)
        """,
    "large": """
        return subprocess.run(
            [sys.executable, "-c", "import sys; sys.stdout.write('x' * 300000); sys.stderr.write('y' * 300000)"],
            capture_output=True,
        )
        """,
    "walrus": """
        if (found := subprocess.run(["echo", "b"], stdout=subprocess.PIPE)).returncode:
            return None
        return found.stdout
        """,
    "not_read": """
        subprocess.check_output(["echo", "c"])
        subprocess.run(["echo", "c"], capture_output=True)
        return json.loads(subprocess.check_output(["echo", "[1]"]))
        """,
}
TEXTS = {
    "text": """
        result = subprocess.run([sys.executable, "-c", SAYS, "1"], capture_output=True, text=True)
        return result.stdout.strip(), result.stderr, result.returncode
        """,
    "encoding": """
        out = subprocess.check_output(["printf", "\\\\351"], encoding="latin-1", errors="strict").upper()
        more = subprocess.run(["printf", "\\\\351"], stdout=subprocess.PIPE, text=True, errors="replace").stdout
        return out, more
        """,
}
INPUTS = {
    "sum": """
        sent = "a" + str(folder.name)
        first = subprocess.check_output(["cat"], input="b" * 2 + sent, text=True)
        second = subprocess.check_output(["cat"], input=sent, encoding="utf-8")
        return first, second, subprocess.DEVNULL
        """,
    "input": """
        data = b"x" * 200_000
        return subprocess.run([sys.executable, "-c", ECHOES], input=data, stdout=subprocess.PIPE)
        """,
    "no_input": """
        return subprocess.run([sys.executable, "-c", ECHOES], input=b"", stdout=subprocess.PIPE)
        """,
    "unread_input": """
        data = b"x" * 1_000_000
        return subprocess.run(["true"], input=data).returncode
        """,
    "text_input": """
        number = 3
        return subprocess.run([sys.executable, "-c", ECHOES], input=f"é{number}", stdout=subprocess.PIPE, encoding="utf-8").stdout
        """,
}
ASYNCIO = {
    "text_whole": """
        return subprocess.run([sys.executable, "-c", SAYS, "1"], capture_output=True, text=True)
        """,
    "text_fails": """
        subprocess.run([sys.executable, "-c", SAYS, "1"], capture_output=True, text=True, check=True)
        """,
}
LIBRARIES = [("default", "asyncio"), ("anyio", "asyncio"), ("anyio", "trio"), ("trio", "trio")]
CASES = [
    *((name, body, *each) for name, body in (PROGRAMS | TEXTS).items() for each in LIBRARIES),
    *((name, body, *each) for name, body in INPUTS.items() for each in LIBRARIES if each[0] != "anyio"),
    *((name, body, *LIBRARIES[0]) for name, body in ASYNCIO.items()),
]


@pytest.mark.parametrize(
    ("body", "library", "backend"), [pytest.param(*case[1:], id="-".join((case[0], *case[2:]))) for case in CASES]
)
def test_a_program_does_the_same(body: str, library: str, backend: str, tmp_path: Path) -> None:
    text = program(body, IMPORTS)
    new = rewritten(text, "create-subprocess", library)
    assert "to_thread(subprocess" not in new
    assert "partial(subprocess" not in new
    assert outcome(new, tmp_path / "x", backend) == outcome(text, tmp_path / "x", backend)


def test_as_a_reviewer_sees_it() -> None:
    source = in_coroutine(
        "log = subprocess.run(['git', 'log', x], capture_output=True, check=True)  # all of it",
        "return log.stdout",
        imports="import asyncio\nimport subprocess",
    )
    assert fixed(source, unsafe=True) == in_coroutine(
        "process = await asyncio.create_subprocess_exec('git', 'log', x, stdout=subprocess.PIPE, stderr=subprocess.PIPE)",
        "stdout, stderr = await process.communicate()",
        "if process.returncode:",
        "    raise subprocess.CalledProcessError(process.returncode, ['git', 'log', x], stdout, stderr)",
        "log = subprocess.CompletedProcess(['git', 'log', x], process.returncode, stdout, stderr)  # all of it",
        "return log.stdout",
        imports="import asyncio\nimport subprocess",
    )
    assert fixed(source, unsafe=True, settings=with_library("anyio")) == in_coroutine(
        "log = await anyio.run_process(['git', 'log', x])  # all of it",
        "return log.stdout",
        imports="import asyncio\nimport subprocess\n\nimport anyio",
    )


def test_a_long_command_is_written_once() -> None:
    source = in_coroutine(
        "if x:",
        "    subprocess.check_call(",
        "        [",
        "            'git',",
        "            *x,",
        "        ],",
        "        cwd=x,",
        "    )",
        imports="import asyncio\nimport subprocess",
    )
    assert fixed(source, unsafe=True) == in_coroutine(
        "if x:",
        "    command = [",
        "        'git',",
        "        *x,",
        "    ]",
        "    process = await asyncio.create_subprocess_exec(*command, cwd=x)",
        "    await process.wait()",
        "    if process.returncode:",
        "        raise subprocess.CalledProcessError(process.returncode, command)",
        imports="import asyncio\nimport subprocess",
    )


def test_other_names_for_the_functions() -> None:
    source = in_coroutine("out = check_output([x])", imports="from subprocess import check_output")
    new = fixed(source, unsafe=True)
    assert "raise subprocess.CalledProcessError(process.returncode, [x], stdout)" in new
    assert "import subprocess\n" in new


def test_the_result_of_text_is_decoded_where_it_is_read() -> None:
    source = in_coroutine(
        "r = subprocess.run([x], capture_output=True, text=True)",
        "print(r.stdout, f'{r.stderr}', r.returncode)",
        imports="import anyio\nimport subprocess",
    )
    assert fixed(source, unsafe=True).endswith("print(r.stdout.decode(), f'{r.stderr.decode()}', r.returncode)\n")


def test_what_the_fix_says_of_itself() -> None:
    for library, words in (("default", "leaves the process running"), ("anyio", "kills the process now")):
        source = in_coroutine("subprocess.check_output([x], text=True)", imports="import subprocess")
        (offer, *_), *_ = offers(source, settings_for(library))
        assert isinstance(offer, Fix)
        assert offer.applicability is Applicability.UNSAFE
        assert words in offer.reason
        assert "UTF-8" in offer.notes[0]
        assert offer.requires == (() if library == "default" else ("anyio",))


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        ("subprocess.run([x], timeout=3)", "`timeout=` also kills the process"),
        ("subprocess.run(x)", "`x` is not certainly a list"),
        ("subprocess.run('ls')", "not certainly a list"),
        ("subprocess.run(f'ls {x}', shell=True)", "not a literal"),
        ("subprocess.run(['ls'], shell=True)", "not a literal"),
        ("subprocess.run([])", "empty"),
        ("subprocess.run(args=['ls'])", "not its first argument"),
        ("subprocess.run(*x)", "not its first argument"),
        ("subprocess.run(['ls'], **x)", "cannot be told"),
        ("subprocess.run(['ls'], -1)", "cannot be told"),
        ("subprocess.run(['ls'], check=x)", "may be true or not"),
        ("subprocess.run(['ls'], stdout=x)", "used by others"),
        ("subprocess.run(['ls'], stdin=subprocess.PIPE)", "used by others"),
        ("subprocess.call(['ls'], stdout=subprocess.PIPE)", "waits for ever"),
        ("subprocess.run(['ls'], input=x)", "not certainly bytes"),
        ("y = b''\ny = y + x\nsubprocess.run(['ls'], input=y)", "not certainly bytes"),
        ("y = x\ny = y + y\nsubprocess.run(y)", "not certainly a list"),
        ("subprocess.run(['ls'], input=b'', text=True)", "not certainly str"),
        ("subprocess.run(['ls'], encoding=x)", "no literal"),
        ("subprocess.run(['ls'], preexec_fn=x)", "`preexec_fn=` has no counterpart"),
        ("subprocess.run(['ls'], bufsize=0)", "`bufsize=` has no counterpart"),
        ("subprocess.run(['ls'  # all\n    ])", "comments"),
        ("y = 1 + subprocess.call(['ls'])", "come before it"),
        ("y = [subprocess.call(['ls']) for z in x]", "come before it"),
        ("y = x and subprocess.call(['ls'])", "come before it"),
        ("y = x(x(), subprocess.call(['ls']))", "come before it"),
        ("y += subprocess.call(['ls'])", "come before it"),
        ("assert subprocess.call(['ls']) == 0", "come before it"),
        ("while subprocess.call(['ls']): pass", "come before it"),
        ("if x: subprocess.call(['ls'])", "no line of its own"),
        ("if x: pass\nelif subprocess.call(['ls']): pass", "`elif`"),
        ("y = 1; subprocess.call(['ls'])", "no line of its own"),
        ("y = \\\n        subprocess.call(['ls'])", "another line"),
        ("y = any(subprocess.call(['ls']) for z in x)", "inside a generator expression"),
    ],
)
def test_refusals(call: str, reason: str) -> None:
    source = in_coroutine(*call.split("\n"), imports="import subprocess").replace("\n        ])", "\n    ])")
    found = [each for each in offers(source)[0] if each.name == "create-subprocess"]
    assert [type(each) for each in found] == [Refusal]
    assert reason in found[0].reason
    assert "create_subprocess" not in fixed(source, unsafe=True)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["subprocess.run([x], input=b'a')"], "gives an empty `input=`"),
        (["return subprocess.run([x], capture_output=True, text=True)"], "not only given a name"),
        (["r = subprocess.run([x], capture_output=True, text=True)", "return r"], "`r` is handed on"),
        (["r = subprocess.run([x], text=True)", "r.check_returncode()"], "`check_returncode` of it is used"),
        (["r = 1", "r = subprocess.run([x], text=True)", "print(r.stdout)"], "also bound"),
    ],
)
def test_refusals_of_one_call(lines: list[str], reason: str) -> None:
    source = in_coroutine(*lines, imports="import subprocess")
    found = [each for each in offers(source, with_library("anyio"))[0] if each.name == "create-subprocess"]
    assert [type(each) for each in found] == [Refusal]
    assert reason in found[0].reason


def test_popen_is_no_business_of_this_fixer() -> None:
    source = in_coroutine("subprocess.Popen([x]).wait()", "subprocess.getoutput('ls')", imports="import subprocess")
    assert all(each.name != "create-subprocess" for found in offers(source) for each in found)


def test_others_run_while_the_process_does() -> None:
    """What the fix is for: before it nothing else runs for a second."""
    source = program("subprocess.run(['sleep', '1'])", "import asyncio\nimport subprocess", "")
    names: dict[str, object] = {}
    exec(compile(rewritten(source, "create-subprocess"), "<program>", "exec"), names)

    async def both() -> float:
        task = asyncio.create_task(names["main"]())  # type: ignore[operator]
        started = time.monotonic()
        await asyncio.sleep(0.01)
        first = time.monotonic() - started
        await task
        return first

    assert asyncio.run(both()) < 0.9


@pytest.mark.parametrize(
    ("library", "backend", "lives"),
    [("default", "asyncio", True), ("anyio", "asyncio", False), ("anyio", "trio", False), ("trio", "trio", False)],
)
def test_what_becomes_of_the_process_of_a_cancelled_task(
    library: str, backend: str, lives: bool, tmp_path: Path
) -> None:
    """The fix's reason says so."""
    body = "subprocess.run(['sh', '-c', 'echo $$ > started; mv started pid; exec sleep 60'], cwd=folder)"
    names: dict[str, Any] = {}
    exec(
        compile(
            rewritten(program(body, "import subprocess\nfrom pathlib import Path"), "create-subprocess", library),
            "<program>",
            "exec",
        ),
        names,
    )

    async def cancelled() -> int:
        async with anyio.create_task_group() as group:
            group.start_soon(names["main"], tmp_path)
            while not (tmp_path / "pid").exists():
                await anyio.sleep(0.01)
            group.cancel_scope.cancel()
        pid = int((tmp_path / "pid").read_text())
        if not psutil.pid_exists(pid):
            return 0
        os.kill(pid, signal.SIGKILL)
        # asyncio has to hear of its end, or it warns of the transport.
        while psutil.pid_exists(pid) or any("waitpid" in thread.name for thread in threading.enumerate()):
            await anyio.sleep(0.01)
        await anyio.sleep(0.05)
        return 1

    assert bool(anyio.run(cancelled, backend=backend)) is lives


# ---- random calls

ARGUMENTS = st.lists(
    st.sampled_from(
        [
            "capture_output=True",
            "stdout=subprocess.PIPE",
            "stderr=subprocess.PIPE",
            "stderr=subprocess.STDOUT",
            "stdout=subprocess.DEVNULL",
            "stderr=subprocess.DEVNULL",
            "check=True",
            "check=False",
            "cwd=folder",
            "env={'A': 'é'}",
            "stdin=subprocess.DEVNULL",
            "text=True",
        ]
    ),
    max_size=4,
    unique_by=lambda text: text.partition("=")[0],
).filter(lambda found: "capture_output=True" not in found or not any(each.startswith("std") for each in found[:]))
COMMANDS = st.sampled_from(
    [
        "['sh', '-c', 'echo a; echo b >&2']",
        "['sh', '-c', 'pwd; exit 3']",
        "('printenv', 'A')",
        "[*['echo'], *words]",
        "words",
        "['no-such-program', 'a']",
    ]
)
PLACES = st.sampled_from(
    [
        "return {}",
        "r = {}  # why\nreturn r",
        "{}  # why\nreturn None",
        "r = {}\nreturn r.returncode",
        "if ({}).returncode:\n    return 1",
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    arguments=ARGUMENTS,
    command=COMMANDS,
    place=PLACES,
    function=st.sampled_from(["run", "run", "check_output"]),
    library=st.sampled_from(["default", "anyio", "trio"]),
    multiline=st.booleans(),
)
def test_random_calls_do_the_same(
    arguments: list[str], command: str, place: str, function: str, library: str, multiline: bool, tmp_path: Path
) -> None:
    if function == "check_output":
        arguments = [each for each in arguments if each.partition("=")[0] not in ("capture_output", "stdout", "check")]
        place = "return {}" if "returncode" in place else place
    parts = [command, *arguments]
    inside = "".join(f"\n        {part}," for part in parts) + "\n    " if multiline else ", ".join(parts)
    body = "words = ['echo', 'x y']\n" + place.format(f"subprocess.{function}({inside})")
    text = f"import subprocess\n\n\nasync def main(folder):\n    {body.replace(chr(10) + 'r', chr(10) + '    r').replace(chr(10) + '    return 1', chr(10) + '        return 1')}\n"
    text = text.replace("\nif ", "\n    if ").replace("\nsubprocess", "\n    subprocess").replace("\n(", "\n    (")
    compile(text, "<program>", "exec")
    chosen = settings_for(library)
    result = applied(text, unsafe=True, settings=chosen)
    assert result.dropped == ()
    new = result.source.decode()
    compile(new, "<program>", "exec")
    assert applied(new, unsafe=True, settings=chosen).source == result.source, "a second run changes nothing"
    assert Counter(each.text for each in find_comments(new)) == Counter(each.text for each in find_comments(text))
    backend = "trio" if library == "trio" else "asyncio"
    before, after = outcome(text, tmp_path / "x", backend), outcome(new, tmp_path / "x", backend)
    if (
        library != "default"
        and "text=True" in arguments
        and isinstance(before[0], tuple)
        and before[0][0] != "completed"
    ):
        return  # the error's `output` is bytes: the fix says so
    assert after == before
