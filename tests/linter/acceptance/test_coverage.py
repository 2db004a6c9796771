"""Nothing of linter-acceptance is forgotten: every row, every issue, every predicate and wrapper has a test that names it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from asgiway_lint.catalogue import load
from tests.linter.acceptance import test_wrappers

HERE = Path(__file__).parent
LINTER = HERE.parent

# Rows of the feature table that other tests prove: command line, fixes, formats, editor.
ELSEWHERE = {
    40: "acceptance/test_peers.py::test_user_defined_apis",
    41: "test_fix_command.py::test_unsafe_fixes_have_to_be_asked_for",
    42: "fixes/test_httpx_programs.py::test_a_program_does_the_same",
    43: "fixes/test_psycopg_programs.py::test_it_does_the_same_before_and_after",
    44: "fixes/test_imports.py::test_where_an_import_goes",
    45: "acceptance/test_peers.py::test_suggestions_speak_of_the_library_in_use",
    46: "test_fix_command.py::test_sarif_has_all_fixes",
    47: "report/test_consumers.py::test_github_annotations_come_back_as_they_were",
    48: "report/test_consumers.py::test_gitlab_has_what_its_documentation_asks_for",
    49: "report/test_consumers.py::test_junit_is_xml_with_a_failure_per_finding",
    50: "server/test_diagnostics.py::test_a_finding_is_shown_where_it_is_with_code_severity_and_source",
    51: "test_baseline.py::test_create_then_nothing_is_new",
    52: "test_changes.py::test_committed_staged_unstaged_and_new",
    53: "test_cli.py::test_rule_selection",
    54: "test_filtering.py::test_unused_suppressions",
    55: "test_cli.py::test_rule",
    56: "test_cli.py::test_standard_input_with_a_name_is_treated_as_that_file",
    57: "test_cli.py::test_cache_and_clean",
    58: "test_cli.py::test_jobs_do_not_change_the_result",
    61: "test_config.py::test_nearest_file_holds_and_a_pyproject_without_our_table_is_passed_by",
    62: "facts/test_lowering.py::test_syntax_newer_than_the_interpreter_is_read",
    63: "test_precommit.py::test_the_manifest_is_valid_and_promises_what_exists",
    64: "test_cli.py::test_min_severity_decides_about_the_exit_code",
    65: "acceptance/test_features.py::test_helpers_of_the_module",
}
NOT_OURS = {
    39: "un-awaited coroutines are type checkers' and ruff's (RUF006); none of the published codes is about them",
    59: "the editor shows findings as one types; the command line has no watch mode",
    60: "notebooks are not read",
}
_ISSUES = """
    flake8-async#304 flake8-async#396 flake8-async#467 flake8-async#185 flake8-async#230 flake8-async#58 flake8-async#85
    flake8-async-archive#11 flake8-async-archive#4
    ruff#7807 ruff#8451 ruff#28040 ruff#23425 ruff#23426 ruff#28063 ruff#28187 ruff#28015 ruff#28012 ruff#6892 ruff#9703 ruff#14806
    ruff#19294 ruff#28008 ruff#1149 ruff#12591 ruff#19962
    kurigram#438 N.E.K.O#842 claude_skills#334 claude_skills#336 ert#12325 AstrBot#5729 ArcReel#2234 agentfield#620 agentfield#812
    infrahub#4970
    SONARPY-2965 S7488 mcp-context-forge#2164 plugwise#762 semgrep#8897 semgrep#10571 semgrep#9072 terrapod#422 bamf#217
    blockbuster#57 blockbuster#58 blockbuster#70 blockbuster#45 httpx#3486 fastapi#13290 pyleak#7 mypy#12649 mypy#2499
    open-webui#11233 sparkth#386 taskdog#1090 mem0#6355 orchestrator-core#1692 xagent#2237
    channels#1464 dj-bolt#92 casbin#30 reactpy-django#79 agno#7112 agents-aea#1245
