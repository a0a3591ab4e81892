"""The small model that comes with the coach, in memory once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from coach.model.catalogue import choose
from coach.model.local import Engine


@pytest.fixture(scope="session")
def weights() -> Path:
    path = choose("smollm2-135m").path
    assert path is not None
    return path


@pytest.fixture(scope="session")
def engine(weights: Path) -> Engine:
    return Engine(weights)
