"""Fetch the sources that the labels are about: `python -m tests.linter.corpus.fetch`.

Wheels are downloaded with pip, checked against the checksum in the labels, and unpacked below `$ASGIWAY_CORPUS` (by default
`~/.cache/asgiway-corpus`); what is there already is left alone. Nothing of it is installed, imported or committed.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.linter.corpus.data import Package, load, source_folder


def fetch(package: Package) -> bool:
    """Download and unpack one wheel; False if it is there already. Raises RuntimeError if it is not the labelled one."""
    target = source_folder(package)
    if target.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        requirement = f"{package.name}=={package.version}"
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
        # The same wheel everywhere: sources are only read.
        command += ["--python-version", "3.11", "--platform", "manylinux_2_17_x86_64", "--dest", scratch]
        subprocess.run([*command, requirement], check=True)
        (wheel,) = Path(scratch).glob("*.whl")
        checksum = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if checksum != package.sha256:
            raise RuntimeError(
                f"{wheel.name} has the checksum {checksum}, its labels are about {package.sha256}: "
                "they don't hold for these sources"
            )
        unpacked = Path(scratch) / "unpacked"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
        # The last step, so that a folder that exists is complete.
        shutil.move(unpacked, target)
    return True


def main() -> int:
    """Fetch every package of the corpus."""
    for package in load():
        done = "fetched" if fetch(package) else "there already"
        print(f"{package.name} {package.version}: {done} ({source_folder(package)})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