"""
ISSUES = re.findall(r"\S+", _ISSUES)
# They are about the peers themselves, not about what a linter says of code.
ABOUT_PEERS = {
    "blockbuster#69": "coverage of their own tests",
    "pyleak#14": "false warnings of a combined run-time detector",
    "pyleak#12": "scoping of files at run time",
    "Fixit#445": "code actions of their server",
    "Fixit#575": "the same",
}
PREDICATES = [
    "queue.get and put", "lock.acquire", "Event.wait(0)", "Future.result() after done()", "select(..., 0)", "psutil.cpu_percent",
    "SMTP() without host", "setblocking(False) or settimeout(0)", "resolve by type, not by method name", "lazy QuerySet methods", "FK attribute access",
    "time.sleep(0)", "generators",
]  # fmt: skip
WRAPPERS = [
    "asyncio.to_thread", "loop.run_in_executor", "anyio.to_thread.run_sync", "anyio.to_process.run_sync", "trio.to_thread.run_sync",
    "asgiref.sync_to_async", "channels.db.database_sync_to_async", "starlette.concurrency.run_in_threadpool",
    "fastapi.concurrency.run_in_threadpool", "asyncer.asyncify", "hass.async_add_executor_job", "concurrent Executor.submit",
    "threading.Thread(target=)", "multiprocessing.Process(target=)", "AsyncSession.run_sync", "AsyncConnection.run_sync",
]  # fmt: skip


def named_tests(path: Path) -> dict[str, str]:
    """Name and docstring of the tests in a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return {
        node.name: ast.get_docstring(node) or ""
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def docstrings(name: str) -> Iterator[str]:
    yield from named_tests(HERE / name).values()


def test_every_row_of_the_feature_table_has_a_test() -> None:
    named = {int(row) for text in docstrings("test_features.py") for row in re.findall(r"^Row (\d+): ", text)}
    assert named.isdisjoint(ELSEWHERE)
    assert named.isdisjoint(NOT_OURS)
    assert sorted(named | ELSEWHERE.keys() | NOT_OURS.keys()) == list(range(1, 66))


@pytest.mark.parametrize("place", ELSEWHERE.values(), ids=[f"row {row}" for row in ELSEWHERE])
def test_the_tests_elsewhere_exist(place: str) -> None:
    path, _, name = place.partition("::")
    assert name in named_tests(LINTER / path)


def test_every_issue_of_the_peers_has_a_test() -> None:
    named = " ".join(docstrings("test_peers.py"))
    assert [issue for issue in ISSUES if not re.search(rf"{re.escape(issue)}\b", named)] == []
    assert "flake8-async 26.4.2" in named
    assert "flake8-async eval files" in named
    assert "flake8-async default" in named
    assert "sonar-python fixtures" in named


def test_every_predicate_and_wrapper_has_a_test() -> None:
    texts = " ".join(docstrings("test_predicates.py"))
    assert [predicate for predicate in PREDICATES if predicate not in texts] == []
    assert [wrapper for wrapper in WRAPPERS if wrapper not in test_wrappers.CALLS] == []
    assert "iterate_in_threadpool" in " ".join(docstrings("test_wrappers.py"))


def test_every_test_says_what_it_is_about() -> None:
    for name, form in {
        "test_features.py": r"Row \d+: .",
        "test_peers.py": r"[\w.-]+(?:#\d+|: | \S)",
        "test_predicates.py": r"Predicate: .",
        "test_wrappers.py": r"Wrapper: .",
    }.items():
        assert [text for text in docstrings(name) if not re.match(form, text)] == []


def test_every_wrapper_of_the_catalogue_is_in_the_list_or_beside_it() -> None:
    """A wrapper that somebody adds to the data gets a test here, or is named with the place where it is tried."""
    beside = {
        "asgiref.sync.SyncToAsync", "channels.db.DatabaseSyncToAsync", "asyncer._main.asyncify", "fastapi.BackgroundTasks.add_task",
        "starlette.background.BackgroundTask", "starlette.background.BackgroundTasks.add_task", "concurrent.futures.Executor.map",
        "threading.Timer", "multiprocessing.pool.Pool.apply_async", "multiprocessing.pool.Pool.map_async",
        "multiprocessing.pool.Pool.starmap_async", "anyio.to_interpreter.run_sync", "quart.utils.run_sync",
        "sqlmodel.ext.asyncio.session.AsyncSession.run_sync", "tornado.concurrent.run_on_executor", "tornado.ioloop.IOLoop.run_in_executor",
        "homeassistant.core.HomeAssistant.async_add_import_executor_job", "starlette.concurrency.iterate_in_threadpool",
        "fastapi.concurrency.iterate_in_threadpool",
    }  # fmt: skip
    tried = " ".join(f"{imports} {call}" for imports, call in test_wrappers.CALLS.values())
    names = [wrapper.name for wrapper in load().wrappers()]
    left = [name for name in names if name not in beside and name.rpartition(".")[2] not in tried]
    assert left == []
