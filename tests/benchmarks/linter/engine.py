"""What a lint run costs, beside ruff on the same files: CPU and wall seconds, and peak memory. Run by hand.

    python tests/benchmarks/linter/engine.py FOLDER...

For each folder: ruff's ASYNC rules without a cache; asgiway-lint without a cache in one process and in as many as there are CPUs;
with a cold and a warm cache; and five named files with that cache (the pre-commit case). Figures are of this machine at this
moment: compare them with each other only.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def measure(command: list[str], folder: Path) -> tuple[float, float, int]:
    """CPU seconds and wall seconds of a command and its children, and the peak memory of the largest process in MB."""
    code = (
        "import json, resource, subprocess, sys; done = subprocess.run(sys.argv[1:], capture_output=True);"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN);"
        "print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss // 1024]));"
        "sys.exit(0 if done.returncode in (0, 1) else sys.stderr.write(done.stderr.decode()) and 2)"
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *command], cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    )
    wall = time.perf_counter() - start
    cpu, memory = (float(part) for part in done.stdout.strip("[]\n").split(","))
    return cpu, wall, int(memory)


def main(folders: list[str]) -> int:
    """Measure each folder and print a table."""
    if not folders:
        print(__doc__)
        return 2
    ruff = shutil.which("ruff", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]))
    for folder in map(Path, folders):
        files = sorted(folder.rglob("*.py"))
        lines = sum(path.read_bytes().count(b"\n") for path in files)
        print(f"\n{folder}: {len(files)} files, {lines} lines")
        print(f"{'':34}{'CPU s':>8}{'wall s':>8}{'MB':>6}")
        with tempfile.TemporaryDirectory() as cache:
            lint = [sys.executable, "-m", "asgiway_lint", "check", "--isolated"]
            cached = [*lint, "--cache-dir", cache]
            five = [str(path.relative_to(folder)) for path in random.Random(0).sample(files, min(5, len(files)))]
            runs = [
                ("asgiway-lint, no cache, 1 process", [*lint, "--no-cache", "--jobs", "1", "."]),
                ("asgiway-lint, no cache", [*lint, "--no-cache", "."]),
                ("asgiway-lint, cold cache", [*cached, "."]),
                ("asgiway-lint, warm cache", [*cached, "."]),
                ("asgiway-lint, warm, 5 files", [*cached, *five]),
            ]
            if ruff is not None:
                command = [ruff, "check", "--select", "ASYNC", "--isolated", "--no-cache", "-q", "."]
                runs.insert(0, ("ruff --select ASYNC", command))
            for name, command in runs:
                cpu, wall, memory = measure(command, folder)
                print(f"{name:34}{cpu:8.2f}{wall:8.2f}{memory:6}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
