"""`--diff-base`: findings on changed lines, asked of a real git: branches, uncommitted work, renames, worktrees, odd names."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from asgiway_lint.changes import parse_diff
from tests.linter.cli_support import GOOD, Lint, write

SLEEPS = "import time\n\n\nasync def one():\n    time.sleep(1)\n\n\nasync def two():\n    time.sleep(2)\n"


def git(*arguments: str | Path, cwd: Path) -> str:
    who = {f"GIT_{role}_{what}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    ran = subprocess.run(
        ["git", "-c", "init.defaultBranch=main", "-c", "commit.gpgsign=false", *arguments],
        cwd=cwd,
        env={**environment, **who},
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout


def commit(root: Path) -> None:
    git("add", "-A", cwd=root)
    git("commit", "-q", "-m", "x", cwd=root)


@pytest.fixture
def branch(lint: Lint, tmp_path: Path) -> Path:
    """A repository on branch `work` of `main`, in which a.py has two findings."""
    git("init", "-q", cwd=tmp_path)
    write(tmp_path, a_py=SLEEPS, b_py=SLEEPS, _gitignore="", good_py=GOOD)
    (tmp_path / ".gitignore").write_text(".asgiway_lint_cache\nignored.py\n")
    commit(tmp_path)
    git("checkout", "-q", "-b", "work", cwd=tmp_path)
    return tmp_path


def shown(lint: Lint, *arguments: str) -> list[str]:
    """Return path, line and code of what is shown."""
    lines = lint("check", "--diff-base", "main", *arguments).out.splitlines()
    return [f"{line.split(':')[0]}:{line.split(':')[1]} {line.split()[1]}" for line in lines if ": AW" in line]


def test_nothing_has_changed(lint: Lint, branch: Path) -> None:
    assert shown(lint) == []
    assert lint("check", "--diff-base", "main").code == 0
    assert lint("check").code == 1


def test_committed_staged_unstaged_and_new(lint: Lint, branch: Path) -> None:
    a, b = branch / "a.py", branch / "b.py"
    a.write_text("# moved\n" + SLEEPS.replace("sleep(1)", "sleep(1.5)"))
    commit(branch)
    assert shown(lint) == ["a.py:6 AW101"]
    b.write_text(SLEEPS.replace("sleep(2)", "sleep(2.5)"))
    assert shown(lint) == ["a.py:6 AW101", "b.py:9 AW101"]
    git("add", "b.py", cwd=branch)
    assert shown(lint) == ["a.py:6 AW101", "b.py:9 AW101"]
    write(branch, sub__new_py=SLEEPS)
    assert shown(lint) == ["a.py:6 AW101", "b.py:9 AW101", "sub/new.py:5 AW101", "sub/new.py:9 AW101"]
    assert lint("check", "--diff-base", "main").code == 1


def test_what_main_has_got_since_is_no_change_of_the_branch(lint: Lint, branch: Path) -> None:
    """The merge base counts, not the tip."""
    git("checkout", "-q", "main", cwd=branch)
    (branch / "a.py").write_text(GOOD)
    commit(branch)
    git("checkout", "-q", "work", cwd=branch)
    assert shown(lint) == []
    (branch / "b.py").write_text(SLEEPS.replace("sleep(1)", "sleep(9)"))
    commit(branch)
    assert shown(lint) == ["b.py:5 AW101"]


def test_a_removed_line_concerns_nothing(lint: Lint, branch: Path) -> None:
    (branch / "a.py").write_text(SLEEPS.replace("    time.sleep(1)\n", "    pass\n"))
    assert shown(lint) == []
    (branch / "a.py").write_text(SLEEPS.replace("import time\n\n\n", "import time\n\n"))
    assert shown(lint) == []


def test_a_call_counts_with_all_its_lines(lint: Lint, branch: Path) -> None:
    source = "import requests\n\n\nasync def f(url):\n    requests.post(\n        url,\n        json=1,\n    )\n"
    write(branch, a_py=source)
    commit(branch)
    git("branch", "-f", "main", cwd=branch)
    write(branch, a_py=source.replace("json=1", "json=2"))
    assert shown(lint) == ["a.py:5 AW102"]


def test_a_change_in_a_helper_shows_the_coroutine_that_it_makes_block(lint: Lint, branch: Path) -> None:
    write(
        branch,
        helpers_py="import time\n\n\ndef wait():\n    pass\n",
        c_py="import helpers\n\n\nasync def f():\n    helpers.wait()\n",
    )
    commit(branch)
    git("branch", "-f", "main", cwd=branch)
    assert shown(lint) == []
    write(branch, helpers_py="import time\n\n\ndef wait():\n    time.sleep(1)\n")
    assert shown(lint) == ["c.py:5 AW101"]


def test_findings_about_a_file_count_when_any_of_it_has_changed(lint: Lint, branch: Path) -> None:
    write(branch, a_py="x = 1\n" + SLEEPS + "\n\nx = (\n")
    assert shown(lint) == ["a.py:13 AW001"]
    write(branch, a_py="y = 1\n" * 30 + "async def f(:\n")
    assert [line.split()[1] for line in shown(lint)] == ["AW001"]


def test_a_renamed_file_has_changed_where_it_has_changed(lint: Lint, branch: Path) -> None:
    git("mv", "a.py", "renamed.py", cwd=branch)
    assert shown(lint) == []
    (branch / "renamed.py").write_text(SLEEPS.replace("sleep(1)", "sleep(3)"))
    commit(branch)
    assert shown(lint) == ["renamed.py:5 AW101"]


@pytest.mark.parametrize("name", ["a b.py", "tab\there.py", 'quote".py', "back\\slash.py", "ünï.py", "new\nline.py"])
def test_odd_names(lint: Lint, branch: Path, name: str) -> None:
    (branch / name).write_text(SLEEPS)
    git("add", "-A", cwd=branch)
    assert len(shown(lint, name)) == 2
    assert lint("check", "--diff-base", "main", name).code == 1
    commit(branch)
    git("branch", "-f", "main", cwd=branch)
    assert lint("check", "--diff-base", "main", name).code == 0
    (branch / name).write_text(SLEEPS.replace("sleep(2)", "sleep(3)"))
    assert lint("check", "--diff-base", "main", name).out.splitlines()[-2] == "Found 1 error."


def test_content_that_looks_like_a_diff(lint: Lint, branch: Path) -> None:
    text = '"""\n++ b/b.py\n@@ -1 +1,99 @@\ndiff --git a/b.py b/b.py\n"""\n'
    (branch / "a.py").write_text(text + SLEEPS)
    assert shown(lint) == []
    (branch / "a.py").write_text(SLEEPS + text.rstrip("\n"))
    assert shown(lint) == []


def test_the_users_git_configuration_does_not_matter(lint: Lint, branch: Path) -> None:
    for setting in (
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.external", "false"),
        ("color.ui", "always"),
        ("diff.context", "10"),
        ("diff.interHunkContext", "10"),
        ("diff.relative", "true"),
        ("core.quotePath", "true"),
    ):
        git("config", *setting, cwd=branch)
    (branch / ".gitattributes").write_text("*.py -diff\n")
    (branch / "a.py").write_text(SLEEPS.replace("sleep(2)", "sleep(3)"))
    assert shown(lint) == ["a.py:9 AW101"]


def test_from_a_subfolder_and_through_a_link(lint: Lint, branch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(branch, sub__c_py=SLEEPS)
    (branch / "a.py").write_text(SLEEPS.replace("sleep(2)", "sleep(3)"))
    monkeypatch.chdir(branch / "sub")
    assert shown(lint) == ["c.py:5 AW101", "c.py:9 AW101"]
    link = branch.parent / f"{branch.name}-link"
    link.symlink_to(branch)
    monkeypatch.chdir(link)
    assert len(shown(lint)) == 3


def test_in_a_linked_worktree(lint: Lint, branch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 5: changed lines work in a git worktree, whose .git is a file."""
    place = branch.parent / f"{branch.name}-worktree"
    git("worktree", "add", "-q", "-b", "other", place, "main", cwd=branch)
    monkeypatch.chdir(place)
    assert shown(lint) == []
    (place / "a.py").write_text(SLEEPS.replace("sleep(2)", "sleep(3)"))
    assert shown(lint) == ["a.py:9 AW101"]


