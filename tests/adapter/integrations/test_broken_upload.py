"""Acceptance line 46, as the frameworks show it to their views."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.adapter.support import WAIT


def test_046_what_flask_and_django_make_of_a_client_that_leaves() -> None:
    """The exception in the view, the status that the application gave, and what reached the server: nothing."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.adapter.integrations.broken_upload"],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=2 * WAIT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "flask": ["ClientDisconnected", "500", []],
        "flask with MAX_CONTENT_LENGTH": ["ClientDisconnected", "400", []],
        "django": ["UnreadablePostError", "500", []],
    }
