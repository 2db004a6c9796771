"""Which baseline file holds for which source file, read when the first one needs it."""

from __future__ import annotations

import os.path
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from asgiway_lint.baseline import Baseline, parse
from asgiway_lint.config import Settings
from asgiway_lint.configfiles import nearest_path
from asgiway_lint.errors import UsageError
from asgiway_lint.filtering import Known
from asgiway_lint.finding import Finding
from asgiway_lint.identity import identities

__all__ = ["BaselineFiles", "read_baseline"]


@dataclass(slots=True)
class BaselineFiles:
    """Answers what a file's baseline knows, and remembers the baselines.

    Args:
        only: the baseline that holds for every file, whatever its settings name; None: the one that they name.
    """

    _read: dict[Path, Baseline] = field(default_factory=dict[Path, Baseline])
    only: Path | None = None

    def known(self, path: str, settings: Settings, source_of: Callable[[str], str | None]) -> Known | None:
        """Return what tells known findings of a file from new ones; None where there is no baseline.

        Args:
            path: absolute path of the file.
            settings: the settings of the file, which name its baseline.
            source_of: the decoded text of a file; None if it cannot be read.

        Raises:
            UsageError: the baseline that the settings name cannot be read or is none.
        """
        file = self.only or settings.baseline
        if file is None or path == "-":
            return None
        baseline = self.read(file)
        if not baseline.covers(path):
            return None

        def known(findings: Sequence[Finding]) -> list[bool]:
            return baseline.take(path, identities(findings, source_of(path) if findings else None))

        return known

    def read(self, file: Path) -> Baseline:
        """Return a baseline.

        Raises:
            UsageError: it cannot be read or is none.
        """
        file = Path(os.path.normpath(file))
        if file not in self._read:
            self._read[file] = read_baseline(file)
        return self._read[file]


def read_baseline(file: Path) -> Baseline:
    """Read a baseline file (absolute path).

    Raises:
        UsageError: it cannot be read or is none.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise UsageError(
            f"there is no baseline {file}{nearest_path(file)}; make it with: asgiway-lint baseline create --baseline {file}"
        ) from error
    except OSError as error:
        raise UsageError(f"cannot read the baseline {file}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is no baseline of asgiway-lint: it is not UTF-8") from error
    return parse(text, file)
