from __future__ import annotations

import pytest

from asgiway_lint.catalogue import Catalogue, load


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load()
