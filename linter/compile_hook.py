"""Build hook: with ``ASGIWAY_COMPILE=1`` a wheel of asgiway-lint is built whose engine mypyc has compiled.

Without it, and in every editable install, the package is plain Python. The same sources, the same findings: the compiled engine takes
two thirds of the CPU time, and needs a C compiler where it is built. What is compiled is what a cold run spends its time in.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SWITCH = "ASGIWAY_COMPILE"
PACKAGE = "asgiway_lint"
# Not project/store.py: the language server derives a class of its own from `Store`, which a compiled one does not allow.
COMPILED = (
    "analysis/*.py",
    "catalogue/custom.py",
    "catalogue/loader.py",
    "catalogue/predicates.py",
    "comments.py",
    "facts/*.py",
    "project/modules.py",
)
# The first three work on libcst's classes, which mypyc cannot derive from; the others run once in a run, and the lighter they load the better.
PLAIN = frozenset(
    {
        "deep.py",
        "lowering.py",
        "positions.py",
        "__init__.py",
        "changed.py",
        "parts.py",
        "pool.py",
        "run.py",
        "session.py",
        "suspects.py",
        "warm.py",
    }
)

LIBRARIES = (".so", ".pyd")

_SETUP = """
import sys
from mypyc.build import mypycify
from setuptools import setup

setup(name="asgiway_lint", ext_modules=mypycify(sys.argv[3:], opt_level="3", group_name="asgiway_lint"), script_args=sys.argv[1:3])
"""


class CompileHook(BuildHookInterface[Any]):
    """See the module's first lines."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """What the build needs beyond hatchling."""
        return ["mypy>=1.13", "setuptools>=70", "libcst>=1.8"] if _wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile into a folder of its own, and have the results put into the wheel.

        Raises:
            subprocess.CalledProcessError: the compiler, or mypyc, has failed; its words are on stderr.
        """
        if not _wanted() or self.target_name != "wheel" or version == "editable":
            return
        self._folder = Path(tempfile.mkdtemp(prefix="asgiway-compile-"))
        sources = Path(self.root, "linter", PACKAGE)
        shutil.copytree(sources, self._folder / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
        modules = sorted(
            path.relative_to(self._folder).as_posix()
            for pattern in COMPILED
            for path in (self._folder / PACKAGE).glob(pattern)
            if path.name not in PLAIN
        )
        try:
            subprocess.run(
                [sys.executable, "-c", _SETUP, "build_ext", "--inplace", *modules],
                cwd=self._folder,
                env={**os.environ, "MYPYPATH": str(self._folder)},
                check=True,
            )
        except BaseException:  # nobody calls finalize() then
            shutil.rmtree(self._folder)
            raise
        for path in (*self._folder.glob("*"), *self._folder.glob(f"{PACKAGE}/**/*")):
            if path.suffix in LIBRARIES:
                build_data["force_include"][str(path)] = path.relative_to(self._folder).as_posix()
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """The folder is no longer needed."""
        folder = getattr(self, "_folder", None)
        if folder is not None:
            shutil.rmtree(folder)


def _wanted() -> bool:
    return os.environ.get(SWITCH) == "1"