def test_before_the_first_commit_of_an_ignored_file_and_with_a_tag(lint: Lint, branch: Path) -> None:
    write(branch, ignored_py=SLEEPS)
    assert shown(lint, "ignored.py") == [], "git ignores it, so it is no part of the branch"
    git("tag", "v1", cwd=branch)
    assert lint("check", "--diff-base", "v1").code == 0
    assert lint("check", "--diff-base", "HEAD").code == 0


def test_together_with_the_baseline_and_formats(lint: Lint, branch: Path) -> None:
    lint("baseline", "create", "--baseline", "known.json")
    (branch / "a.py").write_text(SLEEPS.replace("sleep(2)", "sleep(3)") + "    time.sleep(1)\n")
    assert shown(lint, "--baseline", "known.json") == ["a.py:9 AW101", "a.py:10 AW101"]
    assert lint("check", "--diff-base", "main", "--output-format", "github").out.count("::error ") == 2
    assert lint("check", "--diff-base", "main", "--add-noqa").err == "Added 2 noqa directives in 1 file.\n"


# --- mistakes -----------------------------------------------------------------------------------------------------------


def test_outside_of_git(lint: Lint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Issue 5: a clear error outside git."""
    write(tmp_path, a_py=SLEEPS)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    ran = lint("check", "--diff-base", "main")
    assert ran.code == 2
    assert ran.err.startswith(f"error: --diff-base: {tmp_path} is not inside of a git working tree")


def test_without_git(lint: Lint, branch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(branch))
    assert lint("check", "--diff-base", "main").err == "error: --diff-base needs git, and there is none on the PATH\n"


@pytest.mark.parametrize("revision", ["mian", "--output=x", "", "main:a.py"])
def test_an_unknown_revision(lint: Lint, branch: Path, revision: str) -> None:
    ran = lint("check", f"--diff-base={revision}")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: --diff-base: git knows no revision '{revision}'")
    assert ("(did you mean 'main'?)" in ran.err) == revision.startswith("m")
    assert not (branch / "x").exists()


def test_no_common_ancestor(lint: Lint, branch: Path) -> None:
    git("checkout", "-q", "--orphan", "alone", cwd=branch)
    write(branch, other_py="")
    commit(branch)
    ran = lint("check", "--diff-base", "main")
    assert ran.code == 2
    assert "finds no common ancestor of 'main' and HEAD; if this is a shallow clone, fetch more" in ran.err


def test_standard_input(lint: Lint, branch: Path) -> None:
    assert "--diff-base compares files" in lint("check", "-", "--diff-base", "main").err


# --- reading diffs ------------------------------------------------------------------------------------------------------


def test_parse_diff() -> None:
    diff = (
        b"diff --git a/a.py b/a.py\nindex 1..2 100644\n--- a/a.py\n+++ b/a.py\n"
        b"@@ -1 +1,2 @@ def f():\n-+++ b/fake.py\n+x\n+y\n@@ -9,2 +10,0 @@\n-a\n-b\n@@ -20 +20 @@\n-a\n"
        b"\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
        b'diff --git "a/\\303\\274\\t.py" "b/\\303\\274\\t.py"\nnew file mode 100644\n--- /dev/null\n'
        b'+++ "b/\\303\\274\\t.py"\n@@ -0,0 +1 @@\n+x\n'
        b"diff --git a/gone b/gone\ndeleted file mode 100644\n--- a/gone\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    )
    assert list(parse_diff(diff)) == [(b"a.py", ((1, 2), (20, 20))), ("ü\t.py".encode(), ((1, 1),))]
