"""What tests share: the real encoder and a ready coach over the built-in cards."""

from __future__ import annotations

import pytest

from coach.build import Coach
from coach.library.embedder import MiniLM
from coach.settings import load_settings


@pytest.fixture(scope="session")
def encoder() -> MiniLM:
    return MiniLM()


@pytest.fixture(scope="session")
def coach() -> Coach:
    """A coach without a language model; its index is built in the user's cache if it is not there."""
    ready = Coach(load_settings(model="none"))
    ready.ready()
    return ready


@pytest.fixture(scope="session")
def coach_with_model(tmp_path_factory: pytest.TempPathFactory) -> Coach:
    """The coach as it ships, with the small model ranking; what it stores goes to a folder of its own."""
    ready = Coach(load_settings(data_dir=tmp_path_factory.mktemp("data")))
    ready.ready()
    return ready
