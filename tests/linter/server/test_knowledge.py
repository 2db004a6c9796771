"""What the analysis thread knows is what a fresh run over the same texts would find, after any sequence of edits."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asgiway_lint.analysis.session import Session
from asgiway_lint.config import Settings
from asgiway_lint.filtering import filter_findings
from asgiway_lint.project.store import Store
from asgiway_lint.server.knowledge import Document, Knowledge
from asgiway_lint.server.store import Cancelled, LiveStore
from asgiway_lint.server.texts import encode

NAMES = ("a", "b", "c", "d")
BODIES = (
    "pass",
    "time.sleep(1)",
    "requests.get('x')",
    "a.run()",
    "b.run()",
    "c.run()",
    "d.run()",
    "other()",
    "(",
    "pass  # noqa: AW101",
)


def text(first: str, second: str, spare: bool) -> str:
    """A module with a coroutine and two helpers."""
    head = "# spare\n" if spare else ""
    return (
        f"{head}import time, requests\nimport a, b, c, d\n\n\nasync def main():\n    run()\n    {first}\n\n\n"
        f"def run():\n    {second}\n\n\ndef other():\n    open('x')\n"
    )


SLEEPS, IDLE = text("pass", "time.sleep(1)", False), text("pass", "pass", True)
TEXTS = st.builds(text, st.sampled_from(BODIES), st.sampled_from(BODIES), st.booleans())
STEPS = st.lists(
    st.tuples(st.sampled_from(("put", "write", "drop", "delete", "noop")), st.sampled_from(NAMES), TEXTS), max_size=12
)


def fresh(root: Path, path: str, buffers: dict[str, str]) -> list[tuple[str, int, str]]:
    """What a run over the same texts finds."""
    given = {name: encode(content) for name, content in buffers.items()}
    unsaved = [name for name in buffers if not os.path.exists(name)]
    options = Settings.from_layers(root)
    report = Session(Store(None, "test", given), unsaved).check(path, options)
    shown = filter_findings(path, report.findings, report.directives, options)
    return sorted((each.code, each.line, each.message) for each in shown.findings)


@settings(max_examples=60, deadline=None)
@given(STEPS)
@example([("write", "b", SLEEPS)])
@example([("put", "b", SLEEPS), ("drop", "b", "")])
@example([("write", "b", SLEEPS), ("delete", "b", "")])
@example(
    [("write", "b", text("pass", "c.run()", False)), ("put", "c", SLEEPS), ("write", "c", IDLE), ("drop", "c", "")]
)
def test_after_any_edits_it_says_what_a_fresh_run_says(steps: list[tuple[str, str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        knowledge = Knowledge(threading.Event())
        knowledge.folders([folder])
        buffers: dict[str, str] = {}
        for number, (step, name, content) in enumerate([("put", "a", text("b.run()", "pass", False)), *steps]):
            path = str(root / f"{name}.py")
            if step == "put" or (step == "drop" and name == "a"):
                buffers[path] = content
                knowledge.put(Document(path, number, content))
            elif step == "write":
                (root / f"{name}.new").write_text(content)
                os.replace(root / f"{name}.new", path)  # always another inode: the clock may be too coarse to tell
            elif step == "drop":
                buffers.pop(path, None)
                knowledge.drop(path)
            elif step == "delete":
                Path(path).unlink(missing_ok=True)
            stale = set(knowledge.stale(disk=True))
            for each in buffers:
                before = knowledge._results.get(each)
                checked = knowledge.current(each, disk=True)
                assert checked is not None
                if each in stale:
                    assert checked is not before
                elif before is not None and before.document is knowledge._documents[each]:
                    assert checked is before  # and no other file has been checked again
                # Half-typed texts are judged by what they were: see the next test.
                if all("    (\n" not in known for known in buffers.values()):
                    found = sorted((one.code, one.line, one.message) for one in checked.findings)
                    assert found == fresh(root, each, buffers)


def test_a_half_typed_helper_is_what_it_was_until_it_can_be_read_again(tmp_path: Path) -> None:
    knowledge = Knowledge(threading.Event())
    knowledge.folders([str(tmp_path)])
    main, helper = str(tmp_path / "a.py"), str(tmp_path / "b.py")
    knowledge.put(Document(main, 1, "import b\n\n\nasync def f():\n    b.g()\n"))

    def found(content: str) -> list[str]:
        knowledge.put(Document(helper, 1, content))
        checked = knowledge.current(main)
        assert checked is not None
        return [each.code for each in checked.findings]

    assert found("import time\n\n\ndef g():\n    time.sleep(1)\n") == ["AW101"]
    assert found("import time\n\n\ndef g(:\n    time.sleep(1)\n") == ["AW101"]
    assert found("import time\n\n\ndef g():\n    pass\n") == []
    assert found("import time\n\n\ndef g(:\n    time.sleep(1)\n") == []


def test_a_check_that_is_stopped_says_so_and_the_next_one_is_whole(tmp_path: Path) -> None:
    stop = threading.Event()
    knowledge = Knowledge(stop)
    knowledge.folders([str(tmp_path)])
    (tmp_path / "b.py").write_text("import time\n\n\ndef g():\n    time.sleep(1)\n")
    main = str(tmp_path / "a.py")
    knowledge.put(Document(main, 1, "import b\n\n\nasync def f():\n    b.g()\n"))
    stop.set()
    with pytest.raises(Cancelled):
        knowledge.current(main)
    stop.clear()
    checked = knowledge.current(main)
    assert checked is not None
    assert [each.code for each in checked.findings] == ["AW101"]


def test_another_text_for_a_moment_leaves_no_trace(tmp_path: Path) -> None:
    knowledge = Knowledge(threading.Event())
    knowledge.folders([str(tmp_path)])
    main, helper = str(tmp_path / "a.py"), str(tmp_path / "b.py")
    document = Document(helper, 1, "import time\n\n\ndef g():\n    time.sleep(1)\n\n\nasync def f():\n    g()\n")
    knowledge.put(Document(main, 1, "import b\n\n\nasync def f():\n    b.g()\n"))
    knowledge.put(document)
    before = knowledge.current(main), knowledge.current(helper)
    assert knowledge.recheck(document, b"def g(): pass\nasync def f(): g()\n") == ()
    assert (knowledge.current(main), knowledge.current(helper)) == before


def test_a_file_is_read_again_when_it_has_changed_and_only_then(tmp_path: Path) -> None:
    store = LiveStore(threading.Event())
    path = tmp_path / "a.py"
    path.write_text("x = 1\n")
    store.begin()
    first = store.facts(str(path))
    store.begin()
    assert store.facts(str(path)) is first
    path.write_text("x = 1; y = 2\n")
    assert store.facts(str(path)) is first  # one look per round
    store.begin()
    second = store.facts(str(path))
    assert second is not None
    assert second is not first
    path.unlink()
    store.begin()
    assert store.facts(str(path)) is None
    assert store.grounds() == {str(path): ()}
